//! The rows of the table, by what they are about.

pub(crate) mod logs;
pub(crate) mod record;
pub(crate) mod start;
pub(crate) mod tail;
pub(crate) mod writers;
