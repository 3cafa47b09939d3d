//! What a secret looks like: the literal it begins with, and the shape of what follows.
//!
//! Every judgement looks a bounded way ahead, from the literal on, and at the one byte before it; so a stream can be
//! judged wherever its blocks end. A mask begins and ends at ASCII bytes.

use memchr::memmem;

use super::class::{
    Class, is_alnum, is_base64, is_bearer, is_capital, is_capital_word, is_label, is_line,
    is_password, is_quote, is_separator, is_small_word, is_space, is_url64, is_user, is_value,
    is_web_token, is_word,
};

/// More of the stream must be seen before this can be judged.
pub(super) struct More;

/// Where a secret lies, counted from its trigger.
pub(super) struct Secret {
    /// Where it begins, in bytes; what stands before is kept.
    pub(super) from: usize,
    /// How long it surely is.
    pub(super) len: usize,
    /// The bytes by which it goes on behind that.
    pub(super) and_on: Option<Class>,
}

/// What can be seen from a trigger.
pub(super) struct Text<'t> {
    /// The byte before the trigger.
    pub(super) before: Option<u8>,
    /// The trigger and what follows.
    pub(super) bytes: &'t [u8],
    /// The length of the trigger.
    pub(super) trigger: usize,
    /// Whether nothing follows `bytes`.
    pub(super) is_last: bool,
}

/// How the secrets behind one literal look.
pub(super) enum Rule {
    /// A token: at least `min` bytes of a class.
    Token {
        class: Class,
        min: usize,
        apart: bool,
        digit: bool,
    },
    /// An access key: exactly this many capitals and digits.
    AccessKey(usize),
    /// The letter and the hyphen of a Slack token, and the token.
    Slack,
    /// A secret or a restricted key of Stripe.
    Stripe,
    /// A JSON web token.
    WebToken,
    /// A block of a private key, or of anything else between such lines.
    KeyBlock,
    /// The header of that name.
    Authorization,
    /// A value behind the name of a scheme.
    Bearer,
    /// Name and password in front of a host.
    UserInfo,
    /// The name of a variable in an environment, as shells and services print it, with one of these ends.
    Variable(&'static [&'static str]),
    /// The name of a setting in lower case, with one of these ends.
    Setting(&'static [&'static str]),
}

const fn token(class: Class, min: usize) -> Rule {
    Rule::Token {
        class,
        min,
        apart: false,
        digit: false,
    }
}

/// A token behind a literal that words can end with.
const fn apart(class: Class, min: usize) -> Rule {
    Rule::Token {
        class,
        min,
        apart: true,
        digit: true,
    }
}

/// The triggers and their rules. No trigger is part of another, so the order of blocks and rules does not matter; and
/// there are 32, the most that the search for them takes at full speed. So some are only a part of what they look for.
pub(super) const RULES: [(&str, Rule); 32] = [
    ("AKIA", Rule::AccessKey(16)),
    ("ASIA", Rule::AccessKey(16)),
    ("ghp_", token(is_alnum, 20)),
    ("gho_", token(is_alnum, 20)),
    ("ghs_", token(is_alnum, 20)),
    ("ghu_", token(is_alnum, 20)),
    ("ghr_", token(is_alnum, 20)),
    ("github_pat_", token(is_word, 20)),
    ("glpat-", token(is_url64, 16)),
    ("xox", Rule::Slack),
    ("k_live_", Rule::Stripe),
    ("k_test_", Rule::Stripe),
    ("sk-", apart(is_url64, 20)),
    ("AIza", apart(is_url64, 30)),
    ("npm_", apart(is_alnum, 30)),
    ("AccountKey=", token(is_base64, 20)),
    ("eyJ", Rule::WebToken),
    ("-----BEGIN ", Rule::KeyBlock),
    ("uthorization", Rule::Authorization),
    ("earer ", Rule::Bearer),
    ("://", Rule::UserInfo),
    ("PASSW", Rule::Variable(&["ORD", "D"])),
    ("TOKEN", Rule::Variable(&[""])),
    ("SECRET", Rule::Variable(&[""])),
    ("API_KEY", Rule::Variable(&[""])),
    ("ACCESS_KEY", Rule::Variable(&[""])),
    ("PRIVATE_KEY", Rule::Variable(&[""])),
    ("passw", Rule::Setting(&["ord", "d"])),
    ("token", Rule::Setting(&[""])),
    ("secret", Rule::Setting(&[""])),
    ("api_key", Rule::Setting(&[""])),
    ("access_key", Rule::Setting(&[""])),
];

/// How far a token is looked at for a digit, and a name for its end.
const NEAR: usize = 64;
/// The longest name or password in front of a host.
const USER_MAX: usize = 256;
/// The longest header of a web token.
const HEADER_MAX: usize = 2048;
/// The longest block of a private key.
const BLOCK_MAX: usize = 16 << 10;

