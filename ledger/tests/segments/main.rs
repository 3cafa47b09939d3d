//! A ledger in several files: sealed, read through, followed, checked and repaired, as the real tools do it.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

mod crash;
mod follow;
mod log;
mod place;
mod rotate;
mod verify;
