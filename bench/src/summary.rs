//! From samples to what the table shows: medians, and ratios taken within a round.
//!
//! A machine's speed drifts over a run. The two servers of a ratio were measured seconds apart in the same round, so
//! the median of the rounds' ratios holds still where the ratio of two medians would not.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::contender::Contender;
use crate::measure::{Figure, Sample};
use crate::rows::{Goal, Row};

/// The middle of the rounds and their two ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle value; of an even number, the mean of the middle two.
    pub median: f64,
    /// The smallest value.
    pub least: f64,
    /// The largest value.
    pub most: f64,
}

impl Spread {
    /// Of `values`; `None` when there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            (values[middle - 1] + values[middle]) / 2.0
        };
        Some(Spread {
            median,
            least,
            most,
        })
    }
}

/// The medians of one server on one row.
#[derive(Clone, Debug, Serialize)]
pub struct Medians {
    /// In the row's unit.
    pub value: Spread,
    /// In microseconds.
    pub p50_us: Option<f64>,
    /// In microseconds.
    pub p99_us: Option<f64>,
    /// The fewest answers measured, objects touched or WebSockets left idle, in any round.
    pub count: u64,
    /// The smallest share in any round of objects that were as the row wants them: live, or hibernating.
    pub share: Option<f64>,
}

/// One row, over all rounds.
#[derive(Clone, Debug, Serialize)]
pub struct RowSummary {
    /// The row.
    pub row: Row,
    /// What each server did.
    pub contenders: BTreeMap<Contender, Medians>,
    /// dolmen's value divided by workerd's.
    pub to_workerd: Option<Spread>,
    /// dolmen's value divided by the bare hyper server's.
    pub to_hyper: Option<Spread>,
    /// dolmen's value divided by that of the same work in JavaScript.
    pub to_script: Option<Spread>,
}

impl RowSummary {
    /// Sums up the samples of `row`; `None` when there are none.
    pub fn of(row: Row, samples: &[Sample]) -> Option<Self> {
        let of_row: Vec<&Sample> = samples.iter().filter(|sample| sample.row == row).collect();
        let contenders: BTreeMap<_, _> = row
            .contenders()
            .iter()
            .filter_map(|&contender| {
                let figures = of_row
                    .iter()
                    .filter(|sample| sample.contender == contender)
                    .map(|sample| &sample.figure);
                Some((contender, Medians::of(&figures.collect::<Vec<_>>())?))
            })
            .collect();
        if contenders.is_empty() {
            return None;
        }
        let to_workerd = ratio(&of_row, Contender::Dolmen, Contender::Workerd);
        let to_hyper = ratio(&of_row, Contender::Dolmen, Contender::Hyper);
        Some(RowSummary {
            row,
            contenders,
            to_workerd,
            to_hyper,
            to_script: ratio(&of_row, Contender::Dolmen, Contender::Script),
        })
    }

    /// Whether dolmen reached the row's goal; `None` when there is no goal or it was not measured.
    pub fn goal_met(&self) -> Option<bool> {
        match self.row.goal()? {
            Goal::TimesWorkerd(times) => Some(self.to_workerd?.median >= times),
            Goal::ShareOfWorkerd(share) => Some(self.to_workerd?.median <= share),
            Goal::ShareOfHyper(share) => Some(self.to_hyper?.median >= share),
            Goal::AtMost(most) => {
                Some(self.contenders.get(&Contender::Dolmen)?.value.median <= most)
            }
        }
    }
}

impl Medians {
    fn of(figures: &[&Figure]) -> Option<Self> {
        let median_us = |latency: fn(&Figure) -> Option<u64>| {
            let values = figures
                .iter()
                .filter_map(|figure| latency(figure))
                .map(|us| us as f64);
            Spread::of(values).map(|spread| spread.median)
        };
        Some(Medians {
            value: Spread::of(figures.iter().map(|figure| figure.value))?,
            p50_us: median_us(|figure| figure.p50_us),
            p99_us: median_us(|figure| figure.p99_us),
            count: figures.iter().map(|figure| figure.count).min()?,
            share: figures
                .iter()
                .filter_map(|figure| figure.share)
                .min_by(f64::total_cmp),
        })
    }
}

/// The rounds' ratios of `above` to `below`, over the rounds that have both.
fn ratio(samples: &[&Sample], above: Contender, below: Contender) -> Option<Spread> {
    let of = |contender| {
        samples
            .iter()
            .filter(move |sample| sample.contender == contender)
    };
    Spread::of(of(above).filter_map(|above| {
        let below = of(below).find(|below| below.round == above.round)?;
        Some(above.figure.value / below.figure.value)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(round: u32, contender: Contender, value: f64) -> Sample {
        let figure = Figure {
            value,
            p50_us: None,
            p99_us: None,
            count: 1,
            share: None,
        };
        Sample {
            round,
            row: Row::Increment,
            contender,
            figure,
        }
    }

    #[test]
    fn a_median_is_the_middle_or_the_mean_of_the_middle_two() {
        assert_eq!(
            Spread::of([9.0, 1.0, 4.0]),
            Some(Spread {
                median: 4.0,
                least: 1.0,
                most: 9.0
            })
        );
        assert_eq!(
            Spread::of([9.0, 1.0, 4.0, 2.0]),
            Some(Spread {
                median: 3.0,
                least: 1.0,
                most: 9.0
            })
        );
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let samples = [
            sample(1, Contender::Workerd, 1_000.0),
            sample(1, Contender::Dolmen, 6_000.0),
            // A round in which the whole machine was ten times slower.
            sample(2, Contender::Dolmen, 600.0),
            sample(2, Contender::Workerd, 100.0),
            // A round that workerd has no part in.
            sample(3, Contender::Dolmen, 9_000.0),
        ];
        let summary = RowSummary::of(Row::Increment, &samples).unwrap();
        assert_eq!(
            summary.to_workerd,
            Some(Spread {
                median: 6.0,
                least: 6.0,
                most: 6.0
            })
        );
        assert_eq!(summary.to_hyper, None);
        assert_eq!(summary.goal_met(), Some(true));
    }

    #[test]
    fn a_row_without_both_servers_meets_no_goal_and_misses_none() {
        let summary =
            RowSummary::of(Row::Increment, &[sample(1, Contender::Workerd, 1.0)]).unwrap();
        assert_eq!(summary.goal_met(), None);
        assert!(RowSummary::of(Row::Increment64, &[]).is_none());
    }
}
