//! What a line of an earlier tool is known by once it is in a ledger: the `id` of its record.

use std::collections::HashSet;
use std::fmt;
use std::io;

use sha1::{Digest, Sha1};

use crate::log::Tail;
use crate::read::Found;
use crate::record::Head;
use crate::seal;

const LEAD: &str = "import-";

/// A line by its content, and which of several equal ones it is, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The first 64 bits of the SHA-1 of what the line says.
    pub hash: u64,
    /// Which of the equal lines of its file.
    pub nth: u32,
}

impl Key {
    /// The key that an `id` of a record is; none if it is another kind of `id`.
    #[must_use]
    pub fn parse(id: &str) -> Option<Key> {
        let (hash, nth) = match id.strip_prefix(LEAD)?.split_once('-') {
            Some((hash, nth)) => (hash, nth.parse().ok().filter(|nth| *nth > 1)?),
            None => (id.strip_prefix(LEAD)?, 1),
        };
        let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let hash = is_hash.then(|| u64::from_str_radix(hash, 16).ok())??;
        Some(Key { hash, nth })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{LEAD}{:016x}", self.hash)?;
        if self.nth > 1 {
            write!(f, "-{}", self.nth)?;
        }
        Ok(())
    }
}

pub(super) fn hash(parts: &[&[u8]]) -> u64 {
    let mut sha = Sha1::new();
    for part in parts {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part);
    }
    sha.finalize()
        .iter()
        .take(8)
        .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// The keys that are in a ledger.
#[derive(Debug, Default)]
pub struct Known {
    keys: HashSet<Key>,
    /// The number of the newest record that was read; 0 before the first.
    read_to: u64,
}

impl Known {
    /// Reads what was appended since this was last called, sealed segments included.
    ///
    /// Once before the lock and again under it, so that other writers wait for the end of a ledger only.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn read(&mut self, tail: &Tail<'_>) -> io::Result<()> {
        let mut lines = tail.backwards()?;
        let finder = memchr::memmem::Finder::new(LEAD);
        let mut newest = None;
        while let Some(found) = lines.next()? {
            let Found::Line(line) = found else { continue };
            let is_ours = finder.find(line).is_some();
            // Where everything is read, other lines need no look: that of all of them is what takes time.
            if self.read_to == 0 && newest.is_some() && !is_ours {
                continue;
            }
            let Ok(seq) = seal::verify(line) else {
                continue;
            };
            if newest.is_none() && seq.is_some_and(|seq| seq < self.read_to) {
                // The numbers went back: it is another ledger now.
                *self = Known::default();
            }
            if seq.is_some_and(|seq| seq <= self.read_to) {
                break;
            }
            newest = newest.or(seq);
            if is_ours {
                let head = crate::line::view::<Head<'_>>(line);
                self.keys
                    .extend(head.ok().and_then(|head| Key::parse(head.id.as_deref()?)));
            }
        }
        self.read_to = newest.unwrap_or(self.read_to);
        Ok(())
    }

    /// Adds a key; says whether it is new.
    pub fn insert(&mut self, key: Key) -> bool {
        self.keys.insert(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_its_id() {
        for nth in [1, 2, 17] {
            let key = Key {
                hash: 0x00ab_cdef_0123_4567,
                nth,
            };
            assert_eq!(Key::parse(&key.to_string()), Some(key));
        }
        assert_eq!(
            Key { hash: 5, nth: 1 }.to_string(),
            "import-0000000000000005"
        );
        for id in [
            "",
            "import-",
            "import-5",
            "import-0000000000000005-1",
            "import-000000000000000x",
            "x",
        ] {
            assert_eq!(Key::parse(id), None, "{id}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    }
}
