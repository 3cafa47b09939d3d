//! Which bytes the parts of a secret are made of.

/// A set of bytes.
pub(super) type Class = fn(u8) -> bool;

pub(super) fn is_alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

pub(super) fn is_capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

pub(super) fn is_word(byte: u8) -> bool {
    is_alnum(byte) || byte == b'_'
}

pub(super) fn is_capital_word(byte: u8) -> bool {
    is_capital(byte) || byte == b'_'
}

pub(super) fn is_small_word(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

pub(super) fn is_url64(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

pub(super) fn is_base64(byte: u8) -> bool {
    is_alnum(byte) || matches!(byte, b'+' | b'/' | b'=')
}

pub(super) fn is_web_token(byte: u8) -> bool {
    is_url64(byte) || byte == b'.'
}

pub(super) fn is_bearer(byte: u8) -> bool {
    is_web_token(byte) || is_base64(byte) || byte == b'~'
}

pub(super) fn is_label(byte: u8) -> bool {
    is_capital(byte) || byte == b' '
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'\\')
}

pub(super) fn is_separator(byte: u8) -> bool {
    is_space(byte) || is_quote(byte) || matches!(byte, b':' | b'=')
}

pub(super) fn is_line(byte: u8) -> bool {
    !matches!(byte, b'\n' | b'\r')
}

pub(super) fn is_value(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !is_quote(byte)
}

pub(super) fn is_password(byte: u8) -> bool {
    is_value(byte) && !matches!(byte, b'/' | b'@' | b'<' | b'>' | b'`')
}

pub(super) fn is_user(byte: u8) -> bool {
    is_password(byte) && !matches!(byte, b':' | b'?' | b'#')
}
