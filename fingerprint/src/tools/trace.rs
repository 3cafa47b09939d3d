//! Exceptions followed by their stack, as JavaScript, the JVM, .NET, Ruby, PHP and others print them.
//!
//! The innermost cause gives the message and the frames; the outer types stay beside it.

use crate::failure::{Failure, Kind, Tier};
use crate::scan::Sink;
use crate::tools::form::{self, Frame};
use crate::tools::traceback::stage;
use crate::tools::{Flow, Line, Tool};

/// One exception of a chain.
#[derive(Default)]
struct Link {
    code: String,
    message: String,
    frames: Vec<Frame>,
}

/// The state machine.
#[derive(Default)]
pub struct Trace {
    links: Vec<Link>,
    words: usize,
    text: String,
}

impl Tool for Trace {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "Error: ",
            "Exception",
            "rror [",
            ":in `",
            ":in '",
            "Uncaught ",
        ]
    }

    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Flow {
        if let Some(link) = heading(line.text) {
            let cause = line.text.trim_start().starts_with("Caused by")
                || line.text.contains("[cause]: ")
                || line.text.trim_start().starts_with("Suppressed");
            let indented = form::indent(line.text) > 0 && !self.links.is_empty();
            if !cause && !indented {
                self.flush(sink);
            }
            if cause && line.text.trim_start().starts_with("Suppressed") {
                return Flow::Open;
            }
            if self.links.len() < 20 {
                self.links.push(link);
            }
            self.words = 0;
            self.text.push_str(line.text.trim());
            self.text.push('\n');
            return if self.links.iter().any(|l| !l.frames.is_empty()) {
                Flow::Open
            } else {
                Flow::Watch
            };
        }
        let Some(last) = self.links.last_mut() else {
            return Flow::Pass;
        };
        if let Some(frame) = form::frame(line.text) {
            if last.frames.len() < 200 {
                last.frames.push(frame);
            }
            return Flow::Open;
        }
        let t = line.text.trim();
        if t.starts_with("... ") && (t.ends_with("more") || t.contains("levels"))
            || t == "Stack trace:"
            || t == "^"
        {
            return Flow::Open;
        }
        if last.frames.is_empty() {
            // The message may go on for some lines before the frames begin.
            self.words += 1;
            if self.words > 12 || (t.is_empty() && self.words > 8) {
                self.flush(sink);
                return Flow::Pass;
            }
            if !form::is_gutter(t) && !t.is_empty() {
                last.message.push('\n');
                last.message.push_str(t);
            }
            return Flow::Watch;
        }
        if form::indent(line.text) > 0 || t == "}" {
            return Flow::Watch;
        }
        self.flush(sink);
        Flow::Pass
    }

    fn end(&mut self, sink: &mut Sink) {
        self.flush(sink);
    }
}

impl Trace {
    fn flush(&mut self, sink: &mut Sink) {
        let links = std::mem::take(&mut self.links);
        let text = std::mem::take(&mut self.text);
        if links.iter().all(|link| link.frames.is_empty()) {
            return;
        }
        let Some(cause) = links.last() else { return };
        let mut failure = Failure::new("trace", Tier::T1, Kind::Crash);
        failure.code.clone_from(&cause.code);
        failure.stage = stage(&cause.code);
        failure.message.clone_from(&cause.message);
        for outer in links.iter().rev().skip(1) {
            failure.message.push_str("\nunder ");
            failure.message.push_str(&outer.code);
        }
        let mut frames = form::key_frames(&cause.frames);
        if frames.is_empty() {
            frames = links
                .iter()
                .rev()
                .map(|l| form::key_frames(&l.frames))
                .find(|f| !f.is_empty())
                .unwrap_or_default();
        }
        failure.frames = frames;
        failure.title = format!(
            "{}: {}",
            cause.code,
            cause.message.lines().next().unwrap_or_default()
        );
        failure.text = text;
        sink.add(failure);
    }
}

/// A line that opens a trace.
fn heading(text: &str) -> Option<Link> {
    let t = text.trim();
    // Ruby names the innermost place first: `cart.rb:22:in 'fetch': key not found: "x" (KeyError)`.
    if let Some(place) = form::place(t)
        && let Some(rest) = place.rest.strip_prefix("in ")
        && let Some((function, said)) = rest.split_once(": ")
    {
        let (message, code) = said
            .strip_suffix(')')
            .and_then(|s| s.rsplit_once(" ("))
            .unwrap_or((said, ""));
        let frame = Frame {
            function: function.trim_matches(['\'', '`']).to_owned(),
            file: place.file.to_owned(),
        };
        return Some(Link {
            code: code.to_owned(),
            message: message.to_owned(),
            frames: vec![frame],
        });
    }
    let t = ["PHP Fatal error:  ", "Fatal error: "]
        .iter()
        .find_map(|p| t.strip_prefix(p))
        .unwrap_or(t);
    let (code, message) = form::exception(t)?;
    // `Uncaught X: message in /a/b.php:12`
    let (message, frame) = match message.rsplit_once(" in ") {
        Some((said, at)) if form::has_extension(form::position_cut(at), "php") => {
            let frame = Frame {
                function: String::new(),
                file: form::position_cut(at).to_owned(),
            };
            (said, Some(frame))
        }
        _ => (message, None),
    };
    let message = message.strip_suffix(" {").unwrap_or(message);
    Some(Link {
        code: code.to_owned(),
        message: message.to_owned(),
        frames: frame.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = crate::scan::found_by(Box::new(Trace::default()), text);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn headings_with_frames_are_traces() {
        check(
            "Exception in thread \"main\" a.BException: outer\n\tat shop.Main.main(Main.java:14)\nCaused by: java.io.IOException: inner\n\tat shop.Main.read(Main.java:3)\n\t... 1 more\n\n",
            &["|java.io.IOException|inner under a.BException|shop.Main.read@Main.java"],
        );
        check(
            "cart.rb:22:in `fetch': key not found: \"x\" (KeyError)\n\tfrom cart.rb:9:in `lookup'\n",
            &["|KeyError|key not found: \"x\"|fetch@cart.rb lookup@cart.rb"],
        );
        check("Error: no stack\n\n", &[]);
    }
}
