//! The line prefix that a CI system or a container puts before what a tool printed.
//!
//! What wraps a stream wraps all of it, so the decision is made once, from the first lines, and one layer after the
//! other: a compose prefix inside a CI timestamp is two layers. Known shapes need most lines to agree; an unknown
//! prefix goes when nearly every line has the same shape and that shape holds a clock, or when it stands even before
//! lines that are otherwise empty. Text of a tool (`[INFO] `, `E   `, `[  FAILED  ] `) never is a layer. Which group
//! or step a marker opened is not kept.

mod shape;
mod stamp;

use shape::Shape;

/// Layers beyond this many do not occur.
const LAYERS_MAX: usize = 4;
/// More lines are not looked at.
const LINES_MAX: usize = 64;

/// The prefix of one stream, found by [`detect`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrapper {
    layers: Vec<Shape>,
}

/// Finds out what wraps a stream from its first lines, which have been through [`crate::terminal::clean`].
///
/// ```
/// # use fingerprint::wrapper::detect;
/// let lines = ["2026-08-01T10:00:00.1234567Z FAIL", "2026-08-01T10:00:00.1234567Z   at x"];
/// assert_eq!(detect(lines.into_iter()).strip(lines[1]), "  at x");
/// ```
pub fn detect<'a>(lines: impl Iterator<Item = &'a str>) -> Wrapper {
    let mut lines: Vec<&str> = lines.take(LINES_MAX).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let mut layers = Vec::new();
    while layers.len() < LAYERS_MAX
        && let Some(layer) = Shape::of(&lines)
    {
        for line in &mut lines {
            *line = layer.strip(line).unwrap_or(line);
        }
        layers.push(layer);
    }
    Wrapper { layers }
}

