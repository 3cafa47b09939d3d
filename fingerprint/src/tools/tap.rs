//! The Test Anything Protocol: `not ok N - name`, with its YAML block or comments; nested subtests count as leaves.

use crate::failure::{Failure, Kind, Tier};
use crate::scan::Sink;
use crate::tools::blocks::Body;
use crate::tools::form;
use crate::tools::{Flow, Line, Tool};

/// The state machine.
#[derive(Default)]
pub struct Tap {
    /// Names of the subtests that are open, by indentation.
    path: Vec<(usize, String)>,
    name: Option<(usize, String)>,
    body: Body,
    /// The last exception printed in comments: all that is said of a file that did not load.
    comment: String,
    /// A failed parent follows its failed children at a smaller indentation.
    failed_below: Option<usize>,
}

impl Tool for Tap {
    fn triggers(&self) -> &'static [&'static str] {
        &["not ok ", "# Subtest: ", "Error: ", "Error ["]
    }

    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Flow {
        let text = line.text;
        let t = text.trim_start();
        let indent = form::indent(text);
        if let Some(name) = t.strip_prefix("# Subtest: ") {
            self.flush(sink);
            self.path.retain(|(at, _)| *at < indent);
            self.path.push((indent, name.to_owned()));
            return Flow::Taken;
        }
        if let Some(said) = t
            .strip_prefix("# ")
            .filter(|said| line.hit && self.name.is_none() && form::exception(said).is_some())
        {
            said.trim().clone_into(&mut self.comment);
            return Flow::Taken;
        }
        if let Some(rest) = t.strip_prefix("not ok ") {
            self.flush(sink);
            let rest = rest
                .trim_start()
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .trim_start()
                .trim_start_matches("- ");
            if rest.contains("# TODO") || rest.contains("# SKIP") || rest.contains("# todo") {
                return Flow::Taken;
            }
            let name = form::untimed(rest.split(" # time=").next().unwrap_or(rest)).to_owned();
            if self.failed_below.is_some_and(|below| below > indent) {
                self.failed_below = Some(indent);
                self.path.retain(|(at, _)| *at < indent);
                return Flow::Taken;
            }
            self.failed_below = Some(indent);
            let mut names: Vec<&str> = self
                .path
                .iter()
                .filter(|(at, _)| *at < indent)
                .map(|(_, n)| n.as_str())
                .collect();
            names.push(&name);
            self.name = Some((indent, names.join(" > ")));
            return Flow::Open;
        }
        let Some((open, _)) = &self.name else {
            return Flow::Pass;
        };
        let inside = indent > *open || t.starts_with('#') || t.is_empty();
        if !inside || t.starts_with("# Subtest") {
            self.flush(sink);
            return Flow::Pass;
        }
        self.body.push(text);
        if t == "..." {
            self.flush(sink);
            return Flow::Taken;
        }
        Flow::Open
    }

    fn end(&mut self, sink: &mut Sink) {
        self.flush(sink);
    }
}

impl Tap {
    fn flush(&mut self, sink: &mut Sink) {
        let body = self.body.take();
        let Some((_, name)) = self.name.take() else {
            return;
        };
        let mut failure = Failure::new("tap", Tier::T0, Kind::Test);
        let mut said = Body::default();
        let mut frames = Vec::new();
        let mut stack = None;
        for line in body.lines() {
            let t = line.trim().trim_start_matches("# ").trim_start_matches('#');
            let indent = form::indent(line);
            if stack.is_some_and(|at| indent <= at) {
                stack = None;
            }
            let key = t.split(':').next().unwrap_or_default().trim();
            match key {
                _ if stack.is_some() => {
                    let call = format!("at {t}");
                    frames.extend(form::frame(&call));
                }
                "stack" => stack = Some(indent),
                "error" if t.contains("test failed") && !self.comment.is_empty() => {
                    said.push(&self.comment);
                }
                "duration_ms"
                | "failureType"
                | "exitCode"
                | "signal"
                | "location"
                | "line"
                | "column"
                | "at"
                | "file"
                | "type"
                | "Looks like you failed" => {}
                // A subtest that failed only tells how many.
                _ if t.starts_with("Looks like") || t.starts_with("tests ") => break,
                _ => said.push(t),
            }
        }
        said.describe(&mut failure);
        let code = body
            .lines()
            .iter()
            .find_map(|l| l.trim().strip_prefix("name: "));
        if let Some(code) = code {
            code.trim_matches(['\'', '"']).clone_into(&mut failure.code);
        }
        if failure.frames.is_empty() {
            failure.frames = form::key_frames(&frames);
        }
        failure.text = format!("not ok {name}\n{}", body.lines().join("\n"));
        failure.id = name;
        failure.weak = failure.message.is_empty();
        self.comment.clear();
        sink.add(failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = crate::scan::found_by(Box::new(Tap::default()), text);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn failed_leaves_are_named_with_their_parents() {
        check(
            "# Subtest: cart\n    not ok 1 - total\n      ---\n      duration_ms: 1.2\n      error: 'x'\n      ...\n    1..1\nnot ok 1 - cart\n",
            &["cart > total||error: 'x'|"],
        );
        check("not ok 1 - later # TODO\nok 2 - fine\n", &[]);
    }
}
