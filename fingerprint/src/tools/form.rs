//! Forms that many tools share: places, severities, exceptions, stack frames, gutters.
//!
//! Each function decides by the shape of a line, never by the name of the tool that printed it.

/// A line that begins with a place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file as printed.
    pub file: &'a str,
    /// What follows the position.
    pub rest: &'a str,
}

/// How bad a diagnostic says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It made the run fail.
    Error,
    /// It did not, by itself.
    Warning,
    /// It belongs to another one.
    Note,
    /// It does not say.
    Unsaid,
}

/// What a diagnostic says behind its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// How bad it is.
    pub severity: Severity,
    /// Its code, or nothing.
    pub code: &'a str,
    /// The sentence.
    pub message: &'a str,
}

/// Reads `path:L[:C]: rest`, `path(L[,C]): rest`, `path:[L,C] rest`, `path: line L: rest`.
#[must_use]
pub fn place(text: &str) -> Option<Place<'_>> {
    let bytes = text.as_bytes();
    let mut at = if bytes.get(1) == Some(&b':') && bytes.first()?.is_ascii_alphabetic() {
        2
    } else {
        0
    };
    loop {
        let step = text.get(at..)?.find([':', '(', ' '])?;
        let end = at + step;
        let file = text.get(..end)?;
        let rest = text.get(end + 1..)?;
        match bytes.get(end)? {
            b' ' => return None,
            b':' => {
                if let Some(rest) = rest.strip_prefix(" line ").and_then(numbers) {
                    return is_file(file).then_some(Place {
                        file,
                        rest: after(rest),
                    });
                }
                if let Some(rest) = rest
                    .strip_prefix('[')
                    .and_then(numbers)
                    .and_then(|r| r.strip_prefix(']'))
                {
                    return is_file(file).then_some(Place {
                        file,
                        rest: after(rest),
                    });
                }
                if let Some(rest) = numbers(rest) {
                    let ends = rest.is_empty() || rest.starts_with([':', ' ', '-', ',', ')', ']']);
                    return (ends && is_file(file)).then_some(Place {
                        file,
                        rest: after(rest),
                    });
                }
                at = end + 1;
            }
            _ => {
                if let Some(rest) = numbers(rest).and_then(|r| r.strip_prefix(')')) {
                    return is_file(file).then_some(Place {
                        file,
                        rest: after(rest),
                    });
                }
                at = end + 1;
            }
        }
    }
}

/// Skips `L`, `L:C`, `L,C`, `L.C`, `L-L`, `L:C-L:C`.
fn numbers(text: &str) -> Option<&str> {
    let mut rest = digits(text)?;
    for _ in 0..3 {
        let Some(next) = rest.strip_prefix([':', ',', '.', '-']).map(str::trim_start) else {
            break;
        };
        let Some(next) = digits(next) else { break };
        rest = next;
    }
    Some(rest)
}

fn digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

fn after(rest: &str) -> &str {
    rest.trim_start_matches([':', ' ', '-', ','])
}

