//! Two things measured in turns, and the median of their ratios.

use ledger::edge::Failure;

use super::table::{Line, Target, Unit};
use crate::child;

/// What a comparison in turns gave.
#[derive(Clone, Debug)]
pub(crate) struct Pairs {
    ratios: Vec<f64>,
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Pairs {
    /// Measures ours, theirs, ours, theirs and so on, after one of each that does not count.
    pub(crate) fn measure(
        count: usize,
        mut ours: impl FnMut() -> Result<f64, Failure>,
        mut theirs: impl FnMut() -> Result<f64, Failure>,
    ) -> Result<Pairs, Failure> {
        ours()?;
        theirs()?;
        let mut pairs = Pairs {
            ratios: Vec::new(),
            ours: Vec::new(),
            theirs: Vec::new(),
        };
        for _ in 0..count {
            child::still_wanted()?;
            let (our, their) = (ours()?, theirs()?);
            pairs.ratios.push(our / their);
            pairs.ours.push(our);
            pairs.theirs.push(their);
        }
        Ok(pairs)
    }

    /// The line of the table for two times in seconds: how many times the rival's ours is.
    pub(crate) fn times(&self, what: &str, against: &str, target: Target) -> Line {
        self.line(what, against, target, seconds)
    }

    /// The line for two rates a second: how many times the rival's ours is.
    pub(crate) fn rates(&self, what: &str, against: &str, target: Target) -> Line {
        self.line(what, against, target, rate)
    }

    fn line(&self, what: &str, against: &str, target: Target, shown: fn(f64) -> String) -> Line {
        let (low, high) = range(&self.ratios);
        Line {
            what: what.to_owned(),
            against: against.to_owned(),
            target,
            unit: Unit::Ratio,
            figure: Ok(median(&self.ratios)),
            note: format!(
                "{} : {}, {low:.2}–{high:.2}, pairs: {}",
                shown(median(&self.ours)),
                shown(median(&self.theirs)),
                self.ratios.len()
            ),
        }
    }

    /// The median of our own values.
    pub(crate) fn ours(&self) -> f64 {
        median(&self.ours)
    }
}

/// The value in the middle; of none, not a number.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this part of the others lies.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an index into a list that fits in memory"
    )]
    let index = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

fn range(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        })
}

/// A time for people.
pub(crate) fn seconds(value: f64) -> String {
    match value {
        value if value < 0.1 => format!("{:.2} ms", value * 1e3),
        value => format!("{value:.2} s"),
    }
}

/// A rate for people.
pub(crate) fn rate(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.2} M/s", value / 1e6),
        value if value >= 1e4 => format!("{:.0} k/s", value / 1e3),
        value => format!("{value:.0}/s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_the_pairs() {
        let mut ours = [9.0, 2.0, 2.0, 8.0].into_iter();
        let mut theirs = [9.0, 1.0, 2.0, 1.0].into_iter();
        let next = |values: &mut dyn Iterator<Item = f64>| Ok(values.next().unwrap());
        let pairs = Pairs::measure(3, || next(&mut ours), || next(&mut theirs)).unwrap();
        let line = pairs.times("a", "b", Target::AtMost(2.0));
        assert_eq!(line.figure, Ok(2.0));
        assert_eq!(line.note, "2.00 s : 1.00 s, 1.00–8.00, pairs: 3");
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((quantile(&values, 0.99) - 99.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }
}