impl Wrapper {
    /// Returns the line without its prefix; indentation of the tool's own text stays.
    #[must_use]
    pub fn strip<'a>(&self, line: &'a str) -> &'a str {
        let stripped = self
            .layers
            .iter()
            .fold(line, |line, layer| layer.strip(line).unwrap_or(line));
        shape::without_marker(stripped)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `lines` are `prefix|text`; what is left must be the text.
    fn check(lines: &[(&str, &str)]) {
        let whole: Vec<String> = lines
            .iter()
            .map(|(prefix, text)| format!("{prefix}{text}"))
            .collect();
        let wrapper = detect(whole.iter().map(String::as_str));
        for (line, (_, text)) in whole.iter().zip(lines) {
            assert_eq!(wrapper.strip(line), *text, "{wrapper:?}");
        }
    }

    fn untouched(text: &str) {
        let wrapper = detect(text.lines());
        for line in text.lines() {
            assert_eq!(wrapper.strip(line), line, "{wrapper:?}");
        }
    }

    const TEXT: [&str; 8] = [
        "Traceback (most recent call last):",
        "  File \"a.py\", line 3, in f",
        "    g()",
        "",
        "KeyError: 'x'",
        "E   assert 1 == 2",
        "[INFO] done",
        "[  FAILED  ] Suite.case (3 ms)",
    ];

    fn wraps(prefix: impl Fn(usize) -> String) {
        let prefixes: Vec<String> = (0..TEXT.len()).map(prefix).collect();
        let lines: Vec<(&str, &str)> = prefixes.iter().map(String::as_str).zip(TEXT).collect();
        check(&lines);
        // Many runners cut the blank after the prefix of an empty line.
        let lines: Vec<(&str, &str)> = lines
            .into_iter()
            .map(|(p, t)| {
                if t.is_empty() {
                    (p.trim_end(), t)
                } else {
                    (p, t)
                }
            })
            .collect();
        check(&lines);
    }

    #[test]
    fn clocks_of_ci_systems_go() {
        wraps(|n| format!("2026-08-01T10:00:0{n}.1234567Z "));
        wraps(|n| format!("[2026-08-01T10:00:0{n}.123Z] "));
        wraps(|n| format!("[10:00:0{n}] "));
        wraps(|n| format!("10:00:0{n}  "));
        wraps(|n| format!("10:00:0{n}.123 | "));
        wraps(|n| format!("2026/08/01 10:00:0{n} "));
        wraps(|n| format!("2026-08-01 10:00:0{n},123 "));
        wraps(|n| format!("[Sat Aug  1 10:00:0{n} 2026] "));
        wraps(|n| format!("[task 2026-08-01T10:00:0{n}.123Z] "));
        wraps(|n| format!("[   12.34567{n}] "));
        wraps(|n| format!("17000000{n}0.123 "));
    }

    #[test]
    fn streams_with_more_columns_go() {
        wraps(|n| format!("test\tRun tests\t2026-08-01T10:00:0{n}.1234567Z "));
        wraps(|n| format!("test (ubuntu, 3.{n})\tUNKNOWN STEP\t2026-08-01T10:00:0{n}.1234567Z "));
        wraps(|n| {
            format!(
                "2026-08-01T10:00:0{n}.123456Z 00{} ",
                if n % 2 == 0 { "O" } else { "E" }
            )
        });
        wraps(|n| format!("2026-08-01T10:00:0{n}.123456789Z stdout F "));
        wraps(|n| format!("Aug  1 10:00:0{n} ci-host runner[12{n}]: "));
        wraps(|n| format!("2026-08-01T10:00:0{n}+00:00 ci-host runner[12{n}]: "));
        wraps(|n| format!("<13>1 2026-08-01T10:00:0{n}.1Z host app 12{n} - - "));
        wraps(|n| format!("E0801 10:00:0{n}.123456   12345 main.go:1{n}] "));
        wraps(|n| {
            format!("2026-08-01T10:00:0{n}.123Z E0801 10:00:0{n}.123456   12345 main.go:1{n}] ")
        });
    }

    #[test]
    fn containers_go() {
        wraps(|_| "ci-1  | ".to_owned());
        wraps(|n| format!("{}-1  | ", if n % 2 == 0 { "web" } else { "ci " }.trim()));
        wraps(|n| format!("[pod/web-7d4b9c6f8d-x2x9z/app] 2026-08-01T10:00:0{n}.123Z "));
        check(&[
            ("", "#1 [internal] load build definition from Dockerfile"),
            ("", "#1 DONE 0.0s"),
            ("", "#7 [4/4] RUN npm test"),
            ("#7 0.512 ", "  indented"),
            ("#7 12.512 ", "npm error x"),
            (
                "",
                "#7 ERROR: process did not complete successfully: exit code: 1",
            ),
        ]);
    }

    #[test]
    fn unknown_prefixes_of_one_shape_go() {
        wraps(|n| format!("agent-{n} (build 12) <10:00:0{n}> "));
        wraps(|n| format!("runner7|job 3|2026-08-01 10:00:0{n}|"));
        wraps(|n| format!("[build-{n}] "));
        wraps(|_| "remote: ".to_owned());
        wraps(|n| format!("node{n} > "));
    }

    #[test]
    fn markers_go_with_or_without_a_clock() {
        check(&[
            ("##[group]", "Run make"),
            ("##[error]", "a_test.go:3:1: x"),
            ("##[endgroup]", ""),
            ("", "x"),
        ]);
        check(&[
            ("section_start:1700000000:name[collapsed=true]", ""),
            ("travis_fold:start:x", ""),
        ]);
        check(&[("_bk;t=1700000000000", "text")]);
        check(&[("2026-08-01T10:00:00.1Z ##[error]", "failed")]);
    }

    #[test]
    fn single_lines_lose_only_a_full_clock() {
        check(&[("[2026-08-01T10:00:00.123Z] ", "error: pathspec 'x'")]);
        check(&[("Aug  1 10:00:00 host ci[12]: ", "curl: (7) refused")]);
        check(&[("ci-1  | ", "curl: (7) refused")]);
        untouched("error: pathspec 'x'");
        untouched("[1] error: x");
        untouched("12:30 x");
    }

    #[test]
    fn text_of_tools_is_no_prefix() {
        untouched(
            "[ERROR] a\n[ERROR] b\n[ERROR] \n[ERROR] c\n[ERROR] d\n[ERROR] e\n[ERROR] f\n[ERROR] g\n",
        );
        untouched(
            "npm ERR! a\nnpm ERR! b\nnpm ERR! \nnpm ERR! c\nnpm ERR! d\nnpm ERR! e\nnpm ERR! f\n",
        );
        untouched(
            "a.py:1: error: x\na.py:2: error: y\na.py:3: error: x\na.py:4: error: y\na.py:5: error: z\na.py:6: error\n",
        );
        untouched(
            "a.py:1:20:30: E1 x\na.py:2:20:30: E1 y\na.py:3:20:30: E1 x\na.py:4:20:30: E1 y\n",
        );
        untouched("E   a\nE   b\nE   \nE   c\nE   d\nE   e\nE   f\n");
        untouched("#0 0x12 in f a.c:1\n#1 0x12 in g a.c:1\n#2 0x1 in h a.c:3\n#3 0x2 in i a.c:4\n");
        untouched("[ 10%] a\n[ 20%] b\n[ 30%] c\n[ 40%] d\n[ 50%] e\n[ 60%] f\n");
        untouched(
            "[gw0] [ 10%] PASSED a\n[gw1] [ 20%] FAILED b\n[gw0] [ 30%] PASSED c\n[gw0] [ 10%] PASSED d\n",
        );
        untouched("  12 | a\n  13 | b\n     | ^\n  14 | c\n");
        untouched("ok 1 - a\nnot ok 2 - b\nok 3 - c\nok 4 - d\nok 5 - e\nok 6 - f\n");
        untouched(
            "[  FAILED  ] a\n[  FAILED  ] b\n[  FAILED  ] c\n[  FAILED  ] d\n[  FAILED  ] e\n[  FAILED  ] f\n",
        );
    }

    proptest! {
        #[test]
        fn any_lines_are_accepted(lines in proptest::collection::vec("\\PC{0,40}|[0-9:T.\\[\\] |#Z-]{0,30}", 0..12)) {
            let wrapper = detect(lines.iter().map(String::as_str));
            for line in &lines {
                prop_assert!(line.ends_with(wrapper.strip(line)));
            }
        }
    }
}
