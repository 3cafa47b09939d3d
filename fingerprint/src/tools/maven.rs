//! Maven and its test runners: failing tests with `<<< FAILURE!`, goals that did not succeed; the rest of what Maven
//! marks as an error is advice.

use crate::failure::{Failure, Kind, Stage, Tier};
use crate::scan::Sink;
use crate::tools::blocks::Body;
use crate::tools::form;
use crate::tools::{Flow, Line, Tool};

/// The state machine.
#[derive(Default)]
pub struct Maven {
    test: Option<String>,
    body: Body,
    results: bool,
}

/// Beginnings of lines that are printed below every failed goal.
const ADVICE: &[&str] = &[
    "Re-run Maven",
    "To see the full",
    "For more information",
    "[Help",
    "Please refer",
    "-> [Help",
    "After correcting",
    "  mvn ",
];

impl Tool for Maven {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "<<< FAILURE!",
            "<<< ERROR!",
            "[ERROR] ",
            "Tests run:",
            "[INFO] Results",
            "Results :",
            "BUILD FAILURE",
        ]
    }

    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Flow {
        let marked = line
            .text
            .strip_prefix("[ERROR] ")
            .or(line.text.strip_prefix("[WARNING] "));
        let text = marked.unwrap_or(line.text);
        let t = text.trim();
        if t.contains("<<< FAILURE!") || t.contains("<<< ERROR!") {
            self.flush(sink);
            if t.starts_with("Tests run:") {
                return Flow::Taken;
            }
            self.test = Some(id(t));
            return Flow::Open;
        }
        if t.starts_with("Tests run:") {
            self.flush(sink);
            // The totals stand once at the end; before it the same numbers come class by class.
            if !t.contains("Time elapsed") && (self.results || !t.contains(" - in ")) {
                total(t, sink);
            }
            return Flow::Taken;
        }
        if t.ends_with("Results:") || t == "Results :" {
            self.flush(sink);
            self.results = true;
            return Flow::Taken;
        }
        if t.contains("BUILD FAILURE") {
            sink.verdict = true;
            self.flush(sink);
            self.results = false;
            return Flow::Taken;
        }
        if self.test.is_some() {
            if t.is_empty() || line.text.starts_with("[INFO]") {
                self.flush(sink);
                return Flow::Taken;
            }
            self.body.push(text);
            return Flow::Open;
        }
        let Some(marked) = marked else {
            return Flow::Pass;
        };
        if let Some(rest) = marked.strip_prefix("Failed to execute goal ") {
            let rest = rest.split(" -> [Help").next().unwrap_or(rest);
            let (goal, said) = rest.split_once(": ").unwrap_or((rest, ""));
            let mut failure = Failure::new("maven", Tier::T2, Kind::Task);
            failure.stage = if said.contains("resolve") {
                Stage::Resolve
            } else {
                Stage::Run
            };
            goal.clone_into(&mut failure.id);
            said.clone_into(&mut failure.message);
            text.clone_into(&mut failure.text);
            sink.add(failure);
            return Flow::Taken;
        }
        let advice = ADVICE.iter().any(|a| marked.starts_with(a)) || t.is_empty() || self.results;
        if advice { Flow::Taken } else { Flow::Pass }
    }

    fn end(&mut self, sink: &mut Sink) {
        self.flush(sink);
    }
}

/// `total(shop.CartTest)  Time elapsed: …`, `shop.CartTest.total -- Time elapsed: …`, `shop.CartTest.total  Time elapsed`.
fn id(t: &str) -> String {
    let name = t
        .split("Time elapsed")
        .next()
        .unwrap_or(t)
        .trim_end_matches([' ', '-']);
    match name.strip_suffix(')').and_then(|n| n.split_once('(')) {
        Some((test, class)) if class.contains('.') || !test.contains('.') => {
            format!("{class}.{test}")
        }
        _ => name.to_owned(),
    }
}

fn total(t: &str, sink: &mut Sink) {
    let mut numbers = t
        .split(',')
        .filter_map(|part| part.split_once(':'))
        .map(|(name, n)| (name.trim(), n.trim().parse().unwrap_or(0)));
    let mut run = 0;
    let mut failed = false;
    for (name, n) in &mut numbers {
        match name {
            "Tests run" => run = n,
            "Failures" | "Errors" => failed |= n > 0,
            _ => {}
        }
    }
    sink.verdict |= failed;
    sink.ran(run);
}

impl Maven {
    fn flush(&mut self, sink: &mut Sink) {
        let body = self.body.take();
        let Some(id) = self.test.take() else { return };
        let mut failure = Failure::new("surefire", Tier::T0, Kind::Test);
        body.describe(&mut failure);
        failure.text = format!("{id}\n{}", body.lines().join("\n"));
        failure.id = id;
        failure.weak = failure.message.is_empty();
        if !form::exception(&failure.message).is_some_and(|(code, _)| code.contains("Assert")) {
            failure.stage = Stage::Run;
        }
        sink.add(failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = crate::scan::found_by(Box::new(Maven::default()), text);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn tests_are_named_in_each_generation_of_the_form() {
        let body = "java.lang.AssertionError: no\n\tat shop.CartTest.total(CartTest.java:9)\n\n";
        let expected: &[&str] = &[
            "shop.CartTest.total|java.lang.AssertionError|java.lang.AssertionError: no|shop.CartTest.total@CartTest.java",
        ];
        check(
            &format!("[ERROR] total(shop.CartTest)  Time elapsed: 0.1 s  <<< FAILURE!\n{body}"),
            expected,
        );
        check(
            &format!("[ERROR] shop.CartTest.total -- Time elapsed: 0.1 s <<< FAILURE!\n{body}"),
            expected,
        );
        check(
            &format!("total(shop.CartTest)  Time elapsed: 0.1 sec  <<< FAILURE!\n{body}"),
            expected,
        );
    }
}
