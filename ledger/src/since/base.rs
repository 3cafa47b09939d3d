//! Which commit to compare with: the last attempt's, or that of any record.

use std::io;

use memchr::memmem;

use crate::line::view;
use crate::notes::folded;
use crate::read::{Backwards, Found};
use crate::record::{Attempt, Head, Kind};
use crate::seal;
use crate::segments::Whole;

use super::Base;

/// How many commits are offered, for the case that the newest are gone, and how many records back.
const OFFERED_MAX: usize = 20;
const RECORDS: usize = 1000;

/// Whose attempts are asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Of {
    /// The run; none for that of the last attempt.
    pub run: Option<String>,
    /// The gate; none for any.
    pub name: Option<String>,
}

/// The commits of the attempts in a ledger, each once, the newest first.
///
/// # Errors
///
/// If the ledger cannot be read.
pub fn of_attempts(ledger: &Whole<'_>, of: &Of) -> io::Result<Vec<Base>> {
    offered(ledger.backwards()?, of.clone(), Vec::new())
}

/// The commit that record number `seq` names, and those of the attempts before it; none if there is no such record.
///
/// # Errors
///
/// If the ledger cannot be read.
pub fn of_record(ledger: &Whole<'_>, seq: u64, of: &Of) -> io::Result<Option<Vec<Base>>> {
    let needle = format!("\"seq\":{seq},\"crc\":\"");
    let finder = memmem::Finder::new(&needle);
    let mut lines = ledger.backwards()?;
    let mut unread = 0_u64;
    while let Some(found) = lines.next()? {
        unread += 1;
        if let Found::Line(line) = found
            && finder.find(line).is_some()
            && seal::verify(line) == Ok(Some(seq))
        {
            let (of, named) = named(line, of);
            return offered(lines, of, named).map(Some);
        }
    }
    // In a ledger that was never sealed the number is that of the line.
    let Some(after) = unread.checked_sub(seq) else {
        return Ok(None);
    };
    let mut lines = ledger.backwards()?;
    for _ in 0..after {
        lines.next()?;
    }
    match lines.next()? {
        Some(Found::Line(line)) if seal::verify(line) == Ok(None) => {
            let (of, named) = named(line, of);
            offered(lines, of, named).map(Some)
        }
        _ => Ok(None),
    }
}

/// What a record names, and whose attempts come before it.
fn named(line: &[u8], of: &Of) -> (Of, Vec<Base>) {
    let Ok(head) = view::<Head<'_>>(line) else {
        return (of.clone(), Vec::new());
    };
    let of = Of {
        run: of.run.clone().or_else(|| Some(head.run_name().to_owned())),
        name: of.name.clone(),
    };
    let attempt = view::<Attempt<'_>>(line).ok();
    let named = attempt.and_then(|attempt| base(&head, &attempt));
    (of, named.into_iter().collect())
}

/// Adds the commits of the attempts before a line.
fn offered(mut lines: Backwards<'_>, mut of: Of, mut offered: Vec<Base>) -> io::Result<Vec<Base>> {
    let mut count = 0;
    while offered.is_empty() || (offered.len() < OFFERED_MAX && count < RECORDS) {
        let Some(found) = lines.next()? else { break };
        count += 1;
        let Found::Line(line) = found else { continue };
        let Some((head, attempt)) = attempt(line) else {
            continue;
        };
        let is = |wanted: &Option<String>, name: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == name)
        };
        if !is(&of.name, head.gate_name()) || !is(&of.run, head.run_name()) {
            continue;
        }
        of.run.get_or_insert_with(|| head.run_name().to_owned());
        if let Some(base) = base(&head, &attempt)
            && offered.iter().all(|known| known.commit != base.commit)
        {
            offered.push(base);
        }
    }
    Ok(offered)
}

fn attempt(line: &[u8]) -> Option<(Head<'_>, Attempt<'_>)> {
    seal::verify(line).ok()?;
    let head: Head<'_> = view(line).ok()?;
    let is_attempt = head.known_kind() == Some(Kind::Attempt);
    is_attempt.then(|| view(line).ok().map(|attempt| (head, attempt)))?
}

fn base(head: &Head<'_>, attempt: &Attempt<'_>) -> Option<Base> {
    let commit = attempt.commit.as_deref()?.trim();
    // Anything else would be a revision in git's own language, from whoever wrote the record.
    let is_id =
        (4..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| Base {
        commit: commit.to_owned(),
        revision: None,
        seq: head.seq,
        ts: head.ts.as_deref().and_then(folded),
        iteration: attempt.iteration,
        action: attempt.action.as_deref().and_then(folded),
    })
}
