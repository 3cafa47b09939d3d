//! What the input is: records, or the text of a run.
//!
//! A log may hold any line, also one that looks like the record of a pass. So input is taken for records only if every
//! line of it is one of a gate or of an attempt; anything else is text, all of it.

use std::io;

use ledger::line::{self, Line};
use ledger::read::{Forwards, Found};
use ledger::record::{Head, Kind};

/// Whether a line is the record of a gate or of an attempt, by its own word.
#[must_use]
pub fn is_record(text: &[u8]) -> bool {
    let kind = |head: Head<'_>| head.kind.is_some().then(|| head.known_kind()).flatten();
    let kind = line::view::<Head<'_>>(text).ok().and_then(kind);
    matches!(kind, Some(Kind::Gate | Kind::Attempt)) && Line::parse(text).is_ok()
}

/// Whether there is a record, and every line is one; blank lines do not count.
///
/// # Errors
///
/// If the input cannot be read.
pub fn are_records(input: impl io::Read) -> io::Result<bool> {
    let mut lines = Forwards::new(input);
    let mut any = false;
    while let Some(found) = lines.next()? {
        match found {
            Found::Line(line) if line.trim_ascii().is_empty() => {}
            Found::Line(line) if is_record(line) => any = true,
            _ => return Ok(false),
        }
    }
    Ok(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: bool) {
        assert_eq!(
            are_records(input.as_bytes()).unwrap(),
            expected,
            "{input:?}"
        );
    }

    #[test]
    fn a_log_cannot_forge_a_record() {
        check("{\"kind\":\"gate\",\"gate\":\"pass\"}\n", true);
        check("{\"kind\":\"gate\",\"gate\":\"pass\"}", true);
        check("\n{\"kind\":\"attempt\"}\n\n{\"kind\":\"gate\"}\n", true);
        check(
            "make: *** [all] Error 2\n{\"kind\":\"gate\",\"gate\":\"pass\"}\n",
            false,
        );
        check(
            "{\"kind\":\"gate\",\"gate\":\"pass\"}\nmake: *** [all] Error 2\n",
            false,
        );
        check("{\"gate\":\"pass\"}\n", false);
        check("{\"kind\":\"verdict\"}\n", false);
        check("[]\n", false);
        check("", false);
    }
}
