//! Reading lines from a ledger or a stream, forwards and from the end, in bounded memory.
//!
//! Readers take no lock. A file ends, for them, at its last `\n`: what follows is a write in flight. A line longer than
//! [`LINE_MAX`] is reported by its length and never held in memory.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use memchr::{memchr, memmem, memrchr};

/// The longest line a reader takes into memory, in bytes.
pub const LINE_MAX: usize = 1 << 20;

const BLOCK: usize = 64 << 10;
const FIRST_BLOCK: usize = 16 << 10;

/// One line without its `\n`, or the length of one that is too long to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The bytes of the line.
    Line(&'a [u8]),
    /// The length of a line beyond [`LINE_MAX`], in bytes.
    TooLong(u64),
}

/// Lines of a file from its last complete one to its first.
#[derive(Debug)]
pub struct Backwards<'f> {
    file: &'f File,
    /// File offset of the first byte in `buffer`.
    start: u64,
    buffer: Vec<u8>,
    /// Where the unread part of `buffer` ends: just behind the `\n` of the next line to give.
    end: usize,
    torn: u64,
    block: usize,
}

impl<'f> Backwards<'f> {
    /// Begins at the end of the first `len` bytes of `file`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn new(file: &'f File, len: u64) -> io::Result<Backwards<'f>> {
        let mut lines = Backwards {
            file,
            start: len,
            buffer: Vec::new(),
            end: 0,
            torn: 0,
            block: FIRST_BLOCK,
        };
        // Everything behind the last newline is in flight or torn; it is stepped over without being kept.
        while lines.start > 0 {
            lines.fill()?;
            if let Some(at) = memrchr(b'\n', lines.unread()) {
                lines.end = at + 1;
                break;
            }
            lines.buffer.clear();
            lines.end = 0;
        }
        lines.torn = len - lines.offset();
        Ok(lines)
    }

    /// How many bytes follow the last `\n`.
    #[must_use]
    pub fn torn_bytes(&self) -> u64 {
        self.torn
    }

    /// Where the line given last begins, in bytes from the start of the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.start + self.end as u64
    }

    /// The line before the one given last.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    #[expect(
        clippy::should_implement_trait,
        reason = "it lends its buffer, which an Iterator cannot"
    )]
    pub fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        if self.offset() == 0 {
            return Ok(None);
        }
        let mut dropped = 0_u64;
        loop {
            let text_end = self.end.saturating_sub(usize::from(dropped == 0));
            let newline = memrchr(b'\n', self.buffer.get(..text_end).unwrap_or_default());
            let begins = newline.map(|at| at + 1).or((self.start == 0).then_some(0));
            if let Some(begin) = begins {
                self.end = begin;
                let len = dropped + (text_end - begin) as u64;
                if len > LINE_MAX as u64 {
                    return Ok(Some(Found::TooLong(len)));
                }
                return Ok(Some(Found::Line(
                    self.buffer.get(begin..text_end).unwrap_or_default(),
                )));
            }
            if dropped > 0 || text_end > LINE_MAX {
                dropped += text_end as u64;
                self.buffer.clear();
                self.end = 0;
            }
            self.fill()?;
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(..self.end).unwrap_or_default()
    }

    /// Puts the block before `start` in front of the unread bytes.
    fn fill(&mut self) -> io::Result<()> {
        let size = (self.block as u64).min(self.start) as usize;
        self.block = BLOCK;
        let mut block = vec![0; size + self.end];
        let (head, tail) = block.split_at_mut(size);
        self.file.read_exact_at(head, self.start - size as u64)?;
        tail.copy_from_slice(self.unread());
        self.start -= size as u64;
        self.end = block.len();
        self.buffer = block;
        Ok(())
    }
}

/// Lines of a stream, first to last.
#[derive(Debug)]
pub struct Forwards<R> {
    input: R,
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
    done: bool,
    line: u64,
    max: usize,
}

impl<R: Read> Forwards<R> {
    /// Reads lines of at most [`LINE_MAX`] bytes from `input`.
    pub fn new(input: R) -> Forwards<R> {
        Forwards::with_max(input, LINE_MAX)
    }

