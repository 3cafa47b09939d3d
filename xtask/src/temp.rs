//! Directories that are gone when nobody needs them any more.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ledger::edge::Failure;
use ledger::log::reason;

/// A directory of this process alone, removed with all that is in it when this value goes.
#[derive(Debug)]
pub(crate) struct TempDir {
    path: PathBuf,
    stays: bool,
}

impl TempDir {
    /// Makes `looputils-<purpose>-<number>` in the directory for temporary files.
    pub(crate) fn new(purpose: &str) -> Result<TempDir, Failure> {
        let parent = std::env::temp_dir();
        let names =
            (0..).map(|number| format!("looputils-{purpose}-{}-{number}", std::process::id()));
        for name in names {
            let path = parent.join(name);
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(TempDir { path, stays: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(Failure::failed(format!(
                        "cannot make '{}': {}",
                        path.display(),
                        reason(&error)
                    )));
                }
            }
        }
        Err(Failure::failed(
            "cannot make a directory: all names are taken",
        ))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the directory where it is.
    pub(crate) fn stay(&mut self) {
        self.stays = true;
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if !self.stays {
            // What cannot be removed lies where temporary files lie.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Writes a file, and names it if that fails.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| {
        Failure::failed(format!(
            "cannot write '{}': {}",
            path.display(),
            reason(&error)
        ))
    })
}

/// Makes a directory and those above it.
pub(crate) fn make(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| {
        Failure::failed(format!(
            "cannot make '{}': {}",
            path.display(),
            reason(&error)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_goes_unless_it_stays() {
        let gone = TempDir::new("test").unwrap().path().to_owned();
        assert!(!gone.exists());
        let mut stays = TempDir::new("test").unwrap();
        stays.stay();
        let path = stays.path().to_owned();
        drop(stays);
        assert!(path.exists());
        fs::remove_dir(path).unwrap();
    }
}
