//! Where the programs are that tests run: the tools, and helpers such as strace.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The directory with the tools: `LOOPUTILS_BIN` if it is set, else they are built here, once a test process.
///
/// # Panics
///
/// If they cannot be built, or are not where the variable says.
#[must_use]
pub fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let Some(named) = std::env::var_os("LOOPUTILS_BIN") else {
            return build();
        };
        let named = PathBuf::from(named);
        named
            .canonicalize()
            .unwrap_or_else(|error| panic!("LOOPUTILS_BIN names '{}': {error}", named.display()))
    })
}

/// Builds the tools into the directory, and with the profile, that this test was built with.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    // …/target/debug/deps/it-0123456789abcdef
    let profile = test
        .ancestors()
        .nth(2)
        .expect("cargo puts tests into 'deps'");
    let target = profile
        .parent()
        .expect("a profile's directory lies in the target directory");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--workspace", "--bins", "--target-dir"])
        .arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo that ran this test can be run");
    assert!(status.success(), "the tools do not build");
    profile.to_owned()
}

/// The top of the workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("/"))
}

/// Whether a helper program is there; where it is not, says that the test is skipped, or fails it in CI.
///
/// # Panics
///
/// If the program is missing and `CI` is set.
#[must_use]
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|directory| directory.join(program).is_file());
    found || skip(&format!("{program} is not installed"))
}

/// Says that the rest of a test cannot run here; gives `false`.
///
/// # Panics
///
/// If `CI` is set: there, what is missing is an error.
#[must_use]
#[expect(
    clippy::print_stderr,
    reason = "the person who runs the tests must know what was left out"
)]
pub fn skip(why: &str) -> bool {
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci.is_empty()),
        "cannot be left out in CI: {why}"
    );
    let test = std::thread::current();
    eprintln!("skipped: {}: {why}", test.name().unwrap_or("a test"));
    false
}

/// Whether the tests run as root, who may change owners and mount.
#[must_use]
pub fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| {
        Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|id| id.stdout.trim_ascii() == b"0")
    })
}

/// The Python interpreter itself (what stands in `PATH` may be a script that needs another `HOME`); none if there is none.
#[must_use]
pub fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let asked = Command::new("python3")
            .args(["-c", "import sys; print(sys.executable)"])
            .output();
        let path = String::from_utf8(asked.ok()?.stdout).ok()?;
        Some(PathBuf::from(path.trim())).filter(|path| path.is_file())
    });
    if python.is_none() {
        let _ = skip("python3 is not installed");
    }
    python.as_deref()
}
