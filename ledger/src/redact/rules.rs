//! What a secret looks like: the literal it begins with, and the shape of what follows.
//!
//! Every judgement looks a bounded way ahead, from the literal on, and at the one byte before it; so a stream can be
//! judged wherever its blocks end. A mask begins and ends at ASCII bytes.

use super::class::{
    Class, is_alnum, is_base64, is_bearer, is_capital, is_space, is_url64, is_word,
};
use super::shapes::{assignment, authorization, key_block, user_info, web_token};
use super::text::{Judged, Secret, Text};

/// How far a token is looked at for a digit, and a name for its end.
pub(super) const NEAR: usize = 64;

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
