//! What changed since a recorded attempt: commits, files, work tree.
//!
//! [`base`] finds in a ledger which commit to compare with, [`repository`] asks git, and parses what it prints in its forms
//! for programs, [`show`] is the answer for people. What git cannot tell is a remark in the answer, never an error: a turn is
//! briefed with what is known.

pub mod base;
pub mod repository;
pub mod show;

use serde::Serialize;

/// How much of each list is kept, in entries; the totals count all.
pub const LIST_MAX: usize = 200;

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Since {
    /// Schema number.
    pub v: u32,
    /// `since`: an answer, not a record; a ledger does not take it.
    pub kind: &'static str,
    /// What is compared with; absent where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// The commit that is checked out; absent before the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The branch that is checked out; absent on a detached head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commits since, newest last; of more than 200 the newest.
    pub commits: Vec<Commit>,
    /// How many there are.
    pub commits_total: u64,
    /// The files in which the base and the head differ.
    pub files: Vec<Changed>,
    /// How many there are.
    pub files_total: u64,
    /// The files in which the work tree and the head differ.
    pub work_tree: Vec<Changed>,
    /// How many there are.
    pub work_tree_total: u64,
    /// Files, and directories that end in `/`, that git neither knows nor ignores.
    pub untracked: Vec<String>,
    /// How many there are.
    pub untracked_total: u64,
    /// What could not be found out, and what was done instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A commit to compare with, and where it is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Base {
    /// Its name, in full where git knows it.
    pub commit: String,
    /// The revision that was asked for; absent when a record names the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The number of the record that names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When that was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
    /// Which pass of the loop it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iteration: Option<i64>,
    /// What was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// One commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// Its name in full.
    pub commit: String,
    /// The first line of what it says.
    pub subject: String,
}

/// One file that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its path from the top of the work tree; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// Its path before it was renamed or copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// In the index and in the work tree, as `git status --porcelain=v2` writes it: `M.`, `.D`, `UU`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Of a submodule: another commit (`C`), changed files (`M`), untracked ones (`U`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submodule: Option<String>,
    /// How many lines were added; absent of a binary file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<u64>,
    /// How many lines were deleted; absent of a binary file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<u64>,
}
