//! Text from outside, made fit to be shown: control characters and direction marks become visible.

use std::borrow::Cow;

/// Control characters (except newline and tab) as their Unicode pictures, direction marks as
/// `<U+202E>`. Borrowed where there is nothing to do.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !is_plain(text) && text.chars().any(is_hidden) {
        Cow::Owned(text.chars().fold(String::new(), push_visible))
    } else {
        Cow::Borrowed(text)
    }
}

/// The first `chars_max` characters on one line, with everything visible, and "…" where cut.
pub fn excerpt(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(chars_max).collect();
    let mut line = start.chars().fold(String::new(), |line, c| match c {
        '\n' | '\t' => push_picture(line, c),
        c => push_visible(line, c),
    });
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

/// Surely nothing is hidden; most text is found so at the speed of memory.
fn is_plain(text: &str) -> bool {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') | matches!(byte, b'\n' | b'\t');
    let all_plain = |chunk: &[u8]| chunk.iter().fold(true, |all, byte| all & plain(byte));
    text.as_bytes().chunks(64).all(all_plain)
}

fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn push_visible(mut text: String, c: char) -> String {
    if !is_hidden(c) {
        text.push(c);
        text
    } else if c.is_ascii() {
        push_picture(text, c)
    } else {
        text.push_str(&format!("<U+{:04X}>", u32::from(c)));
        text
    }
}

fn push_picture(mut text: String, c: char) -> String {
    let picture = match u32::from(c) {
        code @ 0..0x20 => char::from_u32(0x2400 + code),
        0x7f => Some('␡'),
        _ => None,
    };
    text.push(picture.unwrap_or(char::REPLACEMENT_CHARACTER));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(visible("a\x1b[31mb\u{202e}c\n\td"), "a␛[31mb<U+202E>c\n\td");
        assert!(matches!(visible("plain é 🦀"), Cow::Borrowed(_)));
        assert_eq!(excerpt("a\nb\u{0}cdef", 4), "a␊b␀…");
    }
}
