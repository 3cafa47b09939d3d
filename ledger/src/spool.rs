//! A stream as a file without a name, so that it can be read from its end.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

/// Copies a stream to a file without a name, in the directory for temporary files.
///
/// # Errors
///
/// If the stream cannot be read, or the directory has no room.
pub fn spool(mut stream: impl Read) -> io::Result<File> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("looputils-{}-{count}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    io::copy(&mut stream, &mut file)?;
    Ok(file)
}
