//! What a command prints, shown on stderr while it runs, without ever waiting for whoever reads it there.
//!
//! A pager that nobody scrolls would otherwise hold up the tool: no limit on time would end the command, no signal the
//! tool. So what stderr does not take at once is kept until it does, and the caller stops reading meanwhile.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags};

/// How much a pipe takes without waiting when it is writable at all (`PIPE_BUF`).
const SURE: usize = 4096;

/// Shows foreign output on stderr.
#[derive(Debug)]
pub struct Live {
    /// Where to write, found on first use; none where nothing is shown.
    out: Option<Out>,
    stderr: io::Stderr,
    is_on: bool,
    waiting: Vec<u8>,
}

#[derive(Debug)]
enum Out {
    /// The same pipe or terminal, opened once more: only so can it be told not to wait, for others share stderr.
    Own(File),
    /// A file, which never makes anybody wait.
    Plain,
    /// What cannot be opened again, in pieces that are sure to fit.
    Careful,
}

impl Live {
    /// Shows what it gets.
    #[must_use]
    pub fn on() -> Live {
        Live {
            out: None,
            stderr: io::stderr(),
            is_on: true,
            waiting: Vec::new(),
        }
    }

    /// Shows nothing.
    #[must_use]
    pub fn off() -> Live {
        Live {
            is_on: false,
            ..Live::on()
        }
    }

    /// Shows a block, as much as stderr takes now; the rest waits. A stderr without a reader ends it.
    pub fn show(&mut self, block: &[u8]) {
        if !self.is_on {
            return;
        }
        if !self.waiting.is_empty() {
            self.waiting.extend_from_slice(block);
            return;
        }
        let written = self.write(block);
        self.waiting
            .extend_from_slice(block.get(written..).unwrap_or_default());
    }

    /// Whether something waits for stderr to take it.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Shows what waits, as far as stderr takes it now.
    pub fn go_on(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let written = self.write(&waiting);
        if self.is_on {
            self.waiting = waiting;
            self.waiting.drain(..written);
        }
    }

    /// Becomes writable when [`Live::go_on`] can go on.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.out {
            Some(Out::Own(file)) => file.as_fd(),
            _ => self.stderr.as_fd(),
        }
    }

    /// How many of the bytes stderr took.
    fn write(&mut self, bytes: &[u8]) -> usize {
        let out = self.out.get_or_insert_with(|| open(&self.stderr));
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            let result = match out {
                Out::Own(file) => file.write(rest),
                Out::Plain => self.stderr.write(rest),
                Out::Careful if is_writable(&self.stderr) => {
                    self.stderr.write(rest.get(..SURE).unwrap_or(rest))
                }
                Out::Careful => return written,
            };
            match result {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.is_on = false;
                    return bytes.len();
                }
            }
        }
        written
    }
}

fn open(stderr: &io::Stderr) -> Out {
    let kind = rustix::fs::fstat(stderr).map(|there| FileType::from_raw_mode(there.st_mode));
    if kind == Ok(FileType::RegularFile) {
        return Out::Plain;
    }
    if !matches!(kind, Ok(FileType::Fifo | FileType::CharacterDevice)) {
        return Out::Careful;
    }
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let opened = File::options()
        .write(true)
        .custom_flags(flags)
        .open("/proc/self/fd/2");
    opened.map_or(Out::Careful, Out::Own)
}

fn is_writable(stderr: &io::Stderr) -> bool {
    let mut wanted = [PollFd::new(stderr, PollFlags::OUT)];
    matches!(
        poll(
            &mut wanted,
            Some(&Timespec {
                tv_sec: 0,
                tv_nsec: 0
            })
        ),
        Ok(1..)
    )
}
