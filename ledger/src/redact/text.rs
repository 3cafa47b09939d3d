//! What is seen from a trigger on: as far as the blocks that came, and judged as if all were there.

use super::class::Class;

/// More of the stream must be seen before this can be judged.
pub(super) struct More;

/// Where a secret lies, counted from its trigger.
pub(super) struct Secret {
    /// Where it begins, in bytes; what stands before is kept.
    pub(super) from: usize,
    /// How long it surely is.
    pub(super) len: usize,
    /// The bytes by which it goes on behind that.
    pub(super) and_on: Option<Class>,
}

/// What can be seen from a trigger.
pub(super) struct Text<'t> {
    /// The byte before the trigger.
    pub(super) before: Option<u8>,
    /// The trigger and what follows.
    pub(super) bytes: &'t [u8],
    /// The length of the trigger.
    pub(super) trigger: usize,
    /// Whether nothing follows `bytes`.
    pub(super) is_last: bool,
}

/// What a rule says of what it sees.
pub(super) type Judged = Result<Option<Secret>, More>;

impl Text<'_> {
    /// How many bytes of a class follow `from`, looking no further than `max`.
    pub(super) fn run(&self, from: usize, class: Class, max: usize) -> Result<usize, More> {
        let seen = self.bytes.get(from..).unwrap_or_default();
        let len = seen
            .iter()
            .take(max)
            .take_while(|byte| class(**byte))
            .count();
        if len == seen.len() && len < max && !self.is_last {
            Err(More)
        } else {
            Ok(len)
        }
    }

    /// The byte at `at`; none behind the end.
    pub(super) fn peek(&self, at: usize) -> Result<Option<u8>, More> {
        match self.bytes.get(at) {
            None if !self.is_last => Err(More),
            other => Ok(other.copied()),
        }
    }

    /// A secret of this class, if it is at least so long.
    pub(super) fn at_least(&self, min: usize, from: usize, class: Class) -> Judged {
        let len = self.run(from, class, min)?;
        Ok((len == min).then_some(Secret {
            from,
            len,
            and_on: Some(class),
        }))
    }

    pub(super) fn cut(&self, from: usize, len: usize) -> &[u8] {
        self.bytes
            .get(from..)
            .map_or(&[], |rest| rest.get(..len).unwrap_or(rest))
    }

    pub(super) fn has_digit(&self, from: usize, len: usize) -> bool {
        self.cut(from, len).iter().any(u8::is_ascii_digit)
    }
}
