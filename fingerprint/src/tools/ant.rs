//! Ant's test task: `Testcase: name took 1 sec`, then `FAILED` or `Caused an ERROR` and what was wrong.

use crate::failure::{Failure, Kind, Tier};
use crate::scan::Sink;
use crate::tools::blocks::Body;
use crate::tools::{Flow, Line, Tool};

/// The state machine.
#[derive(Default)]
pub struct Ant {
    class: String,
    /// The last test case, and whether it is known to have failed.
    test: Option<(String, bool)>,
    body: Body,
}

impl Tool for Ant {
    fn triggers(&self) -> &'static [&'static str] {
        &["Testsuite: ", "Testcase: "]
    }

    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Flow {
        let text = line
            .text
            .trim_start()
            .strip_prefix("[junit]")
            .unwrap_or(line.text);
        let t = text.trim();
        if let Some(class) = t.strip_prefix("Testsuite: ") {
            self.flush(sink);
            class.clone_into(&mut self.class);
            return Flow::Taken;
        }
        if let Some(rest) = t.strip_prefix("Testcase: ") {
            self.flush(sink);
            let name = rest.split_once(" took ").map_or(rest, |(name, _)| name);
            self.test = Some((name.to_owned(), false));
            return Flow::Open;
        }
        match &mut self.test {
            None => Flow::Pass,
            Some((_, failed)) if !*failed => {
                *failed = matches!(t, "FAILED" | "Caused an ERROR");
                if *failed {
                    return Flow::Open;
                }
                self.test = None;
                Flow::Pass
            }
            Some(_) if t.is_empty() => {
                self.flush(sink);
                Flow::Taken
            }
            Some(_) => {
                self.body.push(text);
                Flow::Open
            }
        }
    }

    fn end(&mut self, sink: &mut Sink) {
        self.flush(sink);
    }
}

impl Ant {
    fn flush(&mut self, sink: &mut Sink) {
        let body = self.body.take();
        let Some((name, true)) = self.test.take() else {
            return;
        };
        let mut failure = Failure::new("ant", Tier::T0, Kind::Test);
        body.describe(&mut failure);
        failure.id = format!("{}.{name}", self.class);
        failure.text = format!("{name}\n{}", body.lines().join("\n"));
        sink.add(failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = crate::scan::found_by(Box::new(Ant::default()), text);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn only_cases_with_a_word_of_failure_failed() {
        check(
            "    [junit] Testsuite: a.T\n    [junit] Testcase: x took 0 sec\n    [junit] Testcase: y took 1.4 sec\n    [junit] \tCaused an ERROR\n    [junit] no\n    [junit] a.BException: no\n    [junit] \tat a.C.m(C.java:9)\n    [junit] \n",
            &["a.T.y|a.BException|no a.BException: no|a.C.m@C.java"],
        );
    }
}
