//! The set of failures of a run, in bounded memory.
//!
//! A fingerprint must not depend on the order of failures, nor on how often one is printed, nor may a log of any size
//! take more than a fixed amount of memory. So the K smallest names are kept (a bottom-k sketch: Thorup, Bottom-k and
//! priority sampling, set similarity and subset sums; also k minimum values): exact up to K, an estimate of the size beyond.

use std::collections::BTreeMap;

use crate::failure::{Name, Named};

/// How many distinct failures are kept.
pub const KEPT: usize = 4096;

/// A set of failures by signature.
#[derive(Debug, Default)]
pub struct Sketch {
    kept: BTreeMap<Name, (u64, Named)>,
    overflowed: bool,
}

impl Sketch {
    /// Adds one sighting.
    pub fn add(&mut self, named: Named) {
        let key = named.sig;
        if let Some((count, first)) = self.kept.get_mut(&key) {
            *count += 1;
            // Which of two equal failures is described must not depend on their order.
            if named.exact < first.exact {
                *first = named;
            }
            return;
        }
        if self.kept.len() >= KEPT
            && self
                .kept
                .last_key_value()
                .is_some_and(|(last, _)| *last < key)
        {
            self.overflowed = true;
            return;
        }
        self.kept.insert(key, (1, named));
        if self.kept.len() > KEPT {
            self.kept.pop_last();
            self.overflowed = true;
        }
    }

    /// Counts another sighting of a member; whether it is one.
    pub fn count(&mut self, sig: Name) -> bool {
        let known = self.kept.get_mut(&sig);
        known.is_some_and(|(count, _)| {
            *count += 1;
            true
        })
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many distinct failures were added: exact up to [`KEPT`], an estimate beyond.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an estimate of a count"
    )]
    pub fn total(&self) -> u64 {
        match self.kept.last_key_value() {
            Some((last, _)) if self.overflowed => ((KEPT - 1) as f64 / last.rank()) as u64,
            _ => self.kept.len() as u64,
        }
    }

    /// Moves everything from another set into this one.
    pub fn merge(&mut self, other: Sketch) {
        self.overflowed |= other.overflowed;
        for (count, named) in other.kept.into_values() {
            let key = named.sig;
            self.add(named);
            if let Some((sum, _)) = self.kept.get_mut(&key) {
                *sum += count - 1;
            }
        }
    }

    /// The failures in the order of their signatures, with their counts.
    pub fn into_sorted(self) -> impl Iterator<Item = (u64, Named)> {
        self.kept.into_values()
    }

    /// The failures in the order of their signatures.
    pub fn iter(&self) -> impl Iterator<Item = &Named> {
        self.kept.values().map(|(_, named)| named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, Kind, Tier};
    use crate::normal::Roots;
    use proptest::prelude::*;

    fn sketch(numbers: impl Iterator<Item = u32>) -> Sketch {
        let mut sketch = Sketch::default();
        for n in numbers {
            let mut failure = Failure::new("t", Tier::T0, Kind::Test);
            failure.id = format!("t_{}", char::from_u32(0x4e00 + n).unwrap_or('x'));
            sketch.add(failure.named(&Roots::none()));
        }
        sketch
    }

    #[test]
    fn beyond_k_the_smallest_stay_and_the_size_is_estimated() {
        let up = sketch(0..5000);
        let down = sketch((0..5000).rev());
        assert_eq!(
            up.iter().map(|n| n.sig).collect::<Vec<_>>(),
            down.iter().map(|n| n.sig).collect::<Vec<_>>()
        );
        assert_eq!(up.iter().count(), KEPT);
        assert!((4600..5400).contains(&up.total()), "{}", up.total());
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(mut numbers in proptest::collection::vec(0u32..20, 0..40)) {
            let names = |s: Sketch| s.into_sorted().map(|(_, n)| n.sig).collect::<Vec<_>>();
            let one = names(sketch(numbers.iter().copied()));
            numbers.reverse();
            prop_assert_eq!(&one, &names(sketch(numbers.iter().copied())));
            numbers.sort_unstable();
            numbers.dedup();
            prop_assert_eq!(one, names(sketch(numbers.into_iter())));
        }
    }
}
