//! `cargo xtask dist`: what people install, in one archive: tools, man pages, completions, licences, README.

use std::fs;
use std::path::Path;
use std::process::Command;

use ledger::edge::{self, Answer, Failure};
use ledger::log::reason;

use crate::temp::{TempDir, make};
use crate::workspace::{self, Workspace};
use crate::{child, man, out};

const DOCUMENTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

pub(crate) fn dist(workspace: &Workspace) -> Result<Answer, Failure> {
    let static_triple = workspace::static_triple()?;
    let triple = if let Some(triple) = &static_triple {
        triple.clone()
    } else {
        let host = workspace::host()?;
        edge::say(&format!(
            "no target for static binaries ('rustup target add' brings musl): building for {host}"
        ));
        host
    };
    let tools = workspace.build("dist", static_triple.as_deref())?;

    let name = format!("looputils-{}-{triple}", workspace.version);
    let temp = TempDir::new("dist")?;
    let tree = temp.path().join(&name);
    make(&tree.join("bin"))?;
    for tool in &workspace.tools {
        copy(&tools.join(tool), &tree.join("bin").join(tool))?;
    }
    for document in DOCUMENTS
        .iter()
        .filter(|document| workspace.root.join(document).exists())
    {
        copy(&workspace.root.join(document), &tree.join(document))?;
    }
    man::write(&tree)?;

    let directory = workspace.target.join("dist");
    make(&directory)?;
    let archive = directory.join(format!("{name}.tar.gz"));
    pack(temp.path(), &name, &archive)?;
    report(workspace, &tools, &archive)?;
    Ok(Answer::Done)
}

/// Packs the same bytes from the same files: sorted, of nobody, without times of today.
fn pack(parent: &Path, name: &str, archive: &Path) -> Result<(), Failure> {
    let mut tar = Command::new("tar");
    tar.args([
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=@0",
        "--mode=u+rw,go=rX",
    ]);
    tar.args(["-I", "gzip -9n", "-C"])
        .arg(parent)
        .arg("-cf")
        .arg(archive)
        .arg(name);
    child::succeed(&mut tar)
}

fn report(workspace: &Workspace, tools: &Path, archive: &Path) -> Result<(), Failure> {
    for tool in &workspace.tools {
        out::line(&format!("{:>9}  {tool}", size(&tools.join(tool))?))?;
    }
    let sum = child::answer(Command::new("sha256sum").arg(archive))?;
    let sum = sum.split_whitespace().next().unwrap_or_default();
    out::line(&format!("{:>9}  {}", size(archive)?, archive.display()))?;
    out::line(&format!("   sha256  {sum}"))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let copied = fs::copy(from, to);
    copied.map(drop).map_err(|error| {
        Failure::failed(format!(
            "cannot copy '{}': {}",
            from.display(),
            reason(&error)
        ))
    })
}

fn size(path: &Path) -> Result<String, Failure> {
    let there = fs::metadata(path).map_err(|error| Failure::unreadable(path.display(), &error))?;
    Ok(human(there.len()))
}

/// A size for people: `2.1 MiB`.
fn human(bytes: u64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "shown with one digit after the point"
    )]
    let bytes = bytes as f64;
    if bytes < 1024.0 * 1024.0 {
        format!("{:.1} KiB", bytes / 1024.0)
    } else {
        format!("{:.1} MiB", bytes / 1024.0 / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(human(1536), "1.5 KiB");
        assert_eq!(human(2_202_010), "2.1 MiB");
    }
}