/// Whether a word can be the name of a source file: it has a directory or an extension, and no blank.
#[must_use]
pub fn is_file(word: &str) -> bool {
    let plain = !word.is_empty()
        && word.len() < 400
        && !word.contains("://")
        && !word.contains(['"', '\'', '<', '=', '|']);
    let base = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let extension = base.rsplit_once('.').is_some_and(|(stem, ext)| {
        !stem.is_empty()
            && (1..=10).contains(&ext.len())
            && ext.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    plain
        && !base.is_empty()
        && (extension
            || word.contains('/')
            || base.ends_with("akefile")
            || base.ends_with("ockerfile"))
}

/// Reads `error[E1]: message`, `error TS1: message`, `fatal error: message`, `E501 message`, `W0611: message (name)`.
#[must_use]
pub fn said(rest: &str) -> Said<'_> {
    let (severity, mut body) = severity(rest);
    let mut code = "";
    if let Some((inside, more)) = body.strip_prefix('[').and_then(|b| b.split_once(']'))
        && is_code_word(inside)
    {
        code = inside;
        body = more;
    }
    body = body.trim_start_matches([':', ' ']);
    if let Some((inside, more)) = body.strip_prefix('[').and_then(|b| b.split_once(']'))
        && code.is_empty()
        && is_code(inside)
    {
        code = inside;
        body = more.trim_start_matches([':', ' ']);
    }
    if code.is_empty() {
        let word = body.split([' ', ':']).next().unwrap_or_default();
        if is_code(word) {
            code = word;
            body = body
                .get(word.len()..)
                .unwrap_or_default()
                .trim_start_matches([':', ' ']);
        }
    }
    if code.is_empty()
        && let Some((before, inside)) = body
            .strip_suffix([']', ')'])
            .and_then(|b| b.rsplit_once([' ', '\t']))
        && let Some(inside) = inside.strip_prefix(['[', '('])
        && is_code_word(inside)
        && !before.is_empty()
    {
        code = inside;
        body = before.trim_end();
    }
    Said {
        severity,
        code,
        message: body,
    }
}

/// The severity a text begins with, and what follows it.
#[must_use]
pub fn severity(text: &str) -> (Severity, &str) {
    const WORDS: &[(&str, Severity)] = &[
        ("fatal error", Severity::Error),
        ("internal compiler error", Severity::Error),
        ("syntax error", Severity::Error),
        ("parse error", Severity::Error),
        ("type error", Severity::Error),
        ("error", Severity::Error),
        ("fatal", Severity::Error),
        ("failure", Severity::Error),
        ("warning", Severity::Warning),
        ("warn", Severity::Warning),
        ("style", Severity::Warning),
        ("performance", Severity::Warning),
        ("portability", Severity::Warning),
        ("information", Severity::Note),
        ("notice", Severity::Note),
        ("note", Severity::Note),
        ("info", Severity::Note),
        ("hint", Severity::Note),
        ("help", Severity::Note),
        ("remark", Severity::Note),
        ("debug", Severity::Note),
    ];
    for (word, severity) in WORDS {
        let Some((head, rest)) = text.split_at_checked(word.len()) else {
            continue;
        };
        if head.eq_ignore_ascii_case(word)
            && !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        {
            let keeps = matches!(*word, "syntax error" | "parse error" | "type error");
            return (*severity, if keeps { text } else { rest });
        }
    }
    (Severity::Unsaid, text)
}

/// A code with digits: `E0308`, `TS2339`, `C2065`, `SC2086`, `F401`, `GHC-88464`, `CS0103`.
#[must_use]
pub fn is_code(word: &str) -> bool {
    let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = word.get(letters..).unwrap_or_default();
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    (1..=10).contains(&letters)
        && (1..=6).contains(&rest.len())
        && rest.bytes().all(|b| b.is_ascii_digit())
}

/// A code, or a name of a rule: `unused-import`, `no-undef`, `clippy::needless_return`, `attr-defined`.
fn is_code_word(word: &str) -> bool {
    is_code(word)
        || (word.len() > 2
            && word.len() < 60
            && word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-' || c == '@')
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_:/@.=+".contains(&b)))
}

/// An exception line: its type and its message.
#[must_use]
pub fn exception(text: &str) -> Option<(&str, &str)> {
    let mut text = text.trim_start();
    for prefix in [
        "Uncaught ",
        "Unhandled exception. ",
        "Unhandled exception: ",
        "Caused by: ",
        "E ",
        "** (",
        "[cause]: ",
    ] {
        text = text.strip_prefix(prefix).unwrap_or(text).trim_start();
    }
    if let Some(rest) = text.strip_prefix("Exception in thread ") {
        text = rest
            .get(1..)
            .and_then(|r| r.split_once("\" "))
            .map_or(rest, |(_, rest)| rest);
    }
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || "._$:\\-".contains(c)))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let word_end = word.trim_end_matches([':', '.']);
    let colon = word.len() - word_end.len();
    let rest = rest.trim_start_matches(')');
    let name = word_end
        .rsplit(['.', ':', '\\', '$'])
        .next()
        .unwrap_or(word_end);
    let mut message = rest.trim_start();
    // `AssertionError [ERR_ASSERTION]: text`
    let mut bracketed = false;
    if let Some((code, more)) = message.strip_prefix('[').and_then(|m| m.split_once("]: ")) {
        if !is_code_word(code) {
            return None;
        }
        bracketed = true;
        message = more;
    }
    let ends = [
        "Error",
        "Exception",
        "Warning",
        "Interrupt",
        "Exit",
        "Failure",
        "Fault",
        "Panic",
        "Failed",
        "Mismatch",
    ];
    let typed = name.len() > 3
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && ends.iter().any(|end| {
            name.ends_with(end)
                && (name.len() > end.len() || *end == "Error" || *end == "Exception")
        })
        || name == "Error"
        || name == "StopIteration"
        || (word_end.contains('.') && ends.iter().any(|end| name.ends_with(end)));
    let shaped = colon > 0 || bracketed || rest.is_empty() || rest.starts_with('\n');
    (typed && shaped && !name.ends_with("Warning")).then_some((word_end, message))
}

