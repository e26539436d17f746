//! Tests of the storage through its public interface: one binary, one module per subject.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "storage/support.rs"]
mod support;

#[path = "storage/kv.rs"]
mod kv;

#[path = "storage/power_loss.rs"]
mod power_loss;

#[path = "storage/test_disk.rs"]
mod test_disk;

#[path = "storage/faults.rs"]
mod faults;

#[path = "storage/alarms.rs"]
mod alarms;

#[path = "storage/sql.rs"]
mod sql;

#[path = "storage/sql_rules.rs"]
mod sql_rules;

#[path = "storage/files.rs"]
mod files;
