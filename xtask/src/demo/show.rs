//! What a person sees of the demo.

use std::time::Duration;

use ledger::edge::{Failure, Style};
use ledger::text::visible;

use super::project::Project;
use super::turn::{self, CHAIN, Turn};
use crate::{child, needs, out};

/// Standard output, with colours where somebody sees them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    style: Style,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        Stage {
            style: Style::of_stdout(),
        }
    }

    /// The project, the bug and the loop.
    pub(crate) fn opening(self, project: &Project) -> Result<(), Failure> {
        let style = self.style;
        out::line(&style.bold(&format!(
            "A project with a bug, in {}",
            project.directory().display()
        )))?;
        self.excerpt(&child::answer(project.command("cat").arg("bill.py"))?)?;
        out::line(
            "Split 10.00 among three, and a cent is lost; a test says so. The loop, again and again:",
        )?;
        out::line("")?;
        out::line(&format!("    ./agent.sh; {}", style.bold(CHAIN)))?;
        out::line("")?;
        out::line(
            "The agent is a script that tries what comes to its mind. All else is what a loop would run.",
        )
    }

    /// One turn: what was tried, what the gate said, how the failure is called, what the verdict is.
    pub(crate) fn turn(
        self,
        project: &Project,
        number: usize,
        turn: &Turn,
        before: &[Turn],
    ) -> Result<(), Failure> {
        let style = self.style;
        out::line("")?;
        self.row(&style.bold(&format!("turn {number}")), "agent", &turn.tried)?;
        let gate = match turn.gate.as_str() {
            "pass" => style.good("pass"),
            other => style.bad(other),
        };
        let said = turn
            .titles
            .first()
            .map(|title| visible(title).into_owned())
            .unwrap_or_default();
        self.row("", "gate", format!("{gate}  {said}").trim_end())?;
        if number == 1 {
            self.excerpt(&turn.printed)?;
        }
        if !turn.fingerprint.is_empty() {
            let known = before
                .iter()
                .filter(|other| other.fingerprint == turn.fingerprint)
                .count();
            let known = match known {
                0 => "not seen before".to_owned(),
                1 => "seen once before".to_owned(),
                _ => format!("seen {known} times before"),
            };
            self.row(
                "",
                "failure",
                &format!("{}  {}", turn.fingerprint, style.dim(&known)),
            )?;
        }
        self.row("", "status", &self.verdict(turn.status))?;
        if turn.status == turn::STUCK {
            out::line("")?;
            out::line(&format!("    $ {}", style.bold("lstall")))?;
            let verdict = child::answer(project.command("lstall").args(["--format", "text"]))?;
            self.excerpt(&verdict)?;
            out::line("The loop tells the agent: change direction, and leave the dead end alone.")?;
        }
        Ok(())
    }

    /// Where everything is, and what to try with it.
    pub(crate) fn closing(
        self,
        project: &Project,
        turns: &[Turn],
        took: Duration,
    ) -> Result<(), Failure> {
        let style = self.style;
        let headline = format!(
            "Green after {} turns and {:.1} s.",
            turns.len(),
            took.as_secs_f32()
        );
        out::line("")?;
        out::line(&format!(
            "{} The memory of the loop is {}",
            style.good(&headline),
            project.ledger().display()
        ))?;
        out::line("")?;
        out::line("Look around:")?;
        let listing = if needs::find("jq").is_some() {
            "jq -r '[.iteration, .gate, .fingerprint, .action] | @tsv' .loop/ledger.jsonl"
        } else {
            "cut -c 1-200 .loop/ledger.jsonl"
        };
        for command in [
            format!("cd {}", project.directory().display()),
            format!("PATH={}:$PATH", project.tools().display()),
            listing.to_owned(),
            "lstall --format text".to_owned(),
            "git log --oneline".to_owned(),
            format!("{CHAIN}; echo $?"),
        ] {
            out::line(&format!("    {command}"))?;
        }
        Ok(())
    }

    fn verdict(self, status: i32) -> String {
        match status {
            turn::GREEN => format!("{}  every gate passed", self.style.good("0")),
            turn::MOVING => format!("{}  red, but moving", self.style.warm("14")),
            turn::STUCK => format!("{}  stuck: change direction", self.style.bad("10")),
            other => format!("{other}"),
        }
    }

    fn row(self, lead: &str, what: &str, text: &str) -> Result<(), Failure> {
        // Colours have no width: the lead is padded by what is seen of it.
        let width = if lead.is_empty() { 8 } else { 2 };
        out::line(&format!(
            "{lead}{:width$}{}  {text}",
            "",
            self.style.dim(&format!("{what:<7}"))
        ))
    }

    /// Text that another program printed, set off.
    fn excerpt(self, text: &str) -> Result<(), Failure> {
        out::line("")?;
        for line in text.trim_end().lines() {
            out::line(&format!("    {}", self.style.dim(&visible(line))))?;
        }
        out::line("")
    }
}