/// One line of a stack trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function; empty where the frame names none.
    pub function: String,
    /// The file as printed; empty where the frame names none.
    pub file: String,
}

/// Reads a stack frame in the forms of many languages.
#[must_use]
pub fn frame(text: &str) -> Option<Frame> {
    let t = text.trim().trim_end_matches(" {");
    if let Some(rest) = t.strip_prefix("at ").or_else(|| t.strip_prefix("❯ ")) {
        return frame_at(rest);
    }
    if let Some(rest) = t.strip_prefix("File \"") {
        let (file, rest) = rest.split_once('"')?;
        rest.strip_prefix(", line ")?;
        let function = rest.split_once(", in ").map_or("", |(_, f)| f);
        return Some(frame_of(function, file));
    }
    if let Some(rest) = t.strip_prefix("from ") {
        let place = place(rest)?;
        return Some(frame_of(ruby_function(place.rest), place.file));
    }
    if indent(text) > 0
        && let Some(place) = place(t)
        && let Some(function) = place.rest.strip_prefix("in ")
    {
        return Some(frame_of(
            function
                .trim_start_matches("function ")
                .trim_matches(['\'', '`', '<', '>']),
            place.file,
        ));
    }
    if let Some(rest) = t.strip_prefix("# ") {
        let place = place(rest)?;
        return place
            .rest
            .starts_with("in ")
            .then(|| frame_of(ruby_function(place.rest), place.file));
    }
    if let Some(rest) = t.strip_prefix('#') {
        let after = digits(rest)?;
        if let Some(frame) = frame_native(after.trim_start()) {
            return Some(frame);
        }
        if let Some((_, rest)) = after.split_once(" in ") {
            let (function, file) = rest.rsplit_once(' ').map_or((rest, ""), |(f, p)| (f, p));
            return Some(frame_of(function, position_cut(file)));
        }
        // `#0 /path/Cart.php(17): Cart->total()`
        let (file, rest) = after.trim_start().split_once('(')?;
        let (_, function) = rest.split_once("): ")?;
        return is_file(file).then(|| frame_of(function, file));
    }
    None
}

/// `0x… in total (c=0x0) at cart.c:9`, `main () at cart.c:20`, `bump /a/cart.c:9 (app+0x1234)`.
fn frame_native(rest: &str) -> Option<Frame> {
    let rest = rest
        .split_once(" in ")
        .filter(|(address, _)| address.starts_with("0x"))
        .map_or(rest, |(_, rest)| rest);
    if let Some((call, file)) = rest.rsplit_once(" at ") {
        let (function, _) = call.split_once(" (")?;
        return Some(frame_of(function, position_cut(file)));
    }
    let (call, module) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let (function, file) = call.rsplit_once(' ')?;
    (module.contains("+0x") && position_cut(file).len() < file.len())
        .then(|| frame_of(function, position_cut(file)))
}

