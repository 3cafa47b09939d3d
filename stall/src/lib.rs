//! Are we stuck? Turns the history of a loop into a verdict.
//!
//! A history is what one gate said in one run, oldest attempt first ([`History`]). A detector is one rule about it, a
//! pure function in a file of its own ([`detectors`]); the verdict is the worst finding, and carries them all
//! ([`judge`]). Reading is bounded: a verdict rests on the last attempts, not on the ledger ([`read`]). What to do about
//! a verdict is left to `pivot`.

pub mod args;
pub mod detectors;
mod failures;
mod history;
mod judge;
pub mod read;
pub mod show;

pub use failures::Failures;
pub use history::{Attempt, History};
pub use judge::{Asked, judge, of_gates};

/// What the detectors go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many attempts make a stall.
    pub k: u64,
    /// Whether `same-failure` escalates at k+1, as the earlier journal did, and not at 2k.
    pub escalates_at_once: bool,
}
