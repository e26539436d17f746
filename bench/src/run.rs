//! A whole run: every row in every round, the servers taking turns.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::contender::{Contender, Programs};
use crate::flags::Flags;
use crate::install;
use crate::interrupt;
use crate::machine::{self, Machine};
use crate::measure::{Sample, measure};
use crate::report::{Report, Settings};
use crate::rows::{Method, Row};

/// Measures what the flags call for and prints the report.
pub fn run(flags: &Flags) -> Result<()> {
    interrupt::listen()?;
    machine::raise_open_files()?;
    let programs = Programs::find(flags)?;
    let root = storage_root(flags)?;
    let machine = Machine::look(&root)?;
    let rows: Vec<Row> = Row::value_variants()
        .iter()
        .copied()
        .filter(|row| flags.rows.is_empty() || flags.rows.contains(row))
        .collect();

    let mut samples = Vec::new();
    for round in 1..=flags.rounds {
        for &row in &rows {
            let is_long = matches!(
                row.method(),
                Method::Memory(_) | Method::SocketMemory | Method::SocketWake
            );
            if is_long && round > flags.memory_rounds {
                continue;
            }
            for contender in turns(flags, row, round) {
                let from = Instant::now();
                let figure = measure(flags, &programs, &root, row, contender)
                    .with_context(|| format!("round {round}, row {}", row.name()))?;
                eprintln!(
                    "round {round} of {}: {:21}{:8}{:>12.1}{:3}  ({:.1} s)",
                    flags.rounds,
                    row.name(),
                    contender.name(),
                    figure.value,
                    row.unit(),
                    from.elapsed().as_secs_f64(),
                );
                samples.push(Sample {
                    round,
                    row,
                    contender,
                    figure,
                });
            }
        }
    }

    let settings = Settings {
        rounds: flags.rounds,
        duration_s: flags.duration.as_secs_f64(),
        connections: flags.connections,
    };
    let report = Report::new(machine, settings, &rows, samples);
    println!("\n{report}");
    flags
        .json
        .as_deref()
        .map_or(Ok(()), |file| report.save(file))
}

/// The servers of `row`, in an order that changes from round to round.
fn turns(flags: &Flags, row: Row, round: u32) -> Vec<Contender> {
    let wanted = |contender: &&Contender| flags.only.is_none_or(|only| only == **contender);
    let mut turns: Vec<Contender> = row.contenders().iter().filter(wanted).copied().collect();
    if round.is_multiple_of(2) {
        turns.reverse();
    }
    turns
}

/// The folder that the servers' folders are made in.
fn storage_root(flags: &Flags) -> Result<PathBuf> {
    let root = flags
        .storage
        .clone()
        .unwrap_or_else(|| install::bench_folder().join("../var/bench"));
    fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
    Ok(root.canonicalize()?)
}
