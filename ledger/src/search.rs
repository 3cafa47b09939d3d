//! Searching one file of a ledger from its end, as bytes, so that what happened last is found first and old records cost nothing
//! once the answer is known.
//!
//! Searching all of a ledger from its beginning is in [`crate::segments::Whole::search`].

use std::fs::File;
use std::io;
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::FileExt;

use memchr::{memchr, memmem, memrchr};

use crate::read::{Forwards, Found, LINE_MAX, Part};

const WINDOW: u64 = 256 << 10;

/// Gives every complete line that contains `needle` among the first `len` bytes of a file, last to first, with the offset
/// at which it begins, until `hit` has seen enough.
///
/// # Errors
///
/// If the file cannot be read.
pub fn backwards(
    file: &File,
    len: u64,
    needle: &[u8],
    mut hit: impl FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> io::Result<()> {
    let finder = memmem::Finder::new(needle);
    let mut end = len;
    // The end of a line that begins before what was read.
    let mut carry: Vec<u8> = Vec::new();
    // Whether what was read last belongs to no line that could be given: a torn tail, or a line that is too long.
    let mut cut = true;
    while end > 0 {
        let begin = end.saturating_sub(WINDOW);
        let size = (end - begin) as usize;
        let mut buffer = vec![0; size + carry.len()];
        let (head, tail) = buffer.split_at_mut(size);
        file.read_exact_at(head, begin)?;
        tail.copy_from_slice(&carry);
        end = begin;
        if cut {
            let newline = memrchr(b'\n', &buffer);
            buffer.truncate(newline.map_or(0, |at| at + 1));
            cut = newline.is_none();
        }
        let whole = match begin {
            0 => 0,
            _ => memchr(b'\n', &buffer).map_or(buffer.len(), |at| at + 1),
        };
        let mut hits: Vec<Range<usize>> = Vec::new();
        let mut from = whole;
        while let Some(at) = buffer
            .get(from..)
            .and_then(|rest| finder.find(rest))
            .map(|at| at + from)
        {
            let before = buffer.get(whole..at).unwrap_or_default();
            let first = memrchr(b'\n', before).map_or(whole, |newline| whole + newline + 1);
            let last = memchr(b'\n', buffer.get(at..).unwrap_or_default())
                .map_or(buffer.len(), |newline| at + newline);
            hits.push(first..last);
            from = last + 1;
        }
        for range in hits.into_iter().rev() {
            let line = buffer.get(range.clone()).unwrap_or_default();
            if line.len() <= LINE_MAX && hit(begin + range.start as u64, line).is_break() {
                return Ok(());
            }
        }
        buffer.truncate(whole);
        // A line beyond the limit is stepped over without being kept.
        if buffer.len() > LINE_MAX + 1 {
            buffer.clear();
            cut = true;
        }
        carry = buffer;
    }
    Ok(())
}

/// Gives the complete lines with `needle` that begin in a range of a file, first to last, until one gives an answer.
///
/// # Errors
///
/// If the file cannot be read.
pub fn first<T>(
    file: &File,
    range: Range<u64>,
    needle: &[u8],
    mut answer: impl FnMut(&[u8]) -> Option<T>,
) -> io::Result<Option<T>> {
    let finder = memmem::Finder::new(needle);
    let mut lines = Forwards::new(Part::new(file, range.start, range.end));
    while let Some(found) = lines.next()? {
        if let Found::Line(line) = found
            && finder.find(line).is_some()
            && let Some(answer) = answer(line)
        {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read::tests::file;

    fn found(content: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut hits = Vec::new();
        let len = content.len() as u64;
        backwards(&file(content), len, b"needle", |at, line| {
            hits.push((at, line.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
        hits
    }

    #[test]
    fn the_last_line_comes_first_and_a_torn_tail_not_at_all() {
        assert_eq!(
            found(b"needle 1\nx\nneedle needle\nneedle"),
            [(11, b"needle needle".to_vec()), (0, b"needle 1".to_vec())]
        );
        assert_eq!(found(b""), []);
        assert_eq!(found(b"needle"), []);
        assert_eq!(found(b"\nneedle\n"), [(1, b"needle".to_vec())]);
    }

    #[test]
    fn a_giant_line_is_stepped_over() {
        let mut content = b"needle 1\nneedle too long".to_vec();
        content.extend(std::iter::repeat_n(b'x', 3 * LINE_MAX));
        content.extend(b"needle\nneedle 2\n");
        let at = content.len() as u64 - 9;
        assert_eq!(
            found(&content),
            [(at, b"needle 2".to_vec()), (0, b"needle 1".to_vec())]
        );
    }

    #[test]
    fn a_search_ends_when_it_is_answered() {
        let mut seen = 0;
        backwards(&file(b"needle\nneedle\n"), 14, b"needle", |_, _| {
            seen += 1;
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(seen, 1);
        let content = b"needle 0\nneedle 1\nx\nneedle 2\n";
        let answer = first(&file(content), 9..content.len() as u64, b"needle", |line| {
            Some(line.to_vec())
        });
        assert_eq!(answer.unwrap(), Some(b"needle 1".to_vec()));
        assert_eq!(
            first(&file(content), 18..20, b"needle", |_| Some(())).unwrap(),
            None
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn both_directions_find_the_same_lines(
            lines in prop::collection::vec((any::<bool>(), 0_usize..150_000), 0..12),
            torn in 0_usize..300_000,
        ) {
            let mut content = Vec::new();
            for (is_hit, len) in &lines {
                content.extend(std::iter::repeat_n(b'y', *len));
                content.extend_from_slice(if *is_hit { b"needle\n" } else { b"\n" });
            }
            content.extend(std::iter::repeat_n(b'z', torn));
            let mut forwards = Vec::new();
            let len = content.len() as u64;
            crate::read::search(&file(&content), len, b"needle", |line| forwards.push(line.to_vec())).unwrap();
            forwards.reverse();
            let backwards = found(&content);
            for (at, line) in &backwards {
                let at = *at as usize;
                prop_assert_eq!(&content[at..at + line.len()], line.as_slice());
            }
            prop_assert_eq!(backwards.into_iter().map(|(_, line)| line).collect::<Vec<_>>(), forwards);
        }
    }
}
