use proptest::prelude::*;

use super::*;

fn check(text: &str, expected: &str) {
    assert_eq!(redact(text), expected);
}

fn masked(prefix: &str, secret: &str, rest: &str) {
    check(
        &format!("{prefix}{secret}{rest}"),
        &format!("{prefix}{MASK}{rest}"),
    );
}

fn kept(text: &str) {
    check(text, text);
}

#[test]
fn tokens_are_masked_and_say_what_they_were() {
    let forty = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF3hI5kL7n";
    for prefix in [
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "sk_live_",
        "npm_",
        "AIza",
        "sk-ant-api03-",
        "sk-proj-",
    ] {
        let known = if prefix.starts_with("sk-") {
            "sk-"
        } else {
            prefix
        };
        check(
            &format!("got '{prefix}{forty}'."),
            &format!("got '{known}{MASK}'."),
        );
    }
    masked("AKIA", "IOSFODNN7EXAMPLE", " in eu-1");
    masked("key=ASIA", "IOSFODNN7EXAMPLE", "\n");
    masked("xoxb-", "123456789012-abcdefghij", ")");
    masked(
        "eyJ",
        "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "\n",
    );
    masked("AccountKey=", "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9b==", ";Endpoint");
}

#[test]
fn words_that_only_look_alike_stay() {
    kept("task-runner-with-a-very-long-name-0123456789");
    kept("sk-some-kebab-name-that-is-long-enough");
    kept("AKIAIOSFODNN7EXAMPLEX AKIAiosfodnn7example XAKIAIOSFODNN7EXAMPLE");
    kept("ghp_short npm_config_registry eyJust a word.eyJ");
    kept("SyntaxError: UNEXPECTED_TOKEN: foo; TOKENIZERS_PARALLELISM=false MAX_TOKENS=4096");
    kept("if token == 'abc' or PASSWORD == None: TOKEN=$GITHUB_TOKEN PASSWORD=*** SECRET=<hidden>");
    kept("token=next_token(3) password=getpass12345() unexpected token: 7");
    kept("the bearer of bad news; Authorization: failed; authorization required");
    kept("see https://example.com/a:b@c and http://localhost:8080/x@y and git@github.com:a/b");
    kept("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----");
}

#[test]
fn headers_and_addresses_lose_their_secret_only() {
    masked("Authorization: Bearer ", "abc.def", "\r\nHost: x");
    masked("{\"authorization\": \"Basic ", "dXNlcjpwYXNz", "\"}");
    masked("Authorization: ", "0123456789abcdef0123", " x");
    masked(
        "Authorization: Digest ",
        "username=\"Mufasa\", response=\"6629\"",
        "\nnext",
    );
    masked(
        "with bearer ",
        "0123456789abcdef0123",
        ".\n".trim_start_matches('.'),
    );
    masked("git clone https://bob:", "hunter2", "@example.com/x.git");
    masked("https://", "0123456789abcdef01234567", "@example.com");
    masked("postgres://app:", "päss", "@db:5432/app");
}

#[test]
fn assignments_lose_their_value() {
    masked("PASSWORD=", "hunter2", "");
    masked("export DB_PASSWORD=\"", "hunter2", "\" X=1");
    masked("declare -x GITHUB_TOKEN='", "x", "'");
    masked(
        "AWS_SECRET_ACCESS_KEY=",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "\n",
    );
    masked(
        "aws_secret_access_key = ",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "\n",
    );
    masked("  API_TOKEN: ", "abc12345", "\n");
    masked("{\"password\":\"", "hunter2hunter2", "\"}");
    masked("?access_token=", "0123456789abcdef", " HTTP/1.1");
    masked("SECRET_KEY_BASE=", "größer", " ");
}

#[test]
fn private_keys_are_masked_whole() {
    let line = "MIIEpAIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL\n";
    let begin = "-----BEGIN RSA PRIVATE KEY-----";
    masked(
        begin,
        &format!("\n{}", line.repeat(26)),
        "-----END RSA PRIVATE KEY-----\nmore",
    );
    masked(begin, "\\nMIIE\\n", "-----END RSA PRIVATE KEY-----");
    // Of a block without an end the lines that look like it.
    masked(
        begin,
        &format!("\n{}", line.repeat(3)),
        "error: that was all\n",
    );
    masked(begin, &format!("\n{}", line.trim_end()), "");
    kept("-----BEGIN PRIVATE KEY----- is how it begins\n");
    let long = format!("{begin} is how it begins\n{}", "and so on\n".repeat(4000));
    kept(&long);
}

#[test]
fn what_was_masked_stays_as_it_is() {
    for text in [
        "PASSWORD=hunter2",
        "https://a:b@c",
        "Authorization: Basic abc",
        "ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9",
    ] {
        let once = redact(text).into_owned();
        assert_eq!(redact(&once), once);
    }
}

#[test]
fn no_trigger_is_part_of_another() {
    // Else the end of a block would decide which of them is found.
    for (a, _) in RULES {
        assert_eq!(
            RULES.iter().filter(|(b, _)| b.contains(a)).count(),
            1,
            "{a}"
        );
    }
}

#[test]
fn a_giant_secret_is_not_held_in_memory() {
    let mut redactor = Redactor::new();
    let mut out = Vec::new();
    redactor.push(b"TOKEN=x", &mut out);
    for _ in 0..1000 {
        redactor.push(&[b'x'; 1000], &mut out);
        assert!(redactor.held.len() < 100);
    }
    redactor.push(b" end", &mut out);
    redactor.finish(&mut out);
    assert_eq!(out, b"TOKEN=[redacted] end");
}

#[test]
fn the_byte_before_counts_in_the_block_before_too() {
    for text in [
        "XAKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPLE",
        "sk_live_0123456789abc",
        "task-0123456789abcdefghijkl",
        "Bearer 0123456789abcdef",
    ] {
        for at in 0..text.len() {
            let mut redactor = Redactor::new();
            let mut out = Vec::new();
            redactor.push(&text.as_bytes()[..at], &mut out);
            redactor.push(&text.as_bytes()[at..], &mut out);
            redactor.finish(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), redact(text), "{at}");
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    let literals: Vec<&str> = RULES.iter().map(|(literal, _)| *literal).collect();
    prop_oneof![
        prop::sample::select(literals).prop_map(str::to_owned),
        "[a-z0-9A-Z]{1,40}",
        Just("ORD".to_owned()),
        Just("sb-".to_owned()),
        "[ =:.@/\"'\n-]{1,3}",
        Just(".eyJ".to_owned()),
        Just("PRIVATE KEY-----\n".to_owned()),
        Just("-----END ".to_owned()),
        Just("ü".to_owned()),
    ]
}

proptest! {
    #[test]
    fn the_ends_of_blocks_do_not_matter(
        pieces in prop::collection::vec(piece(), 0..30),
        sizes in prop::collection::vec(1_usize..50, 1..20),
    ) {
        let text = pieces.concat();
        let mut redactor = Redactor::new();
        let mut out = Vec::new();
        let mut rest = text.as_bytes();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (block, after) = rest.split_at((*size).min(rest.len()));
            redactor.push(block, &mut out);
            rest = after;
        }
        redactor.finish(&mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), redact(&text));
    }

    #[test]
    fn any_bytes_are_no_danger(text in any::<String>()) {
        let _ = redact(&text);
    }
}
