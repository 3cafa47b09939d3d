//! `cargo xtask test`: builds the tools once, says where they are, and runs every test of the workspace.

use ledger::edge::{self, Answer, Failure};

use crate::args::TestArgs;
use crate::workspace::Workspace;
use crate::{child, needs};

/// The variable that tells the tests where the tools are.
const TOOLS: &str = "LOOPUTILS_BIN";

pub(crate) fn test(workspace: &Workspace, args: &TestArgs) -> Result<Answer, Failure> {
    check_needs()?;
    let tools = workspace.build("dev", None)?;
    let mut test = workspace.cargo();
    test.args(["test", "--workspace"])
        .args(&args.args)
        .env(TOOLS, tools);
    let status = child::run(child::without_variables(&mut test, &["LOOP_"]))?;
    Ok(match status.code() {
        Some(0) => Answer::Done,
        Some(code) => Answer::Status(u8::try_from(code).unwrap_or(1)),
        None => return Err(child::failed(&test, status)),
    })
}

/// Names what is missing: a person may go without, a machine that checks may not.
fn check_needs() -> Result<(), Failure> {
    let missing = needs::missing(&needs::TESTS);
    for need in &missing {
        if needs::in_ci() {
            edge::say(&need.missing());
        } else {
            edge::warn(need.missing());
        }
    }
    if needs::in_ci() && !missing.is_empty() {
        Err(Failure::Said)
    } else {
        Ok(())
    }
}
