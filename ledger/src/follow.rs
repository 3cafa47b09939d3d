//! What is appended to a ledger, as it comes: through rotations and repairs, and from before there is a ledger.
//!
//! A file is read to its end before the next one is begun. Which one is next is told by names and numbers: the segment that
//! joins the one that was read, else the ledger's own file, there behind the record that was given last, if it has it.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use memchr::{memchr, memrchr};
use rustix::fs::OFlags;

use crate::read::{Backwards, Found, LINE_MAX};
use crate::seal;
use crate::segments::{self, Segment};

const BLOCK: usize = 256 << 10;

/// Someone who reads what is appended.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    follow_links: bool,
    file: Option<File>,
    /// Behind the last complete line that was given.
    offset: u64,
    /// The last number of the file, where it is a sealed segment.
    sealed_to: Option<u64>,
    /// The last verified record that was given.
    last: Option<(u64, Vec<u8>)>,
    /// Whether the rest of a line that is too long to hold is being passed over.
    in_giant: bool,
}

impl Follower {
    /// Follows the ledger at `path` from its first line, which it may not have yet.
    #[must_use]
    pub fn new(path: &Path, follow_links: bool) -> Follower {
        Follower {
            path: path.to_owned(),
            follow_links,
            file: None,
            offset: 0,
            sealed_to: None,
            last: None,
            in_giant: false,
        }
    }

    /// Follows a ledger from behind the first `offset` bytes of a file that is, or was, its own.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn from(path: &Path, follow_links: bool, file: File, offset: u64) -> io::Result<Follower> {
        let mut lines = Backwards::new(&file, offset)?;
        let mut last = None;
        while let Some(found) = lines.next()? {
            if let Some(known) = verified(found) {
                last = Some(known);
                break;
            }
        }
        Ok(Follower {
            file: Some(file),
            offset,
            last,
            ..Follower::new(path, follow_links)
        })
    }

    /// Follows a ledger that has sealed segments and no file of its own, from behind the newest of them.
    #[must_use]
    pub fn behind(path: &Path, follow_links: bool, newest: &Segment) -> Follower {
        Follower {
            sealed_to: Some(newest.last),
            ..Follower::new(path, follow_links)
        }
    }

    /// Adds what was appended, as whole lines, to `text`, a part of it at a time; says whether there may be more at once.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn read(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        if self.file.is_none() && !self.go_on()? {
            return Ok(false);
        }
        if self.more(text)? {
            return Ok(true);
        }
        let Some(file) = &self.file else {
            return Ok(false);
        };
        let own = file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(there) if is_same(&there, &own) => {
                if there.len() < self.offset {
                    // Somebody cut it.
                    self.offset = self.known_to(&there)?;
                    return Ok(there.len() > self.offset);
                }
                Ok(false)
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => {
                // What was written between the last look and the new name: nobody writes to it any more.
                if self.more(text)? {
                    return Ok(true);
                }
                self.go_on()
            }
        }
    }

    /// Goes on in the next file, if there is one yet.
    fn go_on(&mut self) -> io::Result<bool> {
        if let Some(next) = self.next_segment()? {
            match next.text() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                text => {
                    self.file = Some(text?.0);
                    self.offset = 0;
                    self.sealed_to = Some(next.last);
                    self.in_giant = false;
                    return Ok(true);
                }
            }
        }
        let mut flags = OFlags::CLOEXEC | OFlags::NONBLOCK;
        if !self.follow_links {
            flags |= OFlags::NOFOLLOW;
        }
        let opened = File::options()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(&self.path);
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other?,
        };
        let there = file.metadata()?;
        if !there.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        self.file = Some(file);
        self.sealed_to = None;
        self.in_giant = false;
        self.offset = self.known_to(&there)?;
        Ok(true)
    }

    /// The segment that comes behind the file that was read.
    fn next_segment(&self) -> io::Result<Option<Segment>> {
        let all = segments::list(&self.path)?;
        let own = self.file.as_ref().map(File::metadata).transpose()?;
        let is_own = |segment: &&Segment| {
            let there = fs::symlink_metadata(&segment.path);
            own.as_ref()
                .is_some_and(|own| there.is_ok_and(|there| is_same(&there, own)))
        };
        let sealed_to = self
            .sealed_to
            .or_else(|| all.iter().find(is_own).map(|own| own.last));
        let behind = match (sealed_to, &self.last) {
            (Some(last), _) => last,
            // It was packed since, or has lost its name: its numbers tell.
            (None, Some((seq, _))) => *seq,
            (None, None) => return Ok(None),
        };
        Ok(all.into_iter().find(|segment| {
            segment.first > behind && (segment.first == behind + 1 || sealed_to.is_none())
        }))
    }

    /// Where in the new file to go on: behind the record that was given last, if it is there, else at its beginning.
    fn known_to(&self, there: &Metadata) -> io::Result<u64> {
        let (Some(file), Some((last, text))) = (&self.file, &self.last) else {
            return Ok(0);
        };
        let mut lines = Backwards::new(file, there.len())?;
        let mut end = there.len() - lines.torn_bytes();
        while let Some(found) = lines.next()? {
            if let Some((seq, line)) = verified(found)
                && seq <= *last
            {
                return Ok(if line == *text { end } else { 0 });
            }
            end = lines.offset();
        }
        Ok(0)
    }

    /// Takes the complete lines of the next block.
    fn more(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        let Some(file) = &self.file else {
            return Ok(false);
        };
        let mut block = vec![0; BLOCK];
        loop {
            let got = match file.read_at(&mut block, self.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let read = block.get(..got).unwrap_or_default();
            if self.in_giant {
                let Some(at) = memchr(b'\n', read) else {
                    self.offset += got as u64;
                    return Ok(got > 0);
                };
                self.offset += at as u64 + 1;
                self.in_giant = false;
                // It was a line, and a damaged one.
                text.extend_from_slice(b"\0\n");
                return Ok(true);
            }
            if let Some(at) = memrchr(b'\n', read) {
                let lines = read.get(..=at).unwrap_or_default();
                self.offset += lines.len() as u64;
                let mut verified = lines.rsplit(|byte| *byte == b'\n').filter_map(|line| {
                    let seq = seal::verify(line).ok().flatten()?;
                    Some((seq, line.to_vec()))
                });
                if let Some(known) = verified.next() {
                    self.last = Some(known);
                }
                text.extend_from_slice(lines);
                return Ok(true);
            }
            if got < block.len() {
                return Ok(false);
            }
            if block.len() > LINE_MAX {
                self.in_giant = true;
            } else {
                block.resize(block.len() * 2, 0);
            }
        }
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn verified(found: Found<'_>) -> Option<(u64, Vec<u8>)> {
    match found {
        Found::Line(line) => Some((seal::verify(line).ok().flatten()?, line.to_vec())),
        Found::TooLong(_) => None,
    }
}
