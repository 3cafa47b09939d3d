//! What git knows of the changes, read from its forms for programs: NUL between entries, no quoting, no colours.
//!
//! The repository's own configuration must neither run anything nor change an answer: an order file that is not there, for one,
//! would end every comparison.

use std::collections::BTreeMap;
use std::path::Path;

use crate::git::{Repository, git};
use crate::notes::folded;
use crate::record::SCHEMA;

use super::{Base, Changed, Commit, LIST_MAX, Since};

/// The full name of the commit that a revision names; none if git knows none.
#[must_use]
pub fn resolve(directory: &Path, revision: &str) -> Option<String> {
    let wanted = format!("{revision}^{{commit}}");
    let printed = git(
        directory,
        &["rev-parse", "--verify", "-q", "--end-of-options", &wanted],
    )?;
    text(&printed)
}

/// Whether the directory lies in a repository that git can be asked about.
#[must_use]
pub fn answers(directory: &Path) -> bool {
    Repository::find(directory).is_some()
        && git(directory, &["rev-parse", "--is-inside-work-tree"]).is_some()
}

/// Compares the repository of a directory with the first of the offered commits that it still has.
#[must_use]
pub fn since(directory: &Path, offered: Vec<Base>) -> Since {
    let mut since = Since {
        v: SCHEMA,
        kind: "since",
        ..Since::default()
    };
    let asked = offered.first().cloned();
    if !answers(directory) {
        since.base = asked;
        since.remark(match Repository::find(directory) {
            None => "not in a git repository",
            Some(_) => "git cannot be run, or refuses this repository",
        });
        return since;
    }
    since.head = resolve(directory, "HEAD");
    since.branch = git(directory, &["symbolic-ref", "-q", "--short", "HEAD"])
        .as_deref()
        .and_then(text);
    let found = offered.into_iter().find_map(|base| {
        let commit = resolve(directory, &base.commit)?;
        Some(Base { commit, ..base })
    });
    match (&since.head, &asked, found) {
        (None, ..) => since.remark("no commit yet: the work tree alone"),
        (Some(_), None, _) => since.remark("no attempt that names a commit: the work tree alone"),
        (Some(_), Some(gone), None) => since.remark(format!(
            "commit {} is gone from the repository: the work tree alone",
            short(&gone.commit)
        )),
        (Some(head), Some(gone), Some(base)) => {
            let head = head.clone();
            if !base.commit.starts_with(&gone.commit.to_ascii_lowercase()) {
                since.remark(format!(
                    "commit {} is gone from the repository: compared with {}, of an earlier attempt",
                    short(&gone.commit),
                    short(&base.commit)
                ));
            }
            since.compare(directory, &base.commit, &head);
            since.base = Some(base);
        }
    }
    since.base = since.base.take().or(asked);
    since.look_at_work_tree(directory);
    since
}

impl Since {
    fn remark(&mut self, what: impl Into<String>) {
        self.remarks.push(what.into());
    }

    /// What lies between two commits.
    fn compare(&mut self, directory: &Path, base: &str, head: &str) {
        let ancestor = git(directory, &["merge-base", base, head])
            .as_deref()
            .and_then(text);
        match &ancestor {
            Some(ancestor) if ancestor != base => self.remark(format!(
                "commit {} is not in the history of HEAD: commits since their common ancestor {}",
                short(base),
                short(ancestor)
            )),
            Some(_) => {}
            None => self.remark(format!(
                "commit {} has no common ancestor with HEAD: no commits are listed",
                short(base)
            )),
        }
        if ancestor.is_some() {
            let range = format!("{base}..{head}");
            let count = git(
                directory,
                &["rev-list", "--count", "--end-of-options", &range, "--"],
            );
            self.commits_total = count
                .as_deref()
                .and_then(text)
                .and_then(|count| count.parse().ok())
                .unwrap_or(0);
            self.commits = commits(directory, &range);
        }
        let printed = git(
            directory,
            &[
                "diff-tree",
                "-r",
                "-z",
                "-M",
                "--numstat",
                "--no-ext-diff",
                "--no-textconv",
                "--no-relative",
                "--end-of-options",
                base,
                head,
                "--",
            ],
        );
        let files = numstat(&printed.unwrap_or_default());
        self.files_total = files.len() as u64;
        self.files = files.into_iter().take(LIST_MAX).collect();
    }

    /// What is changed and not committed, and what git does not know.
    fn look_at_work_tree(&mut self, directory: &Path) {
        let printed = git(
            directory,
            &[
                "-c",
                "diff.orderFile=/dev/null",
                "status",
                "--porcelain=v2",
                "-z",
                "--untracked-files=normal",
                "--ignored=no",
                "--ignore-submodules=none",
                "--find-renames",
                "--no-ahead-behind",
            ],
        );
        let Some(printed) = printed else {
            self.remark("git cannot tell the state of the work tree");
            return;
        };
        let (mut changed, untracked) = status(&printed);
        if let Some(head) = &self.head {
            count_lines(directory, head, &mut changed);
        }
        self.work_tree_total = changed.len() as u64;
        self.work_tree = changed.into_iter().take(LIST_MAX).collect();
        self.untracked_total = untracked.len() as u64;
        self.untracked = untracked.into_iter().take(LIST_MAX).collect();
    }
}

