//! `cargo xtask demo`: a loop on a small project with a real bug, from red to stuck to green.
//!
//! The agent is a script (`agent.sh`); all else is what a loop would run: the project's own gate, the four tools in their
//! pipeline, a git repository that grows a commit a turn. Everything shown comes from that run, and every turn is
//! compared with what it has to be, so that a demo that shows something wrong fails.

mod project;
mod show;
mod turn;

use std::time::Instant;

use ledger::edge::{Answer, Failure};

use self::project::Project;
use self::show::Stage;
use self::turn::Turn;
use crate::needs::{self, Need};
use crate::workspace::Workspace;

/// What the agent is told in the beginning.
const TASK: &str = "Make the tests pass.";
/// More turns than the story has; a loop that goes on is a failure of the demo.
const TURNS_MAX: usize = 8;

/// A turn as it has to be: what was tried, and how the chain ended.
type Expected = (&'static str, i32);

const STORY: [Expected; 5] = [
    ("round the share up", turn::MOVING),
    ("round the share", turn::MOVING),
    ("divide with Decimal", turn::MOVING),
    ("round the share", turn::STUCK),
    ("give the left-over cents to the first", turn::GREEN),
];

pub(crate) fn demo(workspace: &Workspace) -> Result<Answer, Failure> {
    check_needs()?;
    let tools = workspace.build("release", None)?;
    let begin = Instant::now();
    let stage = Stage::new();
    let mut project = Project::make(&tools)?;
    stage.opening(&project)?;
    project.stay();

    let mut prompt = TASK.to_owned();
    let mut turns: Vec<Turn> = Vec::new();
    while turns.len() < TURNS_MAX {
        let turn = Turn::take(&project, &prompt)?;
        stage.turn(&project, turns.len() + 1, &turn, &turns)?;
        prompt = next_prompt(&turn);
        let is_green = turn.status == turn::GREEN;
        turns.push(turn);
        if is_green {
            break;
        }
    }
    compare(&turns)?;
    stage.closing(&project, &turns, begin.elapsed())?;
    Ok(Answer::Done)
}

/// What the loop tells the agent next: the task, and after a stall what the verdict names.
fn next_prompt(turn: &Turn) -> String {
    if turn.status != turn::STUCK {
        return TASK.to_owned();
    }
    format!(
        "{TASK}\nYou are stuck: change direction. Do not try again: {}.",
        turn.dead_ends.join("; ")
    )
}

fn compare(turns: &[Turn]) -> Result<(), Failure> {
    let played: Vec<(&str, i32)> = turns
        .iter()
        .map(|turn| (turn.tried.as_str(), turn.status))
        .collect();
    if played != STORY {
        return Err(Failure::failed(format!(
            "the loop went another way than it should: {played:?}"
        )));
    }
    let stuck = turns.iter().find(|turn| turn.status == turn::STUCK);
    let dead_ends = stuck.map(|turn| turn.dead_ends.clone()).unwrap_or_default();
    if dead_ends != ["round the share"] {
        return Err(Failure::failed(format!(
            "the verdict names other dead ends than 'round the share': {dead_ends:?}"
        )));
    }
    if turns.iter().any(|turn| turn.action != turn.tried) {
        return Err(Failure::failed(
            "a record names another action than the agent's commit",
        ));
    }
    Ok(())
}

fn check_needs() -> Result<(), Failure> {
    const PROGRAMS: [&str; 3] = ["git", "make", "python3"];
    let wanted: Vec<Need> = needs::TESTS
        .into_iter()
        .filter(|need| PROGRAMS.contains(&need.program))
        .collect();
    match needs::missing(&wanted).first() {
        Some(need) => Err(Failure::failed(format!(
            "the demo needs '{}', which is not installed (apt-get install {})",
            need.program, need.package
        ))),
        None => Ok(()),
    }
}