fn frame_at(rest: &str) -> Option<Frame> {
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    if let Some((function, file)) = rest.strip_suffix(')').and_then(|r| r.rsplit_once('(')) {
        let function = function.trim();
        if function.is_empty()
            || (!file.contains([':', '.']) && file != "Native Method" && file != "Unknown Source")
        {
            return None;
        }
        let function = function.split_once(" [as ").map_or(function, |(f, _)| f);
        return Some(frame_of(function, position_cut(file)));
    }
    if let Some((function, file)) = rest.split_once(" in ") {
        return Some(frame_of(
            function,
            file.split_once(":line ").map_or(file, |(f, _)| f),
        ));
    }
    let file = position_cut(rest);
    (file.len() < rest.len() && !file.contains(' ')).then(|| frame_of("", file))
}

fn ruby_function(rest: &str) -> &str {
    rest.strip_prefix("in ")
        .unwrap_or(rest)
        .trim_matches(['\'', '`', '"'])
}

fn frame_of(function: &str, file: &str) -> Frame {
    let function = function
        .split_once('(')
        .map_or(function, |(f, _)| if f.is_empty() { function } else { f });
    Frame {
        function: function.trim().to_owned(),
        file: file.trim().to_owned(),
    }
}

/// A path without `:L` or `:L:C`.
#[must_use]
pub fn position_cut(path: &str) -> &str {
    let mut path = path.trim();
    for _ in 0..2 {
        match path.rsplit_once(':') {
            Some((before, number))
                if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
            {
                path = before;
            }
            _ => break,
        }
    }
    path
}

impl Frame {
    /// Whether the frame is the project's own, not of a runtime, a library or a test framework.
    #[must_use]
    pub fn is_own(&self) -> bool {
        const FILES: &[&str] = &[
            "node:",
            "internal/",
            "node_modules/",
            "site-packages/",
            "dist-packages/",
            "/usr/lib/",
            "/usr/local/lib/",
            "/usr/share/",
            "/usr/include/",
            "/rustc/",
            "<frozen",
            "<string>",
            "<internal",
            "/vendor/",
            "/.cargo/",
            "/gems/",
            "/go/src/",
            "/go/pkg/",
            "sysdeps/",
            "csu/",
            "libsanitizer/",
            "/nptl/",
            "lib/python",
            "/libexec/",
            "Native Method",
            "/lib/x86_64",
            "(BuildId",
            "/go-",
            "_testmain.go",
            "glibc",
            "/gcc/",
            "/ruby/",
            "<anonymous>",
            "native",
            "/usr/libexec",
            "/usr/bin/",
            "/usr/local/go",
            "/lib/ruby",
            "/.nvm/",
            "/.pyenv/",
            "/sdk/",
            "deno:",
            "ext:",
        ];
        const FUNCTIONS: &[&str] = &[
            "java.",
            "javax.",
            "jdk.",
            "sun.",
            "com.sun.",
            "org.junit",
            "junit.",
            "org.apache.maven",
            "kotlin.",
            "scala.",
            "groovy.",
            "org.codehaus.",
            "org.gradle",
            "worker.org.gradle",
            "org.testng",
            "org.opentest4j",
            "org.hamcrest",
            "runtime.",
            "testing.",
            "std::",
            "core::",
            "alloc::",
            "test::",
            "__rust",
            "rust_begin_unwind",
            "System.",
            "Microsoft.",
            "process.processTicksAndRejections",
            "Module._",
            "Xunit.",
            "NUnit.",
            "__libc",
            "_start",
            "__interceptor",
            "__asan",
            "__ubsan",
            "__tsan",
            "clojure.",
            "reflect.",
            "_PyEval",
            "__GI_",
            "abort",
            "raise",
            "__assert",
        ];
        !FILES.iter().any(|f| self.file.contains(f))
            && !FUNCTIONS.iter().any(|f| self.function.starts_with(f))
    }

