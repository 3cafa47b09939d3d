//! The file that has all of what a gate printed, where a record has no room for it.
//!
//! A log that cannot be written is one warning: the outcome is worth more than its evidence. A log that nobody was told
//! of is removed again, so an interrupted gate leaves none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ledger::edge;
use ledger::log::reason;
use ledger::place::Home;
use ledger::time::Instant;

use super::log_name::{age, file_name};

/// How many logs of one gate are kept.
const KEPT: usize = 20;
/// Where logs lie in `.loop`.
const DIRECTORY: &str = "gates";
/// What is written to the file at once, in bytes.
const BLOCK: usize = 64 << 10;

/// Where the log is to be.
#[derive(Clone, Debug)]
pub enum Target {
    /// A file that somebody named.
    File(PathBuf),
    /// In the loop's own directory, for the gate of this name, begun at this time.
    Home(String, Instant),
}

/// The log of one run of a gate.
#[derive(Debug)]
pub struct Log {
    target: Target,
    directory: PathBuf,
    state: State,
}

#[derive(Debug)]
enum State {
    Untouched,
    Open(Open),
    Failed,
}

#[derive(Debug)]
struct Open {
    file: io::BufWriter<File>,
    path: PathBuf,
    /// What a record calls it; none outside `.loop`.
    name: Option<String>,
    is_new: bool,
}

impl Log {
    /// Names a log; `directory` is the one from which `.loop` is looked for. A file that somebody named is made at once,
    /// one in `.loop` when there is something to write.
    #[must_use]
    pub fn new(target: Target, directory: &Path) -> Log {
        let mut log = Log {
            target,
            directory: directory.to_owned(),
            state: State::Untouched,
        };
        if matches!(log.target, Target::File(_)) {
            log.begin(&[]);
        }
        log
    }

    /// Whether the file was begun, or could not be.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        !matches!(self.state, State::Untouched)
    }

    /// Makes the file, if it is not begun, and writes its beginning.
    pub fn begin(&mut self, head: &[u8]) {
        if self.is_begun() {
            return;
        }
        edge::outlive_file_limit();
        let opened = match &self.target {
            Target::File(path) => open_named(path, &self.directory),
            Target::Home(gate, at) => open_home(gate, *at, &self.directory),
        };
        match opened {
            Ok(open) => {
                self.state = State::Open(open);
                self.write(head);
            }
            Err(why) => {
                edge::warn(format!("cannot keep all of the output: {why}"));
                self.state = State::Failed;
            }
        }
    }

    /// Writes the next block.
    pub fn write(&mut self, block: &[u8]) {
        if let State::Open(open) = &mut self.state
            && let Err(error) = open.file.write_all(block)
        {
            self.fail(&error);
        }
    }

    /// Ends the log and keeps it; what a record calls it, if it is there and lies in `.loop`.
    #[must_use]
    pub fn keep(mut self) -> Option<String> {
        let State::Open(open) = &mut self.state else {
            return None;
        };
        if let Err(error) = open.file.flush() {
            self.fail(&error);
            return None;
        }
        let State::Open(open) = std::mem::replace(&mut self.state, State::Untouched) else {
            return None;
        };
        if let Target::Home(gate, _) = &self.target {
            rotate(&open.path, gate);
        }
        open.name
    }

    fn fail(&mut self, error: &io::Error) {
        if let State::Open(open) = std::mem::replace(&mut self.state, State::Failed) {
            edge::warn(format!(
                "cannot write all of the output to '{}': {}",
                open.path.display(),
                reason(error)
            ));
            open.discard();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let State::Open(open) = std::mem::replace(&mut self.state, State::Failed) {
            open.discard();
        }
    }
}

impl Open {
    /// Gives the file up, and removes it if it is ours alone.
    fn discard(self) {
        // Without this the buffer would be written once more, to no end.
        let _ = self.file.into_parts();
        if self.is_new {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open_named(path: &Path, directory: &Path) -> Result<Open, String> {
    let why = |error: &io::Error| format!("cannot write '{}': {}", path.display(), reason(error));
    let made = File::options().write(true).create_new(true).open(path);
    let (file, is_new) = match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            (File::create(path).map_err(|error| why(&error))?, false)
        }
        other => (other.map_err(|error| why(&error))?, true),
    };
    let inside = Home::find(directory).ok().and_then(|home| {
        let real = fs::canonicalize(path).ok()?;
        let below = real
            .strip_prefix(fs::canonicalize(&home.path).ok()?)
            .ok()?
            .to_str()?
            .to_owned();
        Some(format!(".loop/{below}")).filter(|name| home.file(name).is_some())
    });
    Ok(Open {
        file: io::BufWriter::with_capacity(BLOCK, file),
        path: path.to_owned(),
        name: inside,
        is_new,
    })
}

fn open_home(gate: &str, at: Instant, directory: &Path) -> Result<Open, String> {
    let home = Home::find(directory).map_err(|error| error.to_string())?;
    home.make(Path::new(DIRECTORY))
        .map_err(|error| error.to_string())?;
    for again in 0..1000 {
        let name = file_name(gate, at, again);
        let path = home.path.join(DIRECTORY).join(&name);
        match File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
        {
            Ok(file) => {
                let file = io::BufWriter::with_capacity(BLOCK, file);
                return Ok(Open {
                    file,
                    path,
                    name: Some(format!(".loop/{DIRECTORY}/{name}")),
                    is_new: true,
                });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(format!(
                    "cannot write '{}': {}",
                    path.display(),
                    reason(&error)
                ));
            }
        }
    }
    Err(format!("no free name for a log of {at}"))
}

/// Removes all but the newest logs of a gate; the one just written stays in any case.
fn rotate(written: &Path, gate: &str) {
    let Some(entries) = written
        .parent()
        .and_then(|directory| fs::read_dir(directory).ok())
    else {
        return;
    };
    let mut others: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path != written)
        .collect();
    others.retain(|path| name_of(path).is_some_and(|name| age(name, gate).is_some()));
    others.sort_by(|a, b| {
        name_of(b)
            .and_then(|name| age(name, gate))
            .cmp(&name_of(a).and_then(|name| age(name, gate)))
    });
    for old in others.iter().skip(KEPT - 1) {
        // Another run of the gate may have been faster.
        let _ = fs::remove_file(old);
    }
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}
