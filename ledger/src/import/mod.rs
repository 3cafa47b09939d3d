//! The state of the earlier tools, as records of our kinds.
//!
//! Six kinds of files are known ([`Format`]): the loop journal, the iterations of a search, the table of experiments, the
//! log of tokens, the armed limit windows, and the position in a sequence of phases. Each line becomes one record, or a
//! reason why it cannot. Fields that are the same thing here get our names, all others stay under theirs; a name that
//! means something else here gets `source_` in front. Times and order are kept.
//!
//! Nothing is completed that the file does not say (no commit, no iteration, no action): what is imported is history.
//! What was imported before is known by its [`Key`], so that a file can be imported again when it has grown. That costs a
//! few bytes of memory a line, the one thing here that grows with the input.

mod detect;
mod fields;
mod iterations;
mod journal;
mod key;
mod limits;
mod phases;
mod results;
mod tokens;
mod when;

use std::collections::HashMap;

use crate::line::Line;
use crate::record::{Incoming, Kind};
use crate::time::Instant;

pub use detect::{Format, detect, run_named};
pub use key::{Key, Known};

use fields::{Fields, Record};

/// What is known of a file before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What the file is.
    pub format: Format,
    /// Its name, without directories.
    pub name: String,
    /// The run that its records belong to; none for the run without a name.
    pub run: Option<String>,
    /// When it was last written: for records that say no time and follow none that does.
    pub written: Instant,
}

/// A line as a record of ours, not numbered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What it is known by when it comes again; the record has it as its `id`.
    pub key: Key,
    /// The record.
    pub line: Line,
}

/// A file on its way into a ledger, first line to last.
#[derive(Debug)]
pub struct Import {
    origin: Origin,
    /// How often each line came, so that equal lines stay two.
    seen: HashMap<u64, u32>,
    last: Option<Instant>,
    stale_count: u64,
    columns: results::Columns,
    is_begun: bool,
}

impl Import {
    /// Begins a file.
    #[must_use]
    pub fn new(origin: Origin) -> Import {
        Import {
            origin,
            seen: HashMap::new(),
            last: None,
            stale_count: 0,
            columns: results::Columns::default(),
            is_begun: false,
        }
    }

    /// Takes the next line, or all of a file whose format is one value; none of what says nothing (an empty line, a heading).
    ///
    /// `is_torn` says that the file ends in this line without a `\n`.
    ///
    /// # Errors
    ///
    /// Why the line is no record of ours, for people.
    pub fn take(&mut self, bytes: &[u8], is_torn: bool) -> Result<Option<Imported>, String> {
        let mut bytes = bytes;
        if !std::mem::replace(&mut self.is_begun, true) {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        // Tabs count in a table: an empty last column ends in one.
        while let Some(rest) = bytes.strip_suffix(b"\r").or(bytes.strip_suffix(b"\n")) {
            bytes = rest;
        }
        let is_empty = bytes.trim_ascii().is_empty();
        if is_empty && self.origin.format != Format::Phases {
            return Ok(None);
        }
        let Some(mut record) = self.map(bytes, is_torn)? else {
            return Ok(None);
        };
        let key = self.key(bytes);
        record.set("id", &key.to_string());
        let time = record.time.or(self.last).unwrap_or(self.origin.written);
        self.last = record.time.or(self.last);
        let line = record.finish(time, self.origin.run.as_deref());
        let seen: Incoming<'_> = line.view().map_err(|error| error.to_string())?;
        seen.check().map_err(|error| error.to_string())?;
        Ok(Some(Imported { key, line }))
    }

    fn map(&mut self, bytes: &[u8], is_torn: bool) -> Result<Option<Record>, String> {
        let fields = || Fields::parse(bytes).map_err(|error| error.to_string());
        match self.origin.format {
            Format::Journal => journal::map(fields()?).map(Some),
            Format::Iterations => iterations::map(fields()?, &mut self.stale_count).map(Some),
            Format::Results => self.columns.map(bytes, is_torn),
            Format::Tokens => tokens::map(fields()?).map(Some),
            Format::Limits => limits::map(fields()?, &self.origin.name).map(Some),
            Format::Phases => phases::map(bytes, &self.origin.name).map(Some),
        }
    }

    /// The line by what it says, not by where it stands: a file that was cut or mended is still known.
    fn key(&mut self, bytes: &[u8]) -> Key {
        let name = if self.origin.format.is_one_value() {
            self.origin.name.as_str()
        } else {
            ""
        };
        let run = self.origin.run.as_deref().unwrap_or_default();
        let hash = key::hash(&[
            self.origin.format.as_str().as_bytes(),
            run.as_bytes(),
            name.as_bytes(),
            bytes.trim_ascii(),
        ]);
        let nth = self.seen.entry(hash).or_insert(0);
        *nth += 1;
        Key { hash, nth: *nth }
    }
}

/// The kind that the records of a format have.
#[must_use]
pub fn kind(format: Format) -> Kind {
    match format {
        Format::Journal => Kind::Attempt,
        Format::Iterations => Kind::Iteration,
        Format::Results => Kind::Experiment,
        Format::Tokens => Kind::Tokens,
        Format::Limits => Kind::Limit,
        Format::Phases => Kind::Phase,
    }
}

#[cfg(test)]
mod tests;
