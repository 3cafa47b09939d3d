//! What a git repository says about itself in its files: where its work tree ends, which commit is checked out.
//!
//! Reading them costs microseconds where starting git costs milliseconds. What the files do not tell plainly
//! (references in another store than files) is left to git itself, by [`git`].

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A repository and the work tree that a directory lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The top of the work tree.
    pub work_tree: PathBuf,
    /// The directory with `HEAD` and `index` of this work tree.
    pub git_dir: PathBuf,
    /// The directory with what all work trees share.
    pub common_dir: PathBuf,
    /// The name of the work tree if it is a linked one (`git worktree add`).
    pub linked: Option<String>,
}

impl Repository {
    /// Finds the repository whose work tree `directory` lies in.
    #[must_use]
    pub fn find(directory: &Path) -> Option<Repository> {
        directory.ancestors().find_map(Repository::at)
    }

    fn at(work_tree: &Path) -> Option<Repository> {
        let entry = work_tree.join(".git");
        let git_dir = if fs::metadata(&entry).ok()?.is_dir() {
            entry
        } else {
            let text = fs::read_to_string(&entry).ok()?;
            work_tree.join(text.strip_prefix("gitdir:")?.trim())
        };
        if !git_dir.join("HEAD").is_file() {
            return None;
        }
        let work_tree = work_tree.to_owned();
        let Ok(common) = fs::read_to_string(git_dir.join("commondir")) else {
            return Some(Repository {
                work_tree,
                common_dir: git_dir.clone(),
                git_dir,
                linked: None,
            });
        };
        let linked = git_dir
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Some(Repository {
            work_tree,
            common_dir: git_dir.join(common.trim()),
            git_dir,
            linked,
        })
    }

    /// The top of the main work tree, if there is one: of a linked work tree, the one it was made from.
    #[must_use]
    pub fn main_work_tree(&self) -> Option<PathBuf> {
        if self.linked.is_none() {
            return Some(self.work_tree.clone());
        }
        let common = fs::canonicalize(&self.common_dir).ok()?;
        (common.file_name() == Some(OsStr::new(".git")))
            .then(|| common.parent().map(Path::to_owned))?
    }

    /// The commit that is checked out, as hexadecimal digits; none before the first commit.
    #[must_use]
    pub fn head(&self) -> Option<String> {
        let head = fs::read_to_string(self.git_dir.join("HEAD")).ok()?;
        let Some(name) = head.trim().strip_prefix("ref: ") else {
            return commit(&head);
        };
        let name = name.trim();
        if name == "refs/heads/.invalid" {
            // This marks a repository whose references are not files.
            return commit(
                &String::from_utf8(git(
                    &self.work_tree,
                    &["rev-parse", "--verify", "-q", "HEAD"],
                )?)
                .ok()?,
            );
        }
        // A loose reference hides a packed one of the same name.
        let loose = [&self.git_dir, &self.common_dir]
            .into_iter()
            .find_map(|dir| fs::read_to_string(dir.join(name)).ok());
        if let Some(found) = loose.as_deref().and_then(commit) {
            return Some(found);
        }
        let packed = fs::read_to_string(self.common_dir.join("packed-refs")).ok()?;
        packed.lines().find_map(|line| {
            let (id, packed_name) = line.split_once(' ')?;
            (packed_name == name).then(|| commit(id))?
        })
    }
}

/// The subject of a commit; none if the repository does not know it.
#[must_use]
pub fn subject(directory: &Path, id: &str) -> Option<String> {
    let id = commit(id)?;
    let printed = git(
        directory,
        &[
            "log",
            "-1",
            "--format=%s",
            "--no-show-signature",
            "--end-of-options",
            &id,
            "--",
        ],
    )?;
    crate::notes::folded(&String::from_utf8_lossy(&printed))
}

/// Runs git in `directory` without the repository's hooks, monitors and locks, and gives what it printed; none if it
/// cannot be run or fails.
#[must_use]
pub fn git(directory: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("git")
        .args([
            "--no-optional-locks",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_TERMINAL_PROMPT", "0")
        // What a partial clone lacks is not fetched: these tools use no network.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then_some(output.stdout)
}

fn commit(text: &str) -> Option<String> {
    let text = text.trim();
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex && matches!(text.len(), 40 | 64)).then(|| text.to_owned())
}
