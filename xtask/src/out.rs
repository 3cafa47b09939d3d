//! The one place that prints: answers on stdout, progress on stderr.

use std::io::Write;

use ledger::edge::{self, Failure};

/// Prints one line on stdout.
///
/// # Errors
///
/// If stdout cannot be written, or nobody reads it any more.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    edge::stdout().emit(text)
}

/// Prints text on stdout as it is.
///
/// # Errors
///
/// As [`line()`].
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    edge::stdout().write(text.as_bytes())
}

/// Says on stderr what is going on; nobody may be there to hear it.
pub(crate) fn progress(text: &str) {
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}
