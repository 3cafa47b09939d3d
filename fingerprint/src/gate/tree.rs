//! One hash of everything that a gate checks: HEAD, index, work tree and untracked files.
//!
//! Two attempts with the same hash checked the same thing. Git says what differs from HEAD (`git status`, its second
//! porcelain format), so only the files that differ are read. Ignored files do not count, nor does what the loop itself
//! writes: `.loop`, the ledger, the log of the gate.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use ledger::git::{Repository, git};
use rustix::fs::OFlags;
use sha1::{Digest, Sha1};

/// How deep repositories in repositories are followed.
const DEPTH_MAX: usize = 8;
const BLOCK: usize = 64 << 10;

/// Hashes the state of a work tree, but for the `excluded` files; 40 hexadecimal digits, none if git cannot say it.
#[must_use]
pub fn hash(repository: &Repository, excluded: &[PathBuf]) -> Option<String> {
    let excluded: Vec<PathBuf> = excluded.iter().filter_map(|path| real(path)).collect();
    hash_tree(repository, &excluded, DEPTH_MAX).map(|digest| hex(&digest))
}

/// The bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn hash_tree(repository: &Repository, excluded: &[PathBuf], depth: usize) -> Option<[u8; 20]> {
    let arguments = [
        "status",
        "--porcelain=v2",
        "-z",
        "--untracked-files=all",
        "--no-renames",
    ];
    let status = git(&repository.work_tree, &arguments)?;
    let top = fs::canonicalize(&repository.work_tree).ok()?;
    let mut all = Sha1::new();
    add(&mut all, repository.head().unwrap_or_default().as_bytes());
    for entry in status.split(|byte| *byte == 0).filter_map(Entry::parse) {
        let relative = Path::new(OsStr::from_bytes(entry.path));
        let path = top.join(relative);
        let is_own = relative
            .components()
            .any(|part| part == Component::Normal(OsStr::new(".loop")));
        if is_own || excluded.contains(&path) {
            continue;
        }
        // The line has the objects and modes of HEAD and index; what lies in the work tree is read.
        add(&mut all, entry.line);
        if entry.differs {
            add(&mut all, &content(&path, excluded, depth));
        }
    }
    Some(all.finalize().into())
}

/// One entry of `git status --porcelain=v2`.
#[derive(Debug, PartialEq, Eq)]
struct Entry<'s> {
    line: &'s [u8],
    path: &'s [u8],
    /// Whether the file in the work tree is not the one in the index.
    differs: bool,
}

impl<'s> Entry<'s> {
    fn parse(line: &'s [u8]) -> Option<Entry<'s>> {
        // How many fields stand before the path, which may have spaces in it.
        let fields = match line.first()? {
            b'1' => 8,
            b'u' => 10,
            b'?' => 1,
            _ => return None,
        };
        let path = line.splitn(fields + 1, |byte| *byte == b' ').nth(fields)?;
        let differs = line.first() != Some(&b'1') || line.get(3) != Some(&b'.');
        Some(Entry {
            line,
            path,
            differs,
        })
    }
}

/// The digest of what lies at a path, its kind included.
fn content(path: &Path, excluded: &[PathBuf], depth: usize) -> [u8; 20] {
    let mut digest = Sha1::new();
    match fs::symlink_metadata(path) {
        Err(_) => add(&mut digest, b"nothing"),
        Ok(there) if there.is_symlink() => {
            add(&mut digest, b"link");
            add(
                &mut digest,
                fs::read_link(path)
                    .unwrap_or_default()
                    .as_os_str()
                    .as_bytes(),
            );
        }
        // A repository of its own: a submodule, or one that git does not track.
        Ok(there) if there.is_dir() => {
            add(&mut digest, b"tree");
            let inner = Repository::find(path).filter(|inner| depth > 0 && inner.work_tree == path);
            add(
                &mut digest,
                &inner
                    .and_then(|inner| hash_tree(&inner, excluded, depth - 1))
                    .unwrap_or_default(),
            );
        }
        Ok(there) => {
            add(
                &mut digest,
                if there.mode() & 0o100 == 0 {
                    b"file"
                } else {
                    b"tool"
                },
            );
            if hash_file(path, &mut digest).is_err() {
                add(
                    &mut digest,
                    format!("unreadable, {} bytes", there.len()).as_bytes(),
                );
            }
        }
    }
    digest.finalize().into()
}

/// Adds bytes with their length in front, so that no two lists of them look alike.
fn add(digest: &mut Sha1, bytes: &[u8]) {
    digest.update((bytes.len() as u64).to_le_bytes());
    digest.update(bytes);
}

/// Streams a file into the digest; what is no regular file is never waited for.
fn hash_file(path: &Path, digest: &mut Sha1) -> io::Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut file = File::options().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(len) => digest.update(block.get(..len).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The path with the links of its directory followed, but not of its last part: as git lists it.
fn real(path: &Path) -> Option<PathBuf> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    Some(fs::canonicalize(directory).ok()?.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8], expected: Option<(&[u8], bool)>) {
        assert_eq!(
            Entry::parse(line).map(|entry| (entry.path, entry.differs)),
            expected
        );
    }

    #[test]
    fn paths_are_taken_as_they_are() {
        let fields = b"N... 100644 100644 100644 0123 4567";
        let line = |xy: &[u8], path: &[u8]| [b"1 ", xy, b" ", fields, b" ", path].concat();
        check(&line(b".M", b"a b\n\"c\xff"), Some((b"a b\n\"c\xff", true)));
        check(&line(b"M.", b"x"), Some((b"x", false)));
        check(&line(b".D", b"x"), Some((b"x", true)));
        check(b"? new file", Some((b"new file", true)));
        check(b"u UU N... 1 2 3 4 a b c both", Some((b"both", true)));
        check(b"# branch.oid 0123", None);
        check(b"", None);
        check(b"1 .M", None);
    }
}
