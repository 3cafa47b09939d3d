//! Signals: noticed by tools that have something to finish, and the default death of all others.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

/// SIGINT, SIGTERM and SIGHUP as something to wait for, together with the end of children.
#[derive(Debug)]
pub struct Interrupts {
    wake: UnixStream,
    caught: Arc<AtomicUsize>,
}

impl Interrupts {
    /// Begins to catch them. A signal that this process was started to ignore (`nohup`) stays ignored.
    ///
    /// # Errors
    ///
    /// If the system has no descriptors left.
    pub fn watch() -> io::Result<Interrupts> {
        let (wake, waker) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let caught = Arc::new(AtomicUsize::new(0));
        let ignored = ignored_signals();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if ignored >> (signal - 1) & 1 == 0 {
                signal_hook::flag::register_usize(
                    signal,
                    Arc::clone(&caught),
                    signal.unsigned_abs() as usize,
                )?;
                signal_hook::low_level::pipe::register(signal, waker.try_clone()?)?;
            }
        }
        signal_hook::low_level::pipe::register(SIGCHLD, waker)?;
        Ok(Interrupts { wake, caught })
    }

    /// The last signal caught that asks for an end.
    #[must_use]
    pub fn caught(&self) -> Option<i32> {
        i32::try_from(self.caught.load(Ordering::SeqCst))
            .ok()
            .filter(|signal| *signal != 0)
    }

    /// Becomes readable when a signal was caught or a child ended.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Forgets what made [`Interrupts::as_fd`] readable.
    pub fn drain(&mut self) {
        let mut sink = [0; 64];
        while matches!(self.wake.read(&mut sink), Ok(1..)) {}
    }
}

/// Makes a file that grows beyond the limit of its size an error of the write, not the end of this process.
pub fn outlive_file_limit() {
    // A handler, unlike an ignored signal, is not inherited by commands; without one the write is fatal as before.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// The signals that this process was started to ignore, a bit each, signal 1 lowest.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// Ends this process by the signal, as if it had never been caught.
#[must_use]
pub fn die_by(signal: i32) -> ExitCode {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    // Only reached for a signal whose default is not death.
    ExitCode::from(128_u8.wrapping_add(signal.unsigned_abs() as u8))
}
