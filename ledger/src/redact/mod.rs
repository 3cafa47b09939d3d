//! Secrets, masked before anything keeps them.
//!
//! Text of commands ends up in ledgers, logs and reports, and now and then a token is in it. What looks like one is
//! replaced by `[redacted]`; the word that shows what it was (`ghp_`, `PASSWORD=`) stays. One pass over the bytes looks
//! for the literals that every rule begins with, so text without secrets costs little more than a copy; what follows a
//! literal is judged within a bounded distance, so a stream is held back by a few bytes, at a private key by 16 KiB.
//! The result does not depend on where the blocks of a stream end.
//!
//! Shapes are all that is known here: a password in plain words passes. Nothing that was masked can be recovered.

mod class;
mod rules;
mod shapes;
mod text;

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, Match, MatchKind, Span, packed};

use class::Class;
use rules::RULES;
use text::{More, Text};

/// What stands in the place of a secret.
pub const MASK: &str = "[redacted]";

static TRIGGERS: LazyLock<Triggers> = LazyLock::new(Triggers::build);

/// How the triggers are found.
enum Triggers {
    /// Many bytes at once; built in microseconds.
    Packed(packed::Searcher),
    /// Where the processor cannot do that.
    OneByOne(AhoCorasick),
}

impl Triggers {
    fn build() -> Triggers {
        let literals = RULES.iter().map(|(literal, _)| literal);
        if let Some(packed) = packed::Config::new()
            .builder()
            .extend(literals.clone())
            .build()
        {
            return Triggers::Packed(packed);
        }
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(literals);
        Triggers::OneByOne(built.expect("a few dozen short literals fit an automaton"))
    }

    /// The first trigger from `at` on.
    fn find(&self, text: &[u8], at: usize) -> Option<Match> {
        let span = Span::from(at..text.len());
        match self {
            Triggers::Packed(packed) => packed.find_in(text, span),
            Triggers::OneByOne(automaton) => automaton.find(Input::new(text).span(span)),
        }
    }
}

/// Bytes that are held back because a trigger could begin in them.
const HELD_BACK: usize = "uthorization".len() - 1;

/// Masks the secrets of a stream, block by block.
#[derive(Debug, Default)]
pub struct Redactor {
    /// What cannot be judged before more is seen.
    held: Vec<u8>,
    /// The byte before `held`.
    before: Option<u8>,
    /// The rest of a secret whose mask was written already.
    swallowed: Option<Class>,
}

impl Redactor {
    /// Begins a stream.
    #[must_use]
    pub fn new() -> Redactor {
        Redactor::default()
    }

    /// Takes the next bytes and appends what is ready to `out`.
    pub fn push(&mut self, block: &[u8], out: &mut Vec<u8>) {
        if self.held.is_empty() {
            let done = self.scan(block, false, out);
            self.held
                .extend_from_slice(block.get(done..).unwrap_or_default());
        } else {
            let mut text = std::mem::take(&mut self.held);
            text.extend_from_slice(block);
            let done = self.scan(&text, false, out);
            text.drain(..done);
            self.held = text;
        }
    }

    /// Ends the stream and appends what was held back to `out`.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let text = std::mem::take(&mut self.held);
        self.scan(&text, true, out);
    }

    /// Judges as much of `text` as can be judged; says how much that is.
    fn scan(&mut self, text: &[u8], is_last: bool, out: &mut Vec<u8>) -> usize {
        let done = self.mask(text, is_last, out);
        self.before = done
            .checked_sub(1)
            .and_then(|at| text.get(at))
            .copied()
            .or(self.before);
        done
    }

    fn mask(&mut self, text: &[u8], is_last: bool, out: &mut Vec<u8>) -> usize {
        let cut = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        // What lies between `kept` and `at` was judged and is kept, but not written yet.
        let (mut kept, mut at) = (0, 0);
        loop {
            if let Some(class) = self.swallowed {
                at += cut(at, text.len())
                    .iter()
                    .take_while(|byte| class(**byte))
                    .count();
                kept = at;
                if at == text.len() {
                    return at;
                }
                self.swallowed = None;
            }
            let Some(found) = TRIGGERS.find(text, at) else {
                let end = if is_last {
                    text.len()
                } else {
                    text.len().saturating_sub(HELD_BACK).max(at)
                };
                out.extend_from_slice(cut(kept, end));
                return end;
            };
            let start = found.start();
            let before = start
                .checked_sub(1)
                .and_then(|last| text.get(last))
                .copied()
                .or(self.before);
            let rule = RULES.get(found.pattern().as_usize()).map(|(_, rule)| rule);
            let seen = Text {
                before,
                bytes: cut(start, text.len()),
                trigger: found.len(),
                is_last,
            };
            match rule.map_or(Ok(None), |rule| rule.judge(&seen)) {
                Err(More) => {
                    out.extend_from_slice(cut(kept, start));
                    return start;
                }
                Ok(None) => at = start + 1,
                Ok(Some(secret)) => {
                    out.extend_from_slice(cut(kept, start + secret.from));
                    out.extend_from_slice(MASK.as_bytes());
                    at = start + secret.from + secret.len;
                    kept = at;
                    self.swallowed = secret.and_on;
                }
            }
        }
    }
}

/// Masks the secrets in a text.
///
/// ```
/// # use ledger::redact::redact;
/// assert_eq!(redact("export DB_PASSWORD=hunter2 now"), "export DB_PASSWORD=[redacted] now");
/// ```
///
/// # Panics
///
/// Never: a mask begins and ends at ASCII bytes, so the text around it stays UTF-8.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    if TRIGGERS.find(text.as_bytes(), 0).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut redactor = Redactor::new();
    redactor.push(text.as_bytes(), &mut out);
    redactor.finish(&mut out);
    Cow::Owned(String::from_utf8(out).expect("masks begin and end at ASCII bytes"))
}

#[cfg(test)]
mod tests;
