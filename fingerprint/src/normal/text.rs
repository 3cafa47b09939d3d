//! A text to step through byte by byte, where every position outside it reads as zero.

/// Borrowed text with positions; no position is ever out of range.
#[derive(Clone, Copy)]
pub(super) struct Text<'t> {
    text: &'t str,
}

impl<'t> Text<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text }
    }

    pub(super) fn len(self) -> usize {
        self.text.len()
    }

    pub(super) fn at(self, index: usize) -> u8 {
        self.text.as_bytes().get(index).copied().unwrap_or(0)
    }

    /// The text between two positions; empty if they are no character boundaries.
    pub(super) fn part(self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or("")
    }

    pub(super) fn rest(self, start: usize) -> &'t str {
        self.text.get(start..).unwrap_or("")
    }

    /// The character before a position.
    pub(super) fn before(self, index: usize) -> Option<char> {
        self.text.get(..index)?.chars().next_back()
    }

    /// First position from `start` on whose byte does not fit.
    pub(super) fn skip(self, start: usize, fits: impl Fn(u8) -> bool) -> usize {
        let mut index = start;
        while index < self.len() && fits(self.at(index)) {
            index += 1;
        }
        index
    }

    /// The same, at most `most` bytes on.
    pub(super) fn skip_most(self, start: usize, most: usize, fits: impl Fn(u8) -> bool) -> usize {
        let mut index = start;
        while index < self.len() && index - start < most && fits(self.at(index)) {
            index += 1;
        }
        index
    }

    /// First position of the run that ends at `end`, at most `most` bytes back.
    pub(super) fn skip_back(self, end: usize, most: usize, fits: impl Fn(u8) -> bool) -> usize {
        let mut index = end;
        while index > 0 && end - index < most && fits(self.at(index - 1)) {
            index -= 1;
        }
        index
    }

    pub(super) fn digits(self, start: usize) -> usize {
        self.skip(start, |byte| byte.is_ascii_digit())
    }

    pub(super) fn word(self, start: usize) -> usize {
        self.skip(start, |byte| byte.is_ascii_alphanumeric())
    }

    /// Whether no letter or digit stands at a position.
    pub(super) fn ends(self, index: usize) -> bool {
        !self
            .rest(index)
            .chars()
            .next()
            .is_some_and(char::is_alphanumeric)
    }

    /// Whether no letter, digit or underscore stands before a position.
    pub(super) fn starts(self, index: usize) -> bool {
        !self
            .before(index)
            .is_some_and(|c| c.is_alphanumeric() || c == '_')
    }

    /// Whether the text fits a form: `0` stands for a digit, `x` for a hexadecimal digit, everything else for itself.
    pub(super) fn fits(self, start: usize, form: &str) -> bool {
        form.bytes().enumerate().all(|(index, wanted)| {
            let found = self.at(start + index);
            match wanted {
                b'0' => found.is_ascii_digit(),
                b'x' => found.is_ascii_hexdigit(),
                _ => found == wanted,
            }
        })
    }
}
