//! What the documents show works as they show it.
//!
//! Every fenced block of README.md and docs/*.md that is marked `console` is replayed by one `sh`, in a directory of its
//! own. A line that begins with `$ ` is a command, and `> ` goes on with it; `? N` below says that it ends with N, where
//! that is not 0; what follows is what it prints, stdout and stderr as they come. `[..]` stands for any text in a line,
//! `...` for any lines. What a command sets or where it goes holds to the end of its block. Commands that are not to be
//! replayed stand in blocks of another mark.
//!
//! The directory is a git repository with one commit, 'begin', and a small project: `make test` runs `test.sh`, one of
//! whose two checks of `sum.sh` fails ('not ok 2 - subtracts'), and passes once `sum.sh` knows how to subtract.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use snapbox::{Assert, IntoData};
use tests::{Sandbox, programs};

/// One command of a block, with what it should do.
#[derive(Debug, Default, PartialEq, Eq)]
struct Step {
    line: usize,
    command: String,
    code: i32,
    output: String,
}

/// The console blocks of a document, each as its steps.
fn blocks(text: &str) -> Vec<Vec<Step>> {
    let mut blocks: Vec<Vec<Step>> = Vec::new();
    let (mut is_inside, mut is_console) = (false, false);
    for (line, text) in (1..).zip(text.lines()) {
        if let Some(mark) = text.trim_start().strip_prefix("```") {
            is_console = !is_inside && mark.trim() == "console";
            is_inside = !is_inside;
            if is_console {
                blocks.push(Vec::new());
            }
            continue;
        }
        let (true, Some(steps)) = (is_console, blocks.last_mut()) else {
            continue;
        };
        if let Some(command) = text.strip_prefix("$ ") {
            steps.push(Step {
                line,
                command: command.to_owned(),
                ..Step::default()
            });
            continue;
        }
        let Some(step) = steps.last_mut() else {
            panic!("line {line}: a console block begins with a command: {text}");
        };
        match (text.strip_prefix("> "), text.strip_prefix("? ")) {
            (Some(more), _) if step.output.is_empty() => {
                let _ = write!(step.command, "\n{more}");
            }
            (_, Some(code)) if step.output.is_empty() => {
                step.code = code
                    .trim()
                    .parse()
                    .unwrap_or_else(|_| panic!("line {line}: no status: {text}"));
            }
            _ => {
                let _ = writeln!(step.output, "{text}");
            }
        }
    }
    blocks.retain(|steps| !steps.is_empty());
    blocks
}

/// The directory that a block finds.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("Makefile", "test:\n\t@sh ./test.sh\n");
    sandbox.write("sum.sh", "echo $(($1 + $3))\n");
    sandbox.write(
        "test.sh",
        "status=0\ncheck() {\n    got=$(sh ./sum.sh $3)\n    if test \"$got\" = \"$4\"; then echo \"ok $1 - $2\"; else echo \"not ok $1 - $2\"; echo \"# expected $4, got $got\"; status=1; fi\n}\necho 1..2\ncheck 1 adds '2 + 3' 5\ncheck 2 subtracts '2 - 3' -1\nexit $status\n",
    );
    sandbox.write("PROMPT.md", "Make the tests pass.\n");
    sandbox
        .sh("git init -q -b main . && git add . && git commit -q -m 'begin'")
        .ok();
    sandbox
}

/// What stands between the output of a command and that of the next.
const MARK: char = '\u{1e}';

fn replay(document: &str, steps: &[Step]) {
    let sandbox = project();
    let mut script = "exec 2>&1\n".to_owned();
    for step in steps {
        // The status is kept for a command that asks for it with $?.
        let _ = write!(
            script,
            "{}\n__status=$?; printf '\\036%s\\036' \"$__status\"; (exit $__status)\n",
            step.command
        );
    }
    script.push_str("exit 0\n");
    let outcome = sandbox.sh(&script).run().code(0);
    let parts: Vec<&str> = outcome.text().split(MARK).collect();
    for (index, step) in steps.iter().enumerate() {
        let at = format!("{document}:{}: $ {}", step.line, step.command);
        let output = parts
            .get(2 * index)
            .unwrap_or_else(|| panic!("{at}\ndid not run\n{outcome}"));
        let code = parts.get(2 * index + 1).and_then(|code| code.parse().ok());
        assert_eq!(
            code,
            Some(step.code),
            "{at}\nends with another status and prints\n{output}"
        );
        let compared = Assert::new().normalize_paths(false).try_eq(
            Some(&at),
            (*output).to_owned().into_data(),
            step.output.clone().into_data(),
        );
        if let Err(difference) = compared {
            panic!("{at}\n{difference}");
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let top = programs::workspace();
    let docs = fs::read_dir(top.join("docs"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut all: Vec<PathBuf> = docs
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    all.push(top.join("README.md"));
    all.sort();
    all
}

#[test]
fn every_command_that_the_documents_show_does_what_they_show() {
    if !programs::has("make") {
        return;
    }
    let mut replayed = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let name = path
            .strip_prefix(programs::workspace())
            .unwrap()
            .display()
            .to_string();
        for steps in blocks(&text) {
            replay(&name, &steps);
            replayed += steps.len();
        }
    }
    let readme = fs::read_to_string(programs::workspace().join("README.md")).unwrap_or_default();
    let shown = readme.lines().filter(|line| line.starts_with("$ ")).count();
    assert!(
        replayed >= shown,
        "{shown} commands in the README, {replayed} replayed: is one outside a console block?"
    );
}

#[test]
fn a_block_is_read_as_the_comment_above_says() {
    let text = "text\n```console\n$ one\n> two\n? 3\nout\n? 4\n\n$ three\n```\n```sh\n$ no\n```\n```console\n```\n";
    let step = |line, command: &str, code, output: &str| Step {
        line,
        command: command.to_owned(),
        code,
        output: output.to_owned(),
    };
    assert_eq!(
        blocks(text),
        [vec![
            step(3, "one\ntwo", 3, "out\n? 4\n\n"),
            step(9, "three", 0, "")
        ]]
    );
}

#[test]
fn a_difference_is_noticed() {
    let steps = |text: &str| blocks(&format!("```console\n{text}```\n")).remove(0);
    replay(
        "sound",
        &steps(
            "$ echo a; cd /; false\n? 1\na\n$ echo $?; pwd\n1\n/\n$ printf 'x [1]\\ny\\n'\nx [[..]]\n...\n",
        ),
    );
    for wrong in [
        "$ echo a\nb\n",
        "$ echo a\n",
        "$ true\nb\n",
        "$ false\n",
        "$ true\n? 1\n",
        "$ exit 0\n$ true\n",
    ] {
        let steps = steps(wrong);
        let replayed = std::thread::Builder::new()
            .name("a-wrong-document".to_owned())
            .spawn(move || replay("wrong", &steps))
            .unwrap()
            .join();
        assert!(replayed.is_err(), "{wrong}");
    }
}