type Judged = Result<Option<Secret>, More>;

impl Rule {
    /// Says where behind the trigger a secret lies, if there is one.
    pub(super) fn judge(&self, text: &Text<'_>) -> Judged {
        let trigger = text.trigger;
        match *self {
            Rule::Token {
                class,
                min,
                apart,
                digit,
            } => {
                if apart && text.before.is_some_and(is_alnum) {
                    return Ok(None);
                }
                let len = text.run(trigger, class, NEAR)?;
                let fits = len >= min && (!digit || text.has_digit(trigger, len));
                Ok(fits.then_some(Secret {
                    from: trigger,
                    len,
                    and_on: Some(class),
                }))
            }
            Rule::AccessKey(exactly) => {
                if text.before.is_some_and(is_alnum) {
                    return Ok(None);
                }
                let len = text.run(trigger, is_alnum, exactly + 1)?;
                let fits = len == exactly && text.run(trigger, is_capital, len)? == len;
                Ok(fits.then_some(Secret {
                    from: trigger,
                    len,
                    and_on: None,
                }))
            }
            Rule::WebToken => web_token(text),
            Rule::KeyBlock => key_block(text),
            Rule::Authorization => authorization(text),
            Rule::Slack => {
                let is_known = matches!(
                    text.peek(trigger)?,
                    Some(b'a' | b'b' | b'e' | b'o' | b'p' | b'r' | b's')
                );
                if !is_known || text.peek(trigger + 1)? != Some(b'-') {
                    return Ok(None);
                }
                text.at_least(10, trigger + 2, is_url64)
            }
            Rule::Stripe if matches!(text.before, Some(b's' | b'r')) => {
                text.at_least(10, trigger, is_alnum)
            }
            Rule::Bearer if matches!(text.before, Some(b'B' | b'b')) => {
                text.at_least(16, trigger + text.run(trigger, is_space, 4)?, is_bearer)
            }
            Rule::Stripe | Rule::Bearer => Ok(None),
            Rule::UserInfo => user_info(text),
            Rule::Variable(ends) => assignment(text, ends, true),
            Rule::Setting(ends) => assignment(text, ends, false),
        }
    }
}

impl Text<'_> {
    /// How many bytes of a class follow `from`, looking no further than `max`.
    fn run(&self, from: usize, class: Class, max: usize) -> Result<usize, More> {
        let seen = self.bytes.get(from..).unwrap_or_default();
        let len = seen
            .iter()
            .take(max)
            .take_while(|byte| class(**byte))
            .count();
        if len == seen.len() && len < max && !self.is_last {
            Err(More)
        } else {
            Ok(len)
        }
    }

    /// The byte at `at`; none behind the end.
    fn peek(&self, at: usize) -> Result<Option<u8>, More> {
        match self.bytes.get(at) {
            None if !self.is_last => Err(More),
            other => Ok(other.copied()),
        }
    }

    /// A secret of this class, if it is at least so long.
    fn at_least(&self, min: usize, from: usize, class: Class) -> Judged {
        let len = self.run(from, class, min)?;
        Ok((len == min).then_some(Secret {
            from,
            len,
            and_on: Some(class),
        }))
    }

    fn cut(&self, from: usize, len: usize) -> &[u8] {
        self.bytes
            .get(from..)
            .map_or(&[], |rest| rest.get(..len).unwrap_or(rest))
    }

    fn has_digit(&self, from: usize, len: usize) -> bool {
        self.cut(from, len).iter().any(u8::is_ascii_digit)
    }
}

fn web_token(text: &Text<'_>) -> Judged {
    if text.before.is_some_and(is_alnum) {
        return Ok(None);
    }
    let header = text.trigger + text.run(text.trigger, is_url64, HEADER_MAX)?;
    for (at, expected) in (header..).zip(b".eyJ") {
        if text.peek(at)? != Some(*expected) {
            return Ok(None);
        }
    }
    Ok(Some(Secret {
        from: text.trigger,
        len: header - text.trigger,
        and_on: Some(is_web_token),
    }))
}