    /// Reads lines of at most `max` bytes from `input`.
    pub fn with_max(input: R, max: usize) -> Forwards<R> {
        Forwards {
            input,
            buffer: vec![0; BLOCK],
            begin: 0,
            end: 0,
            done: false,
            line: 0,
            max,
        }
    }

    /// The number of the line given last, counted from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether a whole line waits in memory, so that [`Forwards::next`] will not wait for input.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.done || memchr(b'\n', self.unread()).is_some()
    }

    /// The next line; the last one may lack its `\n`.
    ///
    /// # Errors
    ///
    /// If the stream cannot be read.
    #[expect(
        clippy::should_implement_trait,
        reason = "it lends its buffer, which an Iterator cannot"
    )]
    pub fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        let mut dropped = 0_u64;
        let mut searched = 0;
        loop {
            let unread = self.buffer.get(self.begin..self.end).unwrap_or_default();
            let newline =
                memchr(b'\n', unread.get(searched..).unwrap_or_default()).map(|at| at + searched);
            if newline.is_none() && !self.done {
                if unread.len() > self.max {
                    dropped += unread.len() as u64;
                    self.begin = self.end;
                }
                searched = self.end - self.begin;
                self.fill()?;
                continue;
            }
            let len = newline.unwrap_or(unread.len());
            if newline.is_none() && len == 0 && dropped == 0 {
                return Ok(None);
            }
            let begin = self.begin;
            self.begin += len + usize::from(newline.is_some());
            self.line += 1;
            let total = dropped + len as u64;
            if total > self.max as u64 {
                return Ok(Some(Found::TooLong(total)));
            }
            return Ok(Some(Found::Line(
                self.buffer.get(begin..begin + len).unwrap_or_default(),
            )));
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.begin..self.end).unwrap_or_default()
    }

    /// Reads once, as much as comes: for a caller that knows that something waits.
    ///
    /// # Errors
    ///
    /// If the stream cannot be read.
    pub fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let got = loop {
            match self.input.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += got;
        self.done = got == 0;
        Ok(())
    }
}

