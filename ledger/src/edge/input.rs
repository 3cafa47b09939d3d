//! Standard input, and ledgers for reading.

use std::fs::File;
use std::io::{self, IsTerminal, Stdin};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Failure, directory, say, variable};
use crate::place::{Place, Source, Wanted};
use crate::read::{Backwards, Forwards};
use crate::segments::{self, Whole};
use crate::spool::spool;

/// The flags that say which ledger and which run.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct LedgerArgs {
    /// The ledger; where it is only read, '-' reads one from stdin (`LOOP_LEDGER`) [default: the run's, in .loop]
    #[arg(long, value_name = "PATH", help_heading = "Ledger")]
    pub ledger: Option<String>,
    /// The run: labels what is written, selects what is read (`LOOP_RUN`)
    #[arg(long, value_name = "NAME", help_heading = "Ledger")]
    pub run: Option<String>,
}

impl LedgerArgs {
    /// Finds the place that flags and environment name.
    ///
    /// # Errors
    ///
    /// If a run's name cannot be one, or `.loop` is not ours to use.
    pub fn place(&self) -> Result<Place, Failure> {
        let wanted = Wanted {
            ledger: self.ledger.clone().or_else(|| variable("LOOP_LEDGER")),
            run: self.run.clone().or_else(|| variable("LOOP_RUN")),
            directory: directory()?,
        };
        Place::find(&wanted).map_err(|error| match error {
            crate::place::PlaceError::Run(why) => Failure::Usage(why),
            other => Failure::failed(other),
        })
    }
}

/// A ledger open for reading: everything it held when it was opened.
#[derive(Debug)]
pub struct LedgerFile {
    /// The file.
    pub file: File,
    /// Its length when it was opened, in bytes; what is written later is not seen.
    pub len: u64,
    /// Its name in messages.
    pub name: String,
    /// Where it is, and beside it what was sealed; none for standard input.
    pub path: Option<PathBuf>,
}

impl LedgerFile {
    /// Its lines, last one first.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn backwards(&self) -> Result<Backwards<'_>, Failure> {
        self.whole()
            .backwards()
            .map_err(|error| Failure::unreadable(&self.name, &error))
    }

    /// It and the sealed segments before it, as one ledger.
    #[must_use]
    pub fn whole(&self) -> Whole<'_> {
        Whole::new(&self.file, self.len).with_segments_of(self.path.as_deref())
    }
}

/// Opens the ledger of a place for reading; none if there is none yet.
///
/// # Errors
///
/// If it is there and cannot be read.
pub fn open_ledger(place: &Place) -> Result<Option<LedgerFile>, Failure> {
    let Some(path) = place.path() else {
        let file = spool(io::stdin().lock()).map_err(|error| Failure::unreadable("-", &error))?;
        return with_length(file, "-", None).map(Some);
    };
    let name = path.display().to_string();
    let opened = match (&place.source, path.symlink_metadata()) {
        // A link inside the loop's own directory could lead anywhere.
        (Source::Home(..), Ok(there)) if there.is_symlink() => {
            return Err(Failure::failed(format!("'{name}' is a link")));
        }
        _ => open_file(&path),
    };
    match opened {
        Ok(file) => with_length(file, &name, Some(path)).map(Some),
        // A rotation was killed, or is being done: all there is has been sealed.
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_sealed(&path) => {
            let nothing =
                File::open("/dev/null").map_err(|error| Failure::unreadable(&name, &error))?;
            with_length(nothing, &name, Some(path)).map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if place.named {
                say(&format!("no ledger at '{name}' yet"));
            }
            Ok(None)
        }
        Err(error) => Err(Failure::unreadable(&name, &error)),
    }
}

/// Opens the other ledgers beside that of a place, each with its run; what cannot be read is told and left out.
///
/// A ledger that somebody named stands for itself: there are no others beside it.
#[must_use]
pub fn open_others(place: &Place) -> Vec<(String, LedgerFile)> {
    let Source::Home(home, _) = &place.source else {
        return Vec::new();
    };
    let own = place.path();
    let mut others = Vec::new();
    for path in home.ledgers() {
        if Some(&path) == own.as_ref() {
            continue;
        }
        let name = path.display().to_string();
        let is_run = path.parent() != Some(home.path.as_path());
        let run = match path.file_stem() {
            Some(run) if is_run => run.to_string_lossy().into_owned(),
            _ => String::new(),
        };
        let opened = open_file(&path).map_err(|error| Failure::unreadable(&name, &error));
        match opened.and_then(|file| with_length(file, &name, Some(path))) {
            Ok(file) => others.push((run, file)),
            Err(Failure::Failed(why)) => super::warn(why),
            Err(_) => {}
        }
    }
    others
}

fn open_file(path: &Path) -> io::Result<File> {
    // Opening a FIFO for reading would wait for a writer.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    match file.metadata()? {
        there if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        there if !there.is_file() => Err(io::Error::other("not a regular file")),
        _ => Ok(file),
    }
}

fn is_sealed(path: &Path) -> bool {
    segments::list(path).is_ok_and(|sealed| !sealed.is_empty())
}

fn with_length(file: File, name: &str, path: Option<PathBuf>) -> Result<LedgerFile, Failure> {
    let len = file
        .metadata()
        .map_err(|error| Failure::unreadable(name, &error))?
        .len();
    Ok(LedgerFile {
        file,
        len,
        name: name.to_owned(),
        path,
    })
}

/// The lines of standard input.
#[must_use]
pub fn stdin() -> Forwards<Stdin> {
    Forwards::new(io::stdin())
}

/// Whether a person sits at standard input.
#[must_use]
pub fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Whether standard input has something to read right now, its end included.
#[must_use]
pub fn input_waits() -> bool {
    let stdin = io::stdin();
    let mut wanted = [PollFd::new(&stdin, PollFlags::IN)];
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
