//! Finds the lines that count, in blocks of any size.
//!
//! Raw bytes are searched for the signal words with one packed search over a lowered copy; only where it finds something
//! is a line looked at as text. Characters whose case is not ASCII's are searched for as well and decided on the text.

use std::collections::VecDeque;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use aho_corasick::packed::Searcher;

use super::name;
use super::python::{folded, is_line_end, is_space};

/// Lines with a signal word beyond these do not count.
const SIGNALS_MAX: usize = 20;
/// Lines that count where none has a signal word.
const TAIL_MAX: usize = 5;
/// Bytes that are lowered and searched at once: small enough for the cache.
const PIECE: usize = 64 * 1024;

/// Signal words; `failed` and `assertion` contain others of them.
const WORDS: [&str; 11] = [
    "error",
    "fail",
    "assert",
    "exception",
    "traceback",
    "panic",
    "fatal",
    "undefined",
    "not found",
    "cannot",
    "unexpected",
];
/// Signs that count as words.
const SIGNS: [&str; 3] = ["✗", "✘", "×"];
/// Characters that Python takes for an `i`, `s` or `k` when case does not matter.
const VARIANTS: [&str; 4] = ["İ", "ı", "ſ", "\u{212a}"];

/// A search over lowered bytes.
enum Search {
    Packed(Searcher),
    /// Where the machine has no vector instructions.
    Plain(AhoCorasick),
}

impl Search {
    fn new(patterns: &[&str]) -> Self {
        Searcher::new(patterns).map_or_else(
            || Self::Plain(AhoCorasick::new(patterns).expect("the patterns are few and short")),
            Self::Packed,
        )
    }

    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Packed(searcher) => searcher.find(bytes).map(|found| found.start()),
            Self::Plain(searcher) => searcher.find(bytes).map(|found| found.start()),
        }
    }
}

static ASCII: LazyLock<Search> = LazyLock::new(|| Search::new(&WORDS));
static ALL: LazyLock<Search> = LazyLock::new(|| {
    let patterns: Vec<&str> = WORDS.into_iter().chain(SIGNS).chain(VARIANTS).collect();
    Search::new(&patterns)
});

/// The fingerprint of the earlier loop journal over a stream of blocks; their sizes do not matter.
///
/// Bytes that are no UTF-8 count as replacement characters.
#[derive(Debug, Default)]
pub struct Scheme1 {
    signals: Vec<String>,
    tail: VecDeque<String>,
    /// The line that is not complete yet.
    open: Vec<u8>,
    lowered: Vec<u8>,
}

impl Scheme1 {
    /// Starts without input.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next block.
    pub fn push(&mut self, block: &[u8]) {
        if self.is_full() {
            return;
        }
        let Some(first) = memchr::memchr2(b'\n', b'\r', block)
            .filter(|_| !self.open.is_empty())
            .or_else(|| self.open.is_empty().then_some(0))
        else {
            self.open.extend_from_slice(block);
            return;
        };
        let (head, rest) = block.split_at_checked(first).unwrap_or((block, &[]));
        if !self.open.is_empty() {
            self.open.extend_from_slice(head);
            let line = std::mem::take(&mut self.open);
            self.whole_lines(&line);
        }
        let complete = memchr::memrchr2(b'\n', b'\r', rest).map_or(0, |end| end + 1);
        let (lines, open) = rest.split_at_checked(complete).unwrap_or((rest, &[]));
        self.whole_lines(lines);
        if !self.is_full() {
            self.open.extend_from_slice(open);
        }
    }

    /// Ends the input: 12 hexadecimal digits, or nothing if all of it was blank.
    #[must_use]
    pub fn finish(mut self) -> String {
        let line = std::mem::take(&mut self.open);
        self.whole_lines(&line);
        if self.signals.is_empty() {
            name(self.tail.make_contiguous())
        } else {
            name(&self.signals)
        }
    }

    /// Whether enough is known: nothing that follows changes the answer.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.signals.len() == SIGNALS_MAX
    }

    /// Takes bytes that begin and end with a line.
    fn whole_lines(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_full() {
            let piece = piece_of(rest);
            let (piece, after) = rest.split_at_checked(piece).unwrap_or((rest, &[]));
            self.search(piece);
            rest = after;
        }
        if self.signals.is_empty() {
            self.remember_tail(bytes);
        } else {
            self.tail.clear();
        }
    }

    /// Keeps the lines of a piece that have a signal word.
    fn search(&mut self, piece: &[u8]) {
        let mut lowered = std::mem::take(&mut self.lowered);
        lowered.clear();
        lowered.extend_from_slice(piece);
        lowered.make_ascii_lowercase();
        let search = if piece.is_ascii() { &ASCII } else { &ALL };
        let mut start = 0;
        while let Some(found) = lowered.get(start..).and_then(|rest| search.find(rest)) {
            let at = start + found;
            let before = piece.get(..at).unwrap_or_default();
            let line_start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |end| end + 1);
            let line_end = memchr::memchr2(b'\n', b'\r', piece.get(at..).unwrap_or_default())
                .map_or(piece.len(), |end| at + end);
            self.keep_signals(piece.get(line_start..line_end).unwrap_or_default());
            if self.is_full() {
                break;
            }
            start = line_end;
        }
        self.lowered = lowered;
    }

    fn keep_signals(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        for line in text.split(is_line_end) {
            if !self.is_full() && is_signal(line) {
                self.signals.push(line.to_owned());
            }
        }
    }

    /// Keeps the last lines that are not blank, looked for from the end.
    fn remember_tail(&mut self, bytes: &[u8]) {
        let mut newest: Vec<String> = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() && newest.len() < TAIL_MAX {
            let start = memchr::memrchr2(b'\n', b'\r', rest).map_or(0, |end| end + 1);
            let text = String::from_utf8_lossy(rest.get(start..).unwrap_or_default());
            newest.extend(
                text.rsplit(is_line_end)
                    .filter(|line| !line.chars().all(is_space))
                    .map(str::to_owned),
            );
            rest = rest.get(..start.saturating_sub(1)).unwrap_or_default();
        }
        newest.truncate(TAIL_MAX);
        self.tail.extend(newest.into_iter().rev());
        while self.tail.len() > TAIL_MAX {
            self.tail.pop_front();
        }
    }
}

/// Bytes up to the last line end in a piece, or to the first one after it.
fn piece_of(rest: &[u8]) -> usize {
    if rest.len() <= PIECE {
        return rest.len();
    }
    let (piece, after) = rest.split_at_checked(PIECE).unwrap_or((rest, &[]));
    let in_piece = memchr::memrchr2(b'\n', b'\r', piece).map(|end| end + 1);
    let later = || memchr::memchr2(b'\n', b'\r', after).map(|end| PIECE + end + 1);
    in_piece.or_else(later).unwrap_or(rest.len())
}

fn is_signal(line: &str) -> bool {
    let folded: String = line.chars().map(folded).collect();
    WORDS.iter().chain(&SIGNS).any(|word| folded.contains(word))
}