/// Gives every complete line that contains `needle` among the first `len` bytes of a file, first to last.
///
/// Lines without it cost no more than the search: nothing is split and nothing is parsed.
///
/// # Errors
///
/// If the file cannot be read.
pub fn search(file: &File, len: u64, needle: &[u8], mut hit: impl FnMut(&[u8])) -> io::Result<()> {
    const WINDOW: usize = 256 << 10;
    let finder = memmem::Finder::new(needle);
    let mut buffer = vec![0; WINDOW];
    let (mut offset, mut kept) = (0_u64, 0_usize);
    while offset < len {
        if kept == buffer.len() {
            buffer.resize((buffer.len() * 2).min(LINE_MAX + WINDOW), 0);
        }
        let room = buffer.get_mut(kept..).unwrap_or_default();
        let want = (room.len() as u64).min(len - offset) as usize;
        let room = room.get_mut(..want).unwrap_or_default();
        file.read_exact_at(room, offset)?;
        offset += want as u64;
        let filled = buffer.get(..kept + want).unwrap_or_default();
        let complete = memrchr(b'\n', filled).map_or(0, |at| at + 1);
        let mut from = 0;
        while let Some(at) = filled
            .get(from..complete)
            .and_then(|rest| finder.find(rest))
            .map(|at| at + from)
        {
            let begin = memrchr(b'\n', filled.get(..at).unwrap_or_default())
                .map_or(0, |newline| newline + 1);
            let end = memchr(b'\n', filled.get(at..).unwrap_or_default())
                .map_or(complete, |newline| at + newline);
            hit(filled.get(begin..end).unwrap_or_default());
            from = end + 1;
        }
        let rest = complete..kept + want;
        // The head of a line beyond the limit is dropped; what is left of it cannot parse, so it is no hit.
        kept = if rest.len() > LINE_MAX { 0 } else { rest.len() };
        buffer.copy_within(rest.end - kept..rest.end, 0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn file(content: &[u8]) -> File {
        let path = std::env::temp_dir().join(format!(
            "ledger-read-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        file.write_all(content).unwrap();
        std::fs::remove_file(path).unwrap();
        file
    }

    fn backwards(content: &[u8]) -> (Vec<Vec<u8>>, u64) {
        let file = file(content);
        let mut lines = Backwards::new(&file, content.len() as u64).unwrap();
        let torn = lines.torn_bytes();
        let mut all = Vec::new();
        while let Some(found) = lines.next().unwrap() {
            all.push(match found {
                Found::Line(line) => line.to_vec(),
                Found::TooLong(len) => format!("too long: {len}").into_bytes(),
            });
        }
        all.reverse();
        (all, torn)
    }

    fn forwards(content: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Forwards::new(content);
        let mut all = Vec::new();
        while let Some(found) = lines.next().unwrap() {
            all.push(match found {
                Found::Line(line) => line.to_vec(),
                Found::TooLong(len) => format!("too long: {len}").into_bytes(),
            });
        }
        all
    }

    #[test]
    fn an_unterminated_tail_is_in_flight() {
        assert_eq!(
            backwards(b"a\n\nbc\nto"),
            (vec![b"a".to_vec(), b"".to_vec(), b"bc".to_vec()], 2)
        );
        assert_eq!(backwards(b"torn"), (vec![], 4));
        assert_eq!(backwards(b""), (vec![], 0));
        assert_eq!(forwards(b"a\n\nbc\nto"), [&b"a"[..], b"", b"bc", b"to"]);
    }

    #[test]
    fn a_giant_line_is_only_measured() {
        for giant in [LINE_MAX, LINE_MAX + 1, 3 * LINE_MAX + 17] {
            let mut content = b"first\n".to_vec();
            content.extend(std::iter::repeat_n(b'x', giant));
            content.extend(b"\nlast\n");
            let middle = if giant > LINE_MAX {
                format!("too long: {giant}").into_bytes()
            } else {
                vec![b'x'; giant]
            };
            let expected = vec![b"first".to_vec(), middle, b"last".to_vec()];
            assert_eq!(backwards(&content), (expected.clone(), 0));
            assert_eq!(forwards(&content), expected);
        }
    }

    #[test]
    fn a_giant_tail_is_stepped_over() {
        let mut content = b"first\n".to_vec();
        content.extend(std::iter::repeat_n(b'x', 5 * LINE_MAX));
        assert_eq!(
            backwards(&content),
            (vec![b"first".to_vec()], 5 * LINE_MAX as u64)
        );
    }

    fn searched(content: &[u8], needle: &str) -> Vec<Vec<u8>> {
        let mut hits = Vec::new();
        search(
            &file(content),
            content.len() as u64,
            needle.as_bytes(),
            |line| hits.push(line.to_vec()),
        )
        .unwrap();
        hits
    }

    #[test]
    fn a_search_gives_each_complete_line_once() {
        assert_eq!(
            searched(b"ax\nbxx\nc\nxd\nx", "x"),
            [&b"ax"[..], b"bxx", b"xd"]
        );
        assert_eq!(searched(b"\n\n", "x"), [b""; 0]);
        let mut content = vec![b'y'; 3 * LINE_MAX];
        content.extend(b"x\nx1\n");
        assert_eq!(searched(&content, "x1"), [b"x1"]);
    }

    proptest! {
        #[test]
        fn a_search_misses_nothing_at_the_edge_of_a_block(
            lines in prop::collection::vec((any::<bool>(), 0_usize..90_000), 0..20)
        ) {
            let text = |(hit, len): &(bool, usize)| "y".repeat(*len) + if *hit { "needle" } else { "" };
            let lines: Vec<String> = lines.iter().map(text).collect();
            let content: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            let expected: Vec<Vec<u8>> =
                lines.iter().filter(|line| line.ends_with("needle")).map(|line| line.clone().into_bytes()).collect();
            prop_assert_eq!(searched(content.as_bytes(), "needle"), expected);
        }

        #[test]
        fn both_directions_give_the_same_lines(
            lines in prop::collection::vec((any::<u8>(), 0_usize..40_000), 0..12)
        ) {
            let lines: Vec<Vec<u8>> = lines
                .into_iter()
                .map(|(byte, len)| vec![if byte == b'\n' { 0 } else { byte }; len])
                .collect();
            let mut content = Vec::new();
            for line in &lines {
                content.extend_from_slice(line);
                content.push(b'\n');
            }
            prop_assert_eq!(&backwards(&content).0, &lines);
            prop_assert_eq!(&forwards(&content), &lines);
        }
    }
}
