//! What the run prints, and the JSON file with every number.

use std::fmt::{self, Display, Formatter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::contender::Contender;
use crate::machine::Machine;
use crate::measure::Sample;
use crate::rows::{Goal, HYPER_SHARE_GOAL, Method, Row};
use crate::summary::{Medians, RowSummary, Spread};

/// Everything that a run found out.
#[derive(Debug, Serialize)]
pub struct Report {
    machine: Machine,
    settings: Settings,
    rows: Vec<RowSummary>,
    samples: Vec<Sample>,
}

/// The settings that the figures belong to.
#[derive(Debug, Serialize)]
pub struct Settings {
    /// How often each row was measured.
    pub rounds: u32,
    /// How long, in seconds.
    pub duration_s: f64,
    /// Connections with one request under way each.
    pub connections: u32,
}

const TITLE: usize = 40;
const SERVER: usize = 8;
const VALUE: usize = 12;
const LATENCY: usize = 9;
const RATIO: usize = 24;
const GOAL: usize = 8;

impl Report {
    /// Sums up `samples`.
    pub fn new(machine: Machine, settings: Settings, rows: &[Row], samples: Vec<Sample>) -> Self {
        let rows = rows
            .iter()
            .filter_map(|&row| RowSummary::of(row, &samples))
            .collect();
        Report {
            machine,
            settings,
            rows,
            samples,
        }
    }

    /// Saves everything to `file`.
    pub fn save(&self, file: &Path) -> Result<()> {
        let mut text =
            serde_json::to_string_pretty(self).context("cannot write the numbers as JSON")?;
        text.push('\n');
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Machine {
            cpu,
            cores,
            kernel,
            filesystem,
            syncs_per_second,
            load_average,
        } = &self.machine;
        let Settings {
            rounds,
            duration_s,
            connections,
        } = self.settings;
        writeln!(
            out,
            "{cpu}, {cores} cores, {kernel}; load average {load_average} before the run"
        )?;
        writeln!(
            out,
            "storage on {filesystem}, {}/s fdatasync on one growing file",
            grouped(*syncs_per_second)
        )?;
        writeln!(
            out,
            "medians of {rounds} rounds; {duration_s} s a row, {connections} connections"
        )?;
        writeln!(
            out,
            "ratios are dolmen's figure by the other's in the same round: median (least to most)\n"
        )?;
        writeln!(
            out,
            "{:TITLE$}{:SERVER$}{:>VALUE$}{:>LATENCY$}{:>LATENCY$}  {:RATIO$}{:>GOAL$}",
            "", "", "figure", "p50 ms", "p99 ms", "dolmen to it", "goal"
        )?;
        for row in &self.rows {
            write_row(out, row)?;
        }
        Ok(())
    }
}

/// One line for each server of the row: workerd's carries the ratio to it, and dolmen's the absolute goal if any.
fn write_row(out: &mut Formatter<'_>, summary: &RowSummary) -> fmt::Result {
    for (at, (&contender, medians)) in summary.contenders.iter().enumerate() {
        let mut line = String::new();
        let title = if at == 0 { summary.row.title() } else { "" };
        let value = format!("{}{}", grouped(medians.value.median), summary.row.unit());
        let (p50, p99) = (milliseconds(medians.p50_us), milliseconds(medians.p99_us));
        write!(
            line,
            "{title:TITLE$}{:SERVER$}{value:>VALUE$}{p50:>LATENCY$}{p99:>LATENCY$}",
            contender.name()
        )?;
        match contender {
            Contender::Workerd => {
                write_ratio(&mut line, summary.to_workerd, |ratio| {
                    match summary.row.goal() {
                        Some(Goal::TimesWorkerd(times)) => {
                            Some((format!("{times}x"), ratio >= times))
                        }
                        Some(Goal::ShareOfWorkerd(share)) => {
                            Some((format!("<={share}x"), ratio <= share))
                        }
                        _ => None,
                    }
                })?
            }
            Contender::Hyper => write_ratio(&mut line, summary.to_hyper, |share| {
                let goal = match (summary.row, summary.row.goal()) {
                    (Row::Fetch, _) => HYPER_SHARE_GOAL,
                    (_, Some(Goal::ShareOfHyper(goal))) => goal,
                    _ => return None,
                };
                Some((format!("{goal}x"), share >= goal))
            })?,
            Contender::Script => write_ratio(&mut line, summary.to_script, |_| None)?,
            Contender::Dolmen => {
                if let (Some(Goal::AtMost(most)), Some(met)) =
                    (summary.row.goal(), summary.goal_met())
                {
                    let goal = format!("{most}{}", summary.row.unit());
                    write!(line, "  {:RATIO$}{goal:>GOAL$}  {}", "", verdict(met))?;
                }
            }
        }
        write_count(&mut line, summary.row, medians)?;
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn write_ratio(
    line: &mut String,
    ratio: Option<Spread>,
    goal: impl FnOnce(f64) -> Option<(String, bool)>,
) -> fmt::Result {
    let Some(Spread {
        median,
        least,
        most,
    }) = ratio
    else {
        return Ok(());
    };
    let ratio = format!("{median:.2}x ({least:.2} to {most:.2})");
    match goal(median) {
        Some((goal, met)) => write!(line, "  {ratio:RATIO$}{goal:>GOAL$}  {}", verdict(met)),
        None => write!(line, "  {ratio:RATIO$}"),
    }
}

/// Says on how many objects or sockets a figure rests, and whether all objects were as the row wants them by then.
fn write_count(line: &mut String, row: Row, medians: &Medians) -> fmt::Result {
    let Some(share) = medians.share else {
        return Ok(());
    };
    let (counted, wanted) = match row.method() {
        Method::SocketMemory | Method::SocketWake => ("sockets", "the objects had hibernated"),
        _ => ("objects", "them live"),
    };
    write!(
        line,
        "  {} {counted}, {:.0}% of {wanted}",
        grouped(medians.count as f64),
        share * 100.0
    )
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

fn milliseconds(us: Option<f64>) -> String {
    us.map_or_else(String::new, |us| format!("{:.2}", us / 1e3))
}

/// A figure with commas between its thousands, and a decimal while it is small.
fn grouped(value: f64) -> String {
    const SMALL: f64 = 100.0;
    if value < SMALL {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        let figures = [7.06, 99.96, 100.4, 999.6, 12_345.0, 1_234_567.0];
        assert_eq!(
            figures.map(grouped),
            ["7.1", "100.0", "100", "1,000", "12,345", "1,234,567"]
        );
    }
}