    /// The frame as it is hashed: the function and the name of its file, without what compilers number.
    #[must_use]
    pub fn name(&self) -> String {
        let base = self.file.rsplit(['/', '\\']).next().unwrap_or(&self.file);
        let mut function = String::new();
        let mut rest = self.function.as_str();
        while let Some(c) = rest.chars().next() {
            if let Some(number) = rest.strip_prefix("$").or_else(|| rest.strip_prefix("func"))
                && number.starts_with(|c: char| c.is_ascii_digit())
            {
                function.push_str(rest.get(..rest.len() - number.len()).unwrap_or_default());
                rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
                continue;
            }
            function.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        format!("{function}@{base}")
    }
}

/// Of frames in the order innermost first: the two innermost of the project, and the outermost of it.
#[must_use]
pub fn key_frames(frames: &[Frame]) -> Vec<String> {
    let mut own: Vec<String> = Vec::new();
    for frame in frames.iter().filter(|f| f.is_own()) {
        let name = frame.name();
        // A recursion counts once.
        if own.last() != Some(&name) {
            own.push(name);
        }
    }
    if own.len() > 3 {
        let outer = own.pop();
        own.truncate(2);
        own.extend(outer);
    }
    own
}

/// Source shown beside a diagnostic: `12 | code`, `| ^^^`, `> 12 | code`, a line of carets.
#[must_use]
pub fn is_gutter(text: &str) -> bool {
    let t = text.trim_start_matches(['>', ' ', '→', '\t', '❯']);
    let after = t
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start();
    after.starts_with(['|', '│', '┆', '╎'])
        || (!t.is_empty() && t.chars().all(|c| "^~-_| ".contains(c)) && t.contains(['^', '~']))
}

/// Whether a file has an extension, as printed.
#[must_use]
pub fn has_extension(file: &str, extension: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, e)| e == extension)
}

/// A line drawn across the page.
#[must_use]
pub fn is_rule(text: &str) -> bool {
    let t = text.trim();
    t.chars().count() >= 3 && t.chars().all(|c| "=-_*~#⎯─━═+. ".contains(c))
}

/// A line without its duration at the end: `name (12 ms)`, `name [0.02s]`, `name 3ms`.
#[must_use]
pub fn untimed(text: &str) -> &str {
    let t = text.trim_end();
    if let Some((before, inside)) = t
        .strip_suffix([')', ']', '>'])
        .and_then(|b| b.rsplit_once(['(', '[', '<']))
    {
        return if is_duration(inside) {
            before.trim_end()
        } else {
            t
        };
    }
    match t.rsplit_once([' ', '\t']) {
        Some((before, last)) if is_duration(last) => before.trim_end(),
        Some((before, "ms" | "s" | "sec" | "seconds")) => match before.rsplit_once([' ', '\t']) {
            Some((head, number)) if number.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
                head.trim_end()
            }
            _ => t,
        },
        _ => t,
    }
}

/// `12ms`, `0.02 s`, `1m3s`, `took 3 ms`.
fn is_duration(text: &str) -> bool {
    let t = text
        .trim()
        .trim_start_matches("took ")
        .trim_start_matches('<');
    let t = t.trim_start_matches("Duration: ");
    t.starts_with(|c: char| c.is_ascii_digit())
        && t.ends_with(['s', 'm', 'h'])
        && t.chars()
            .all(|c| c.is_ascii_digit() || ".:, µ".contains(c) || "hmsnuecondi".contains(c))
}

/// Words that stand beside a number in a summary.
const COUNTED: &[&str] = &[
    "passed",
    "failed",
    "fail",
    "failures",
    "failure",
    "errors",
    "error",
    "tests",
    "test",
    "total",
    "run",
    "skipped",
    "pending",
    "ok",
    "problems",
    "problem",
    "warnings",
    "warning",
    "in",
    "s",
    "ms",
    "seconds",
    "second",
    "example",
    "examples",
    "failing",
    "passing",
    "found",
    "checks",
    "check",
    "assertions",
    "assertion",
    "files",
    "file",
    "of",
    "out",
    "and",
    "with",
    "generated",
    "success",
    "successes",
    "ignored",
    "time",
    "suites",
    "suite",
    "expectations",
    "checked",
    "issues",
    "scenario",
    "scenarios",
    "steps",
    "step",
    "specs",
    "spec",
    "cases",
    "case",
    "inconclusive",
    "pass",
    "passes",
    "offenses",
    "detected",
    "inspected",
    "no",
    "x",
    "were",
    "was",
    "executed",
    "fixable",
    "fixed",
    "took",
    "finished",
    "runs",
    "skips",
    "completed",
    "features",
    "feature",
    "successful",
    "specifications",
    "browsers",
    "listed",
    "below",
    "had",
    "items",
    "item",
];

