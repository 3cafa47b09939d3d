//! What happened? The base of looputils: the record, the stream of records, the durable file of records, and the edge
//! of the process.
//!
//! Every tool reads and writes records, JSON objects one per line. [`record`] says what they are, [`line`](mod@line)
//! passes them on unharmed, [`log`](mod@log) appends them so that none is lost, [`read`] reads them from the end,
//! [`segments`] through what was sealed before, [`place`] says where they live, and [`edge`] is the only module that touches
//! the process. Verdicts, fingerprints and decisions are left to the crates that ask those questions.

pub mod args;
pub mod brief;
pub mod carry;
pub mod check;
pub mod crc;
pub mod draft;
pub mod edge;
pub mod follow;
pub mod git;
pub mod history;
pub mod import;
pub mod line;
pub mod log;
pub mod notes;
pub mod place;
pub mod read;
pub mod record;
pub mod redact;
pub mod seal;
pub mod search;
pub mod segments;
pub mod select;
pub mod show;
pub mod since;
pub mod spool;
pub mod text;
pub mod time;