/// The first digits of a commit's name.
#[must_use]
pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// The commits of a range, newest last; of too many the newest.
fn commits(directory: &Path, range: &str) -> Vec<Commit> {
    let max = format!("-n{LIST_MAX}");
    let printed = git(
        directory,
        &[
            "log",
            "-z",
            "--format=%H %s",
            "--encoding=UTF-8",
            "--no-show-signature",
            "--no-notes",
            "--no-patch",
            "--no-color",
            &max,
            "--end-of-options",
            range,
            "--",
        ],
    );
    let mut commits: Vec<Commit> = entries(&printed.unwrap_or_default())
        .filter_map(|entry| {
            let entry = String::from_utf8_lossy(entry);
            let (commit, subject) = entry.split_once(' ')?;
            Some(Commit {
                commit: commit.to_owned(),
                subject: folded(subject).unwrap_or_default(),
            })
        })
        .collect();
    commits.reverse();
    commits
}

/// Adds to changed files how many lines of them differ from a commit.
fn count_lines(directory: &Path, head: &str, changed: &mut [Changed]) {
    let printed = git(
        directory,
        &[
            "diff-index",
            "-z",
            "-M",
            "--numstat",
            "--no-ext-diff",
            "--no-textconv",
            "--no-relative",
            "--end-of-options",
            head,
            "--",
        ],
    );
    let counts: BTreeMap<String, Changed> = numstat(&printed.unwrap_or_default())
        .into_iter()
        .map(|counted| (counted.path.clone(), counted))
        .collect();
    for changed in changed {
        if let Some(counted) = counts.get(&changed.path) {
            changed.added = counted.added;
            changed.deleted = counted.deleted;
        }
    }
}

/// Reads `--numstat -z`: counts and path, and of a renamed file both paths as entries of their own.
fn numstat(printed: &[u8]) -> Vec<Changed> {
    let mut files = Vec::new();
    let mut entries = entries(printed);
    while let Some(entry) = entries.next() {
        let mut parts = entry.splitn(3, |byte| *byte == b'\t');
        let mut count = || {
            let digits = std::str::from_utf8(parts.next()?).ok()?;
            digits.parse::<u64>().ok()
        };
        let (added, deleted) = (count(), count());
        let Some(path) = parts.next() else { continue };
        let (from, path) = if path.is_empty() {
            (entries.next(), entries.next().unwrap_or_default())
        } else {
            (None, path)
        };
        files.push(Changed {
            path: lossy(path),
            from: from.map(lossy),
            added,
            deleted,
            ..Changed::default()
        });
    }
    files
}

/// Reads `git status --porcelain=v2 -z`: changed files, and those that are untracked.
fn status(printed: &[u8]) -> (Vec<Changed>, Vec<String>) {
    let (mut changed, mut untracked) = (Vec::new(), Vec::new());
    let mut entries = entries(printed);
    while let Some(entry) = entries.next() {
        let fields = match entry.first() {
            Some(b'?') => {
                untracked.extend(entry.get(2..).map(lossy));
                continue;
            }
            Some(b'1') => 9,
            Some(b'2') => 10,
            Some(b'u') => 11,
            _ => continue,
        };
        let parts: Vec<&[u8]> = entry.splitn(fields, |byte| *byte == b' ').collect();
        let from = (fields == 10).then(|| entries.next()).flatten();
        let (Some(state), Some(submodule), Some(path)) =
            (parts.get(1), parts.get(2), parts.get(fields - 1))
        else {
            continue;
        };
        let submodule = submodule
            .strip_prefix(b"S")
            .map(|state| lossy(state).replace('.', ""));
        changed.push(Changed {
            path: lossy(path),
            from: from.map(lossy),
            status: Some(lossy(state)),
            submodule,
            ..Changed::default()
        });
    }
    (changed, untracked)
}

/// The entries of output with a NUL behind or between them.
fn entries(printed: &[u8]) -> impl Iterator<Item = &[u8]> {
    let printed = printed.strip_suffix(b"\0").unwrap_or(printed);
    let is_empty = printed.is_empty();
    printed.split(|byte| *byte == 0).filter(move |_| !is_empty)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What git printed on one line; none if it printed nothing.
fn text(printed: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(printed).ok()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_with_anything_in_them_are_read() {
        let printed = b"1\t2\ta b\n\tc\0-\t-\tbin\x003\t0\t\0old\0new\0";
        let files = numstat(printed);
        let said: Vec<_> = files
            .iter()
            .map(|it| (it.path.as_str(), it.from.as_deref(), it.added, it.deleted))
            .collect();
        assert_eq!(
            said,
            [
                ("a b\n\tc", None, Some(1), Some(2)),
                ("bin", None, None, None),
                ("new", Some("old"), Some(3), Some(0)),
            ]
        );
    }

    #[test]
    fn every_kind_of_entry_is_read() {
        let printed = b"# branch.oid x\x001 .M N... 1 1 1 a b a b\n c\x002 R. N... 1 1 1 a b R100 new\0old\0u UU N... 1 1 1 1 a b c both\x001 .M S.MU 1 1 1 a b sub\0? \xff\n\0! x\0";
        let (changed, untracked) = status(printed);
        let said: Vec<_> = changed
            .iter()
            .map(|it| {
                (
                    it.path.as_str(),
                    it.from.as_deref(),
                    it.submodule.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("a b\n c", None, None),
                ("new", Some("old"), None),
                ("both", None, None),
                ("sub", None, Some("MU")),
            ]
        );
        assert_eq!(untracked, ["\u{fffd}\n"]);
    }

    proptest! {
        #[test]
        fn no_output_panics(bytes in prop::collection::vec(prop::sample::select(b"\0\t ?12uS.Ra\xff".to_vec()), 0..80)) {
            let _ = numstat(&bytes);
            let _ = status(&bytes);
        }
    }
}