/// A line of counts: `3 passed, 1 failed`, `Tests run: 4, Failures: 1`, `2 problems (2 errors, 0 warnings)`.
#[must_use]
pub fn counts_only(text: &str) -> bool {
    if text.contains(['"', '\'', '=', '$', '<', '`']) {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let (mut numbers, mut words) = (0, 0);
    for word in lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        let known = COUNTED.contains(&word);
        if word.bytes().all(|b| b.is_ascii_digit()) {
            numbers += 1;
        } else if known {
            words += 1;
        } else {
            return false;
        }
    }
    numbers > 0 && words > 0
}

/// The text behind a number of blanks, and how many they are.
#[must_use]
pub fn indent(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_many_forms() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            assert_eq!(place(text).map(|p| (p.file, p.rest)), expected, "{text}");
        };
        check("a/b.c:12:5: error: x", Some(("a/b.c", "error: x")));
        check("a.ts(3,4): error TS1: x", Some(("a.ts", "error TS1: x")));
        check(
            "C:\\a\\b.cs(3,4): error CS1: x",
            Some(("C:\\a\\b.cs", "error CS1: x")),
        );
        check("a.go:12: x", Some(("a.go", "x")));
        check(
            "run.sh: line 4: foo: command not found",
            Some(("run.sh", "foo: command not found")),
        );
        check(
            "/x/A.java:[3,4] cannot find symbol",
            Some(("/x/A.java", "cannot find symbol")),
        );
        check("http://x.org:80/a", None);
        check("12:30:11: x", None);
        check("error: a.c:3: x", None);
    }

    #[test]
    fn diagnostics_are_split_into_severity_code_and_message() {
        let check = |text: &str, severity: Severity, code: &str, message: &str| {
            assert_eq!(
                said(text),
                Said {
                    severity,
                    code,
                    message
                },
                "{text}"
            );
        };
        check(
            "error[E0308]: mismatched types",
            Severity::Error,
            "E0308",
            "mismatched types",
        );
        check(
            "error TS2339: Property 'x'",
            Severity::Error,
            "TS2339",
            "Property 'x'",
        );
        check(
            "error: Bad type  [arg-type]",
            Severity::Error,
            "arg-type",
            "Bad type",
        );
        check(
            "W0611: Unused import os (unused-import)",
            Severity::Unsaid,
            "W0611",
            "Unused import os (unused-import)",
        );
        check(
            "undefined: stocks",
            Severity::Unsaid,
            "",
            "undefined: stocks",
        );
        check("note: here", Severity::Note, "", "here");
    }

    #[test]
    fn exceptions_are_types_with_a_message() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            assert_eq!(exception(text), expected, "{text}");
        };
        check("ValueError: x", Some(("ValueError", "x")));
        check(
            "java.lang.IllegalStateException: y",
            Some(("java.lang.IllegalStateException", "y")),
        );
        check(
            "Exception in thread \"main\" java.io.IOException",
            Some(("java.io.IOException", "")),
        );
        check(
            "AssertionError [ERR_ASSERTION]: z",
            Some(("AssertionError", "z")),
        );
        check("There is an Error here", None);
        check("DeprecationWarning: x", None);
    }

    #[test]
    fn frames_are_read_in_many_forms() {
        let check = |text: &str, function: &str, file: &str| {
            assert_eq!(
                frame(text),
                Some(Frame {
                    function: function.into(),
                    file: file.into()
                }),
                "{text}"
            );
        };
        check("    at lookup (/a/b.js:3:4)", "lookup", "/a/b.js");
        check(
            "\tat shop.Main.step(Main.java:8)",
            "shop.Main.step",
            "Main.java",
        );
        check("  File \"a/b.py\", line 3, in f", "f", "a/b.py");
        check("    #0 0x12 in step /a/b.c:21", "step", "/a/b.c");
        check("\tfrom app.rb:3:in `step'", "step", "app.rb");
        check(
            "   at Shop.Cart.Total(Int32 x) in /a/Cart.cs:line 3",
            "Shop.Cart.Total",
            "/a/Cart.cs",
        );
        assert_eq!(frame("at the end of the day"), None);
    }
}
