//! What kind of trouble a message tells of: the message without what it is about.

use super::text::Text;

/// Words around a number that is a code, not an operand.
const CODES: [&str; 20] = [
    "code",
    "status",
    "errno",
    "error",
    "signal",
    "exit",
    "exited",
    "returned",
    "http",
    "sqlstate",
    "err",
    "rc",
    "exitcode",
    "e",
    "response",
    "statuscode",
    "hresult",
    "killed",
    "with",
    "oserror",
];

/// Replaces quoted text, operands and paths in a signature.
pub(super) fn reduced(signature: &str) -> String {
    let text = Text::new(signature);
    let mut out = String::with_capacity(signature.len());
    let mut index = 0;
    while index < text.len() {
        let next = match text.at(index) {
            quote @ (b'"' | b'\'') if opens(text, index) => {
                quoted(text, index, quote).inspect(|_| out.push_str("''"))
            }
            b'<' => placeholder(text, index)
                .inspect(|&end| out.push_str(&kind_only(text.part(index, end)))),
            b'0'..=b'9' if text.starts(index) && text.before(index) != Some('.') => {
                Some(number(text, index, &mut out))
            }
            _ => None,
        };
        if let Some(end) = next {
            index = end;
            continue;
        }
        let end = text.skip(index, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'.' | b'-' | b'\\')
        });
        let token = text.part(index, end);
        if let Some(path) = path_of(token) {
            out.push_str("<path>");
            index += path;
        } else if end > index {
            let word = text.word(index).max(index + 1);
            out.push_str(text.part(index, word));
            index = word;
        } else if let Some(c) = text.rest(index).chars().next() {
            out.push(c);
            index += c.len_utf8();
        } else {
            break;
        }
    }
    out
}

fn opens(text: Text<'_>, index: usize) -> bool {
    !text.before(index).is_some_and(char::is_alphanumeric)
}

fn quoted(text: Text<'_>, start: usize, quote: u8) -> Option<usize> {
    let mut index = start + 1;
    while index < text.len() && index - start < 4096 {
        let byte = text.at(index);
        if byte == quote && (quote == b'"' || text.ends(index + 1)) {
            return Some(index + 1);
        }
        index += if byte == b'\\' { 2 } else { 1 };
    }
    None
}

fn placeholder(text: Text<'_>, start: usize) -> Option<usize> {
    let name = text.skip(start + 1, |byte| byte.is_ascii_lowercase());
    let end = text.digits(name);
    (name > start + 1 && text.at(end) == b'>').then_some(end + 1)
}

/// `<uuid2>` as `<uuid>`: which of them it was is no kind of trouble.
fn kind_only(placeholder: &str) -> String {
    placeholder
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .collect()
}

/// Copies a code, replaces an operand by `N`.
fn number(text: Text<'_>, start: usize, out: &mut String) -> usize {
    let end = text.skip(start, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')
    });
    let end = if text.at(end - 1) == b'.' {
        end - 1
    } else {
        end
    };
    let found = text.part(start, end);
    let before = out.trim_end_matches([' ', ':', '=', '(', '[', '#', '\'', '"', '-']);
    let word = before
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or("")
        .to_ascii_lowercase();
    // `404 Not Found`: the reason names the code.
    let reason = found.len() == 3
        && matches!(text.at(start), b'1'..=b'5')
        && text.at(end) == b' '
        && text.at(end + 1).is_ascii_uppercase()
        && text.at(end + 2).is_ascii_lowercase();
    if CODES.contains(&word.as_str()) || reason || found.starts_with("0x") {
        out.push_str(found);
    } else {
        out.push('N');
    }
    end
}

/// Length of the path a token is: it has a folder or the extension of a file.
fn path_of(token: &str) -> Option<usize> {
    let token = token.trim_end_matches(['.', '-']);
    let name = token.rsplit('/').next().unwrap_or(token);
    let extension = name
        .rsplit_once('.')
        .filter(|(stem, _)| !stem.is_empty())
        .map_or("", |(_, extension)| extension);
    let file = (1..=4).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_lowercase());
    let folder =
        token.contains('/') && token.len() > 1 && token.contains(|c: char| c.is_ascii_alphabetic());
    (folder || (file && !name.contains("..") && token.contains(|c: char| c.is_ascii_alphabetic())))
        .then_some(token.len())
}