fn key_block(text: &Text<'_>) -> Judged {
    let from = text.trigger + text.run(text.trigger, is_label, NEAR)?;
    for (at, expected) in (from..).zip(b"-----") {
        if text.peek(at)? != Some(*expected) {
            return Ok(None);
        }
    }
    if !text
        .cut(text.trigger, from - text.trigger)
        .ends_with(b"PRIVATE KEY")
    {
        return Ok(None);
    }
    let from = from + 5;
    let body = text.cut(from, BLOCK_MAX);
    if let Some(len) = memmem::find(body, b"-----END ") {
        return Ok(Some(Secret {
            from,
            len,
            and_on: None,
        }));
    }
    if body.len() < BLOCK_MAX && !text.is_last {
        return Err(More);
    }
    // Its end is missing: what looks like lines of the block is masked, and nothing else is lost.
    let lines = body.split_inclusive(|byte| *byte == b'\n').enumerate();
    let of_key = lines.take_while(|(index, line)| {
        let line = line.trim_ascii();
        *index == 0 && line.is_empty()
            || line.len() >= 16 && line.iter().all(|byte| is_base64(*byte))
    });
    let len = of_key.map(|(_, line)| line.len()).sum();
    let and_on: Option<Class> = if len == BLOCK_MAX {
        Some(is_base64)
    } else {
        None
    };
    Ok((len > 1).then_some(Secret { from, len, and_on }))
}

fn authorization(text: &Text<'_>) -> Judged {
    let scheme = text.trigger + text.run(text.trigger, is_separator, 8)?;
    if !text
        .cut(text.trigger, scheme - text.trigger)
        .iter()
        .any(|byte| matches!(byte, b':' | b'='))
    {
        return Ok(None);
    }
    let word = scheme + text.run(scheme, is_url64, NEAR)?;
    let value = word + text.run(word, is_space, 4)?;
    let scheme_end = if value > word { word } else { scheme };
    let named = text.cut(scheme, scheme_end - scheme).to_ascii_lowercase();
    let (is_scheme, and_on): (bool, Class) = match named.as_slice() {
        b"bearer" | b"basic" | b"token" | b"apikey" | b"negotiate" | b"ntlm" => (true, is_value),
        // Their parts are quoted one by one.
        b"digest" | b"aws4-hmac-sha256" => (true, is_line),
        _ => (false, is_value),
    };
    // A word that names no scheme is a value by itself, if it is long enough to be no prose.
    let (from, min) = if is_scheme { (value, 1) } else { (scheme, 16) };
    let len = text.run(from, and_on, min)?;
    Ok((len == min).then_some(Secret {
        from,
        len,
        and_on: Some(and_on),
    }))
}

fn user_info(text: &Text<'_>) -> Judged {
    let user = text.run(text.trigger, is_user, USER_MAX)?;
    let end = text.trigger + user;
    match text.peek(end)? {
        Some(b':') => {
            let len = text.run(end + 1, is_password, USER_MAX)?;
            let fits = len > 0 && text.peek(end + 1 + len)? == Some(b'@');
            Ok(fits.then_some(Secret {
                from: end + 1,
                len,
                and_on: None,
            }))
        }
        // A token in the place of the user.
        Some(b'@') if user >= 20 && text.has_digit(text.trigger, user) => Ok(Some(Secret {
            from: text.trigger,
            len: user,
            and_on: None,
        })),
        _ => Ok(None),
    }
}

/// `NAME=value`, `NAME="value"`, and, where the value looks like no word, `NAME: value` and `NAME = value`.
fn assignment(text: &Text<'_>, ends: &[&str], is_variable: bool) -> Judged {
    // `TOKENIZER` and `SECRETS` are other words; `TOKEN_2` and `SECRET_KEY` are not.
    let letters = text.run(text.trigger, |byte| byte.is_ascii_alphabetic(), 4)?;
    if !ends
        .iter()
        .any(|end| end.as_bytes() == text.cut(text.trigger, letters))
    {
        return Ok(None);
    }
    let name_end = text.trigger
        + text.run(
            text.trigger,
            if is_variable {
                is_capital_word
            } else {
                is_small_word
            },
            NEAR,
        )?;
    let quotes_end = name_end + text.run(name_end, is_quote, 4)?;
    let sign = quotes_end + text.run(quotes_end, is_space, 4)?;
    let is_direct = match text.peek(sign)? {
        Some(b'=') => sign == quotes_end,
        Some(b':') => false,
        _ => return Ok(None),
    };
    let opened = sign
        + 1
        + if is_direct {
            0
        } else {
            text.run(sign + 1, is_space, 4)?
        };
    let from = opened + text.run(opened, is_quote, 4)?;
    // What names or calls a secret is none, and `==` compares.
    if text
        .peek(from)?
        .is_some_and(|first| matches!(first, b'=' | b'$' | b'*' | b'<' | b'('))
    {
        return Ok(None);
    }
    let len = text.run(from, is_value, NEAR)?;
    let is_random = len >= 8 && text.has_digit(from, len) && !text.cut(from, len).contains(&b'(');
    let is_quoted = quotes_end > name_end;
    let fits = match (is_variable, is_direct) {
        (true, true) => len > 0,
        (true, false) | (false, true) => is_random,
        // `"password": "…"` is data, `token: …` could be prose.
        (false, false) => is_random && (is_quoted || len >= 16),
    };
    Ok(fits.then_some(Secret {
        from,
        len,
        and_on: Some(is_value),
    }))
}
