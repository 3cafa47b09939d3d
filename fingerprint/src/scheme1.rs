//! The fingerprint of the earlier loop journal, to the letter, so that old journals compare with new ones.
//!
//! That program was written in Python, and its rule lives on what Python means by a line, a digit, a letter, white
//! space and case. This module follows it on every input, Unicode included, and leaves out every improvement: those are
//! scheme 2. The rule: of the lines that contain a signal word take the first 20, or if there is none the last five that
//! are not blank; lower their case; replace, one after the other, addresses, hexadecimal words, time stamps, numbers after
//! `:` or `line `, directories, durations and whole numbers; make white space single; hash.
//!
//! At most those lines are kept, so memory depends on the longest line and not on the length of the input. A line is never
//! cut, however long: its end may hold the signal word.

mod lines;
mod python;
mod rules;

use sha1::{Digest, Sha1};

pub use lines::Scheme1;

/// Names a failure as the earlier loop journal did: 12 hexadecimal digits, or nothing for blank text.
///
/// ```
/// # use fingerprint::scheme1::fingerprint;
/// assert_eq!(fingerprint("error: x at 0x7f01\n"), fingerprint("ERROR:  x at 0x12\nok\n"));
/// assert_eq!(fingerprint(" \n"), "");
/// ```
#[must_use]
pub fn fingerprint(text: &str) -> String {
    let mut scheme = Scheme1::new();
    scheme.push(text.as_bytes());
    scheme.finish()
}

/// The hash of the normalised lines.
fn name(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let normal = rules::normal(&python::lower(&lines.join("\n")));
    let digest = Sha1::digest(normal.as_bytes());
    let mut shown = String::with_capacity(12);
    for byte in digest.iter().take(6) {
        for half in [byte >> 4, byte & 15] {
            shown.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(input: &str, normal: &str) {
        let lines: Vec<String> = input.lines().map(str::to_owned).collect();
        assert_eq!(
            rules::normal(&python::lower(&lines.join("\n"))),
            normal,
            "{input:?}"
        );
    }

    #[test]
    fn each_rule_replaces_what_it_did() {
        check("at 0xDEADBEEF!", "at 0xADDR!");
        check("defaced a1b2c3d e0308", "HEX HEX e0308");
        check("2026-06-24T10:00:00Z, x", "TS x");
        check(
            "src/a.rs:10:5 line 42 exit code: 137",
            "src/a.rs:N line N exit code:N",
        );
        check(
            "/home/u/src/main.rs and a/b.rs and C:\\x\\y/z.txt",
            "PATH/main.rs and a/b.rs and c:PATH/z.txt",
        );
        check("3 strings, 1.5s, 12 MS, 5ſ", "DURtrings, DUR, DUR, DUR");
        check("a 5 b6 7", "a N b6 N");
        check("\u{1c}a\u{1f}\u{3000}b ", "a b");
    }

    #[test]
    fn unicode_is_what_python_makes_of_it() {
        check("٣٤ e\u{301}٣ ²5", "N e\u{301}N ²5");
        check("ΑΣ İ K", "ας i\u{307} k");
        check("l\u{131}ne 4", "l\u{131}ne N");
    }

    #[test]
    fn signal_lines_come_before_the_tail() {
        assert_eq!(fingerprint("a\nfatal\nb"), fingerprint("FATAL\nother"));
        assert_eq!(fingerprint("x\u{2028}faİl y\u{85}z"), fingerprint("faİl y"));
        assert_ne!(
            fingerprint("1a\n2a\n3a\n4a\n5a"),
            fingerprint("0a\n2a\n3a\n4a\n5a")
        );
        assert_eq!(
            fingerprint("0a\n1a\n\n2a\n3a\n \n4a\n5a\n"),
            fingerprint("1a\n2a\n3a\n4a\n5a")
        );
    }

    #[test]
    fn only_twenty_signal_lines_count() {
        let many = "error a\n".repeat(20);
        assert_eq!(fingerprint(&format!("{many}error b\n")), fingerprint(&many));
        assert_ne!(fingerprint(&format!("error b\n{many}")), fingerprint(&many));
    }

    #[test]
    fn blank_text_has_no_name() {
        for blank in ["", " ", "\n\t\u{1f}\u{2029}\u{3000}"] {
            assert_eq!(fingerprint(blank), "");
        }
    }

    #[test]
    fn a_line_of_any_length_counts_whole() {
        let long = format!("{} error {}", "x ".repeat(200_000), "y".repeat(100_000));
        let mut scheme = Scheme1::new();
        for block in format!("ok\n{long}\nok\n").as_bytes().chunks(65_536) {
            scheme.push(block);
        }
        assert_eq!(scheme.finish(), fingerprint(&long));
        assert_ne!(fingerprint(&long), fingerprint("x error y"));
    }

    fn in_blocks(bytes: &[u8], size: usize) -> String {
        let mut scheme = Scheme1::new();
        for block in bytes.chunks(size) {
            scheme.push(block);
        }
        scheme.finish()
    }

    proptest! {
        #[test]
        fn blocks_do_not_matter(
            parts in proptest::collection::vec("error|faıl|ſ|K|\u{85}|\u{2028}|\r\n|\n|\r|[a-z0-9 ]{1,6}|×|✗|\\PC", 0..40),
            size in 1usize..20,
        ) {
            let text = parts.concat();
            prop_assert_eq!(in_blocks(text.as_bytes(), size), fingerprint(&text));
        }

        #[test]
        fn any_bytes_are_read_as_text_with_replacements(bytes in proptest::collection::vec(any::<u8>(), 0..80), size in 1usize..9) {
            prop_assert_eq!(in_blocks(&bytes, size), fingerprint(&String::from_utf8_lossy(&bytes)));
        }
    }
}
