//! The beginning and the end of a stream, kept in bounded memory, and their text for a record.
//!
//! A record has room for [`INLINE_MAX`] bytes of output, counted as JSON, where a control character takes six. Longer
//! output is cut in its middle: what went wrong first stands at the beginning, the summary at the end.

use std::collections::VecDeque;

/// How much output a record carries, in bytes of JSON text.
pub const INLINE_MAX: usize = 16 << 10;
/// The part of it for the beginning of output that is cut, in bytes of JSON text; the rest, but for the line between, is
/// for the end.
const HEAD_MAX: usize = 6 << 10;
const TAIL_MAX: usize = INLINE_MAX - HEAD_MAX - 128;
/// How far a cut is moved to stand between lines, in bytes.
const LINE_NEAR: usize = 512;

/// The beginning and the end of a stream.
#[derive(Debug, Default)]
pub struct Keep {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
}

impl Keep {
    /// Begins with nothing.
    #[must_use]
    pub fn new() -> Keep {
        Keep::default()
    }

    /// Takes what still belongs to the beginning; gives back the rest.
    pub fn push_head<'b>(&mut self, block: &'b [u8]) -> &'b [u8] {
        let (head, rest) = block.split_at(block.len().min(INLINE_MAX - self.head.len()));
        self.head.extend_from_slice(head);
        self.total += head.len() as u64;
        rest
    }

    /// Takes the next block.
    pub fn push(&mut self, block: &[u8]) {
        let rest = self.push_head(block);
        self.total += rest.len() as u64;
        let last = rest
            .get(rest.len().saturating_sub(INLINE_MAX)..)
            .unwrap_or(rest);
        let over = (self.tail.len() + last.len()).saturating_sub(INLINE_MAX);
        self.tail.drain(..over.min(self.tail.len()));
        self.tail.extend(last);
    }

    /// The beginning; all of it while the stream is no longer than [`INLINE_MAX`].
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether a record can carry all of the stream.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.total == self.head.len() as u64 && json_len(&self.head) <= INLINE_MAX
    }

    /// The text for a record: all of it, or the beginning and the end around a line that says how much is missing.
    #[must_use]
    pub fn text(self) -> String {
        if self.is_short() {
            return String::from_utf8_lossy(&self.head).into_owned();
        }
        // The end may begin within the head.
        let shared = self.head.len().min(INLINE_MAX - self.tail.len());
        let tail = self
            .head
            .iter()
            .skip(self.head.len() - shared)
            .copied()
            .chain(self.tail);
        let tail: Vec<u8> = tail.collect();
        let head = beginning(&self.head);
        let tail = end(&tail);
        let missing = self.total - (head.len() + tail.len()) as u64;
        let newline = if head.ends_with(b"\n") { "" } else { "\n" };
        let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
        format!("{head}{newline}[lgate: {missing} bytes left out]\n{tail}")
    }
}

/// The first bytes that fit, to the end of a line where one is near.
fn beginning(bytes: &[u8]) -> &[u8] {
    let mut room = HEAD_MAX;
    let mut len = 0;
    for (bytes, json) in pieces(bytes) {
        match room.checked_sub(json) {
            Some(left) => room = left,
            None => break,
        }
        len += bytes;
    }
    let fitting = bytes.get(..len).unwrap_or_default();
    match memchr::memrchr(b'\n', fitting) {
        Some(at) if len - at <= LINE_NEAR => fitting.get(..=at).unwrap_or_default(),
        _ => fitting,
    }
}

/// The last bytes that fit, from the beginning of a line where one is near.
fn end(bytes: &[u8]) -> &[u8] {
    let pieces: Vec<(usize, usize)> = pieces(bytes).collect();
    let mut room = TAIL_MAX;
    let mut len = 0;
    for (bytes, json) in pieces.into_iter().rev() {
        match room.checked_sub(json) {
            Some(left) => room = left,
            None => break,
        }
        len += bytes;
    }
    let fitting = bytes.get(bytes.len() - len..).unwrap_or_default();
    match memchr::memchr(b'\n', fitting) {
        Some(at) if at < LINE_NEAR => fitting.get(at + 1..).unwrap_or_default(),
        _ => fitting,
    }
}

/// The characters and the invalid runs between them: their length, and their length as JSON text.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let invalid = chunk.invalid().len();
        let replaced = (invalid > 0).then_some((invalid, char::REPLACEMENT_CHARACTER.len_utf8()));
        chunk
            .valid()
            .chars()
            .map(|c| (c.len_utf8(), json_char_len(c)))
            .chain(replaced)
    })
}

/// The length of bytes as JSON text, invalid UTF-8 replaced, without the quotes.
fn json_len(bytes: &[u8]) -> usize {
    pieces(bytes).map(|(_, json)| json).sum()
}

/// The length of a character as `serde_json` writes it.
#[must_use]
pub fn json_char_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept<'b>(blocks: impl IntoIterator<Item = &'b [u8]>) -> Keep {
        let mut keep = Keep::new();
        for block in blocks {
            keep.push(block);
        }
        keep
    }

    fn missing(text: &str) -> usize {
        let line = text.split("\n[lgate: ").nth(1).unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    }

    #[test]
    fn short_output_is_kept_whole() {
        for output in [
            &b""[..],
            b"a\xff\nb",
            &[b'x'; INLINE_MAX],
            &[b'\n'; INLINE_MAX / 2],
        ] {
            let keep = kept([output]);
            assert!(keep.is_short());
            assert_eq!(keep.text(), String::from_utf8_lossy(output));
        }
    }

    #[test]
    fn what_is_long_as_json_is_cut() {
        for output in [
            vec![b'x'; INLINE_MAX + 1],
            vec![b'\n'; INLINE_MAX / 2 + 1],
            vec![0x1b; INLINE_MAX / 6 + 1],
        ] {
            assert!(!kept([&output[..]]).is_short());
            assert!(kept([&output[..]]).text().contains("[lgate: "));
        }
    }

    #[test]
    fn cuts_stand_between_lines() {
        let lines: Vec<String> = (0..5000)
            .map(|line| {
                format!(
                    "line {line}
"
                )
            })
            .collect();
        let text = kept([lines.concat().as_bytes()]).text();
        assert!(text.starts_with("line 0\n") && text.ends_with("line 4999\n"));
        assert!(
            text.lines()
                .all(|line| line.starts_with("line ") || line.starts_with("[lgate: "))
        );
    }

    proptest! {
        #[test]
        fn head_and_tail_are_the_same_however_it_comes(
            unit in prop::collection::vec(any::<u8>(), 1..60),
            times in 1_usize..2000,
            block in 1_usize..40_000,
        ) {
            let output = unit.repeat(times);
            let text = kept([&output[..]]).text();
            prop_assert_eq!(&kept(output.chunks(block)).text(), &text);
            prop_assert!(serde_json::to_string(&text).unwrap().len() <= INLINE_MAX + 2);
            prop_assert_eq!(json_len(text.as_bytes()) + 2, serde_json::to_string(&text).unwrap().len());
            if !kept([&output[..]]).is_short() {
                let head = beginning(&output[..output.len().min(INLINE_MAX)]);
                let tail = end(&output[output.len().saturating_sub(INLINE_MAX)..]);
                prop_assert!(output.starts_with(head) && output.ends_with(tail));
                prop_assert_eq!(missing(&text), output.len() - head.len() - tail.len());
            }
        }
    }
}
