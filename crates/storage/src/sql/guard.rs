//! Switches the user's rules on and off. One authorizer serves both sides, because installing one makes SQLite compile
//! every statement again; what differs is a flag, and the length limit, which stored values do not have.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::rules;
use super::statement::{Limit, set_limit};

/// SQLite's own, which every connection starts with.
const TRUSTED_LENGTH: i32 = 1_000_000_000;

/// Cloudflare's limits. Those that only count while a statement is compiled may stay on for the runtime's own, which
/// are far below them.
const LIMITS: [(Limit, i32); 9] = [
    (Limit::SqlLength, 100_000),
    (Limit::Columns, 100),
    (Limit::ExpressionDepth, 100),
    (Limit::CompoundSelect, 5),
    (Limit::VdbeOperations, 25_000),
    (Limit::FunctionArguments, 127),
    (Limit::LikePattern, 50),
    (Limit::Variables, 100),
    (Limit::TriggerDepth, 10),
];

pub(super) struct Guard {
    user: AtomicBool,
    longest_value: i32,
    notes: Mutex<Notes>,
}

/// What the authorizer saw of the statement that is compiled.
#[derive(Default)]
pub(super) struct Notes {
    /// It begins or ends a transaction.
    pub transaction: bool,
    /// It alters a table.
    pub alters: bool,
    /// It must run inside a transaction, though SQLite says that it only reads.
    pub forces_write: bool,
    /// It changes a setting of the connection.
    pub sets: bool,
    /// The tables that it writes to.
    pub written: Vec<String>,
}

/// While it lives, the user's rules hold on the connection.
pub(super) struct Scope {
    guard: Arc<Guard>,
    handle: super::statement::Handle,
}

impl Guard {
    pub fn install(sql: &mut Connection, longest_value: i32) -> rusqlite::Result<Arc<Guard>> {
        let guard = Arc::new(Guard {
            user: AtomicBool::new(false),
            longest_value,
            notes: Mutex::default(),
        });
        let handle = super::statement::Handle::of(sql);
        for (limit, value) in LIMITS {
            set_limit(handle, limit, value);
        }
        let asked = Arc::clone(&guard);
        sql.authorizer(Some(move |context: AuthContext<'_>| asked.decide(&context)))?;
        Ok(guard)
    }

    pub fn enter(self: &Arc<Self>, sql: &Connection) -> Scope {
        let handle = super::statement::Handle::of(sql);
        self.user.store(true, Relaxed);
        set_limit(handle, Limit::Length, self.longest_value);
        Scope {
            guard: Arc::clone(self),
            handle,
        }
    }

    pub fn clear_notes(&self) {
        *self.notes() = Notes::default();
    }

    pub fn take_notes(&self) -> Notes {
        std::mem::take(&mut *self.notes())
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, context: &AuthContext<'_>) -> Authorization {
        if !self.user.load(Relaxed) {
            return Authorization::Allow;
        }
        match context.action {
            AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
                self.notes().transaction = true;
            }
            AuthAction::AlterTable { .. } => self.notes().alters = true,
            // `optimize` may analyse tables, and a deferral lasts as long as the transaction that it is made in.
            AuthAction::Pragma { pragma_name, .. }
                if ["optimize", "defer_foreign_keys"]
                    .iter()
                    .any(|name| pragma_name.eq_ignore_ascii_case(name)) =>
            {
                self.notes().forces_write = true;
            }
            AuthAction::Pragma {
                pragma_name,
                pragma_value: Some(_),
            } if rules::is_switch(pragma_name) => self.notes().sets = true,
            AuthAction::Insert { table_name }
            | AuthAction::Delete { table_name }
            | AuthAction::Update { table_name, .. } => {
                let written = &mut self.notes().written;
                if !table_name.starts_with("sqlite_") && !written.iter().any(|t| t == table_name) {
                    written.push(table_name.to_owned());
                }
            }
            _ => {}
        }
        if rules::allows(context) {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.guard.user.store(false, Relaxed);
        set_limit(self.handle, Limit::Length, TRUSTED_LENGTH);
    }
}
