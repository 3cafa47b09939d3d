//! What it costs to start a tool, and to run all four.

use ledger::edge::Failure;

use crate::bench::lab::{Lab, seconds};
use crate::bench::measure::Pairs;
use crate::bench::table::{Line, Target};
use crate::child;

const TOOLS: [&str; 4] = ["lgate", "lfp", "lrecord", "lstall"];

/// `--version` of every tool.
pub(crate) fn start(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let target = Target::AtMost(if lab.is_static { 0.5 } else { 1.6 });
    TOOLS
        .into_iter()
        .map(|tool| {
            let ours = || {
                let mut command = lab.tool(tool);
                command.arg("--version");
                seconds(command)
            };
            let pairs = Pairs::measure(lab.size(201, 41), ours, || {
                seconds(lab.command("/bin/true"))
            })?;
            Ok(pairs.times(&format!("{tool} --version"), "/bin/true", target))
        })
        .collect()
}

/// The whole chain, outside and inside a repository.
pub(crate) fn chain(lab: &Lab) -> Result<Vec<Line>, Failure> {
    const CHAIN: &str = "lgate -- true | lfp | lrecord >/dev/null && lstall >/dev/null";
    const RIVAL: &str = "true | cat | cat >>f; sync -d f";
    let count = lab.size(61, 11);
    let rival = || seconds(lab.shell(RIVAL));
    let pairs = Pairs::measure(count, || seconds(lab.shell(CHAIN)), rival)?;
    let mut lines = vec![
        pairs.times(
            "lgate -- true | lfp | lrecord && lstall",
            RIVAL,
            Target::AtMost(2.0),
        ),
        Line::skipped(
            "lgate -- true | lfp | lrecord && lstall",
            "the same with Python",
            "there is no such chain here",
        ),
    ];

    let made = lab.shell(
        "mkdir tree && cd tree && git init -q && seq 200 | while read -r n; do echo $n >file$n; done && git add . &&
         git -c user.name=b -c user.email=b@localhost -c commit.gpgSign=false commit -q -m files",
    );
    if child::run(&mut { made })?.success() {
        let inside = format!("cd tree && {CHAIN}");
        let pairs = Pairs::measure(count, || seconds(lab.shell(&inside)), rival)?;
        lines.push(pairs.times("the same in a work tree of 200 files", RIVAL, Target::None));
        let inside = format!("cd tree && {}", CHAIN.replace("lgate", "lgate --no-tree"));
        let pairs = Pairs::measure(count, || seconds(lab.shell(&inside)), rival)?;
        lines.push(pairs.times("the same with --no-tree", RIVAL, Target::None));
    }
    Ok(lines)
}
