//! What is looked at before a text reaches the parser: the bounds that keep it from overflowing the
//! stack, and the lengths of time that it would panic on.

use super::error::PromqlError;

const LENGTH_MAX: usize = 64 * 1024;
/// Brackets and operators; each can make the tree one level deeper.
const PARTS_MAX: usize = 1_000;
/// Digits of a bare number of seconds; the parser panics on those that are no duration.
const DIGITS_MAX: usize = 12;

/// # Errors
/// A text that is too long or joins too many parts, or a length of time that can't be read.
pub(super) fn check(text: &str) -> Result<(), PromqlError> {
    if text.len() > LENGTH_MAX {
        return Err(PromqlError::TooLong {
            length: text.len(),
            limit: LENGTH_MAX,
        });
    }
    let mut parts = 0;
    let mut rest = text;
    // What comes next is a length of time, if it begins like a number.
    let mut is_length = false;
    while let Some(first) = rest.chars().next() {
        let token = &rest[..token_length(rest, first)];
        rest = &rest[token.len()..];
        let is_skipped = first.is_whitespace() || first == '#';
        if is_skipped || (is_length && matches!(first, '+' | '-')) {
            continue;
        }
        if is_length {
            check_length(token)?;
        }
        is_length = matches!(token, "[" | ":") || token.eq_ignore_ascii_case("offset");
        parts += usize::from(is_part(token, first));
    }
    match parts > PARTS_MAX {
        true => Err(PromqlError::TooDeep { limit: PARTS_MAX }),
        false => Ok(()),
    }
}

fn is_part(token: &str, first: char) -> bool {
    let words = ["and", "or", "unless", "atan2"];
    "([{+-*/%^=!<>".contains(first) || words.iter().any(|word| token.eq_ignore_ascii_case(word))
}

fn check_length(token: &str) -> Result<(), PromqlError> {
    let is_word = |word: &str| token.eq_ignore_ascii_case(word);
    let begins_as_number = token.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let has_unit = token.ends_with(|last: char| "smhdwy".contains(last));
    let plain = |letter: char| letter.is_ascii_digit() || letter == '.';
    let is_bad_number = begins_as_number && !has_unit && !token.chars().all(plain);
    let is_too_long = begins_as_number && !has_unit && token.len() > DIGITS_MAX;
    match is_bad_number || is_too_long || is_word("inf") || is_word("nan") {
        true => Err(PromqlError::Syntax(format!(
            "{token:?} is no length of time; write one like 5m or 1h30m"
        ))),
        false => Ok(()),
    }
}

/// In bytes: of a word or number, a string with its quotes, a comment, or a single letter.
fn token_length(rest: &str, first: char) -> usize {
    let until = |end: fn(char) -> bool| rest.find(end).unwrap_or(rest.len());
    match first {
        '#' => until(|letter| letter == '\n' || letter == '\r'),
        '"' | '\'' | '`' => string_length(rest, first),
        _ if is_word(first) => until(|letter| !is_word(letter)),
        _ => first.len_utf8(),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '.'
}

fn string_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        if letter == quote && !escaped {
            return at + 1;
        }
        escaped = letter == '\\' && !escaped && quote != '`';
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> String {
        check(text).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn lengths_of_time_that_are_none_are_refused() {
        for text in [
            "x[1e30]",
            "x[ 99999999999999999999 ]",
            "x offset inf",
            "x offset - NaN",
            "x[5m] OFFSET +0x7fffffffffffffffffff",
            "x[5m:1e300]",
            "x[ # why\n 1e30]",
        ] {
            assert!(says(text).contains("is no length of time"), "{text}");
        }
        for text in [
            "x[5m]",
            "x[300]",
            "x[.5]",
            "x offset -1h30m",
            "{a=\"[1e30]\"}",
            "1e30",
        ] {
            assert_eq!(says(text), "", "{text}");
        }
    }

    #[test]
    fn what_would_nest_too_deep_is_refused_before_it_is_parsed() {
        assert_eq!(says(&"(".repeat(PARTS_MAX)), "");
        assert!(says(&"(".repeat(PARTS_MAX + 1)).contains("nests"));
        assert!(says(&"1 or ".repeat(PARTS_MAX + 1)).contains("nests"));
        assert!(says(&"-".repeat(PARTS_MAX + 1)).contains("nests"));
        assert!(says(&"x".repeat(LENGTH_MAX + 1)).contains("65537 bytes long"));
        assert_eq!(says(&format!("x{{a=\"{}\"}}", "(".repeat(5_000))), "");
    }
}
