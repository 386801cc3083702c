//! Text from outside on its way to people: one line, bounded, without characters that hide others.

/// At most `chars_max` characters of a text, then `…`; what doesn't show or reverses its
/// neighbours becomes a space.
pub(crate) fn line(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars();
    let shown = |c: char| if is_hidden(c) { ' ' } else { c };
    let mut line: String = chars.by_ref().take(chars_max).map(shown).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn text_from_outside_is_one_bounded_line() {
        assert_eq!(line("a\nb\u{1b}[31m\u{202e}c", 80), "a b [31m c");
        assert_eq!(line("äöü", 2), "äö…");
        assert_eq!(line("äö", 2), "äö");
    }
}
