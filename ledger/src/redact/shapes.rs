//! Secrets of more than one part.

use memchr::memmem;

use super::class::{
    Class, is_alnum, is_base64, is_capital_word, is_label, is_line, is_password, is_quote,
    is_separator, is_small_word, is_space, is_url64, is_user, is_value, is_web_token,
};
use super::rules::NEAR;
use super::text::{Judged, More, Secret, Text};

/// The longest name or password in front of a host.
const USER_MAX: usize = 256;
/// The longest header of a web token.
const HEADER_MAX: usize = 2048;
/// The longest block of a private key.
const BLOCK_MAX: usize = 16 << 10;

pub(super) fn web_token(text: &Text<'_>) -> Judged {
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

pub(super) fn key_block(text: &Text<'_>) -> Judged {
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

pub(super) fn authorization(text: &Text<'_>) -> Judged {
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

pub(super) fn user_info(text: &Text<'_>) -> Judged {
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
pub(super) fn assignment(text: &Text<'_>, ends: &[&str], is_variable: bool) -> Judged {
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
