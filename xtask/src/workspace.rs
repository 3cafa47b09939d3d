//! The workspace: where it is, what is in it, and how its tools are built.

use std::path::{Path, PathBuf};
use std::process::Command;

use ledger::edge::Failure;
use serde_json::Value;

use crate::child;

/// What cargo says of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// Its top directory.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
    /// The version of the tools.
    pub(crate) version: String,
    /// The names of the tools, sorted.
    pub(crate) tools: Vec<String>,
    /// Each package and the Rust version it asks for.
    pub(crate) rust_versions: Vec<(String, Option<String>)>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> Result<Workspace, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or(Path::new("."));
        let mut metadata = cargo(root);
        metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
        let answer = child::answer(&mut metadata)?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| {
            Failure::failed(format!("cannot read what 'cargo metadata' says: {error}"))
        })?;
        Ok(Workspace::read(&answer))
    }

    fn read(metadata: &Value) -> Workspace {
        let text =
            |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let list = |value: &Value, name: &str| {
            value
                .get(name)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let defaults = list(metadata, "workspace_default_members");
        let packages = list(metadata, "packages");
        let installed: Vec<&Value> = packages
            .iter()
            .filter(|package| package.get("id").is_some_and(|id| defaults.contains(id)))
            .collect();
        let is_tool = |target: &Value| list(target, "kind").iter().any(|kind| kind == "bin");
        let mut tools: Vec<String> = installed
            .iter()
            .flat_map(|package| list(package, "targets"))
            .filter(is_tool)
            .filter_map(|target| text(&target, "name"))
            .collect();
        tools.sort();
        Workspace {
            root: text(metadata, "workspace_root").unwrap_or_default().into(),
            target: text(metadata, "target_directory")
                .unwrap_or_default()
                .into(),
            version: installed
                .first()
                .and_then(|package| text(package, "version"))
                .unwrap_or_default(),
            tools,
            rust_versions: packages
                .iter()
                .map(|package| {
                    (
                        text(package, "name").unwrap_or_default(),
                        text(package, "rust_version"),
                    )
                })
                .collect(),
        }
    }

    /// Cargo, at the top of the workspace.
    pub(crate) fn cargo(&self) -> Command {
        cargo(&self.root)
    }

    /// Builds the tools and gives the directory they are in.
    pub(crate) fn build(&self, profile: &str, triple: Option<&str>) -> Result<PathBuf, Failure> {
        let mut build = self.cargo();
        build.args(["build", "--bins", "--profile", profile]);
        let mut directory = self.target.clone();
        if let Some(triple) = triple {
            build.args(["--target", triple]);
            directory.push(triple);
        }
        child::succeed(&mut build)?;
        directory.push(if profile == "dev" { "debug" } else { profile });
        Ok(directory)
    }
}

/// The target of static binaries, if this toolchain can build for it.
pub(crate) fn static_triple() -> Result<Option<String>, Failure> {
    let host = host()?;
    let Some((architecture, _)) = host.split_once('-') else {
        return Ok(None);
    };
    let triple = format!("{architecture}-unknown-linux-musl");
    let directory = child::answer(Command::new(rustc()).args([
        "--print",
        "target-libdir",
        "--target",
        &triple,
    ]));
    Ok(directory
        .is_ok_and(|path| Path::new(path.trim()).is_dir())
        .then_some(triple))
}

/// The target of this machine.
pub(crate) fn host() -> Result<String, Failure> {
    let version = child::answer(Command::new(rustc()).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Failure::failed("rustc does not say what it builds for"))
}

fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    cargo.current_dir(root);
    cargo
}

fn rustc() -> std::ffi::OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_names_what_is_installed() {
        let workspace = Workspace::read(&serde_json::json!({
            "workspace_root": "/w", "target_directory": "/t", "workspace_default_members": ["a"],
            "packages": [
                {"id": "a", "name": "a", "version": "0.1.0", "rust_version": "1.95", "targets": [
                    {"name": "two", "kind": ["bin"]}, {"name": "a", "kind": ["lib"]}, {"name": "one", "kind": ["bin"]}]},
                {"id": "x", "name": "x", "version": "9.0.0", "rust_version": null, "targets": [{"name": "x", "kind": ["bin"]}]},
            ],
        }));
        assert_eq!(workspace.tools, ["one", "two"]);
        assert_eq!(workspace.version, "0.1.0");
        assert_eq!(
            workspace.rust_versions,
            [
                ("a".to_owned(), Some("1.95".to_owned())),
                ("x".to_owned(), None)
            ]
        );
    }
}
