//! Names from outside as safe parts of a path, and back.
//!
//! `A-Z a-z 0-9 . _ -` stay; every other byte becomes `%XX`. A leading or trailing dot and the
//! first letter of a name that Windows reserves (`CON`, `nul.txt`) are escaped too. What would be
//! longer than [`PART_BYTES_MAX`] becomes a readable beginning, `~` and 32 digits of its hash; its
//! full name then lies in a file beside the data, because a hash can't be undone.

use std::fmt::Write;

/// The longest escaped name; a temporary or quarantined file of it still fits in 255 bytes.
pub const PART_BYTES_MAX: usize = 150;
const READABLE_BYTES: usize = 80;
/// Stands between the readable beginning and the hash; always escaped in a name itself.
const HASH_MARK: char = '~';
const HASH_DIGITS: usize = 32;

/// The path part of a name.
pub fn part_of(name: &str) -> String {
    let pieces: Vec<String> = name
        .bytes()
        .enumerate()
        .map(|(at, byte)| piece(name, at, byte))
        .collect();
    let length: usize = pieces.iter().map(String::len).sum();
    if length <= PART_BYTES_MAX {
        return pieces.concat();
    }
    let mut part = String::new();
    for piece in &pieces {
        if part.len() + piece.len() > READABLE_BYTES {
            break;
        }
        part.push_str(piece);
    }
    part.push(HASH_MARK);
    part.push_str(&blake3::hash(name.as_bytes()).to_hex()[..HASH_DIGITS]);
    part
}

/// The name that a path part stands for; none if it is hashed, or not a part that
/// [`part_of`] makes.
pub fn name_of(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    let name = String::from_utf8(bytes).ok()?;
    (!name.is_empty() && part_of(&name) == part).then_some(name)
}

/// Whether the full name of a part has to be kept beside it.
pub fn is_hashed(part: &str) -> bool {
    part.contains(HASH_MARK)
}

fn piece(name: &str, at: usize, byte: u8) -> String {
    let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let edge_dot = byte == b'.' && (at == 0 || at + 1 == name.len());
    let mut text = String::new();
    if !plain || edge_dot || (at == 0 && is_reserved(name)) {
        let _ = write!(text, "%{byte:02X}");
    } else {
        text.push(char::from(byte));
    }
    text
}

/// Names that Windows keeps for devices, with any extension and in any case.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let numbered = |device: &str| {
        stem.len() == 4
            && stem.is_char_boundary(3)
            && stem[..3].eq_ignore_ascii_case(device)
            && stem[3..].bytes().all(|b| b.is_ascii_digit())
    };
    ["con", "prn", "aux", "nul"]
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
        || numbered("com")
        || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_from_outside_become_safe_parts() {
        for (name, part) in [
            ("payments", "payments"),
            ("prod/pay", "prod%2Fpay"),
            ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
            ("..", "%2E%2E"),
            (".", "%2E"),
            ("trailing.", "trailing%2E"),
            (".hidden", "%2Ehidden"),
            ("CON", "%43ON"),
            ("nul.txt", "%6Eul.txt"),
            ("com1", "%63om1"),
            ("console", "console"),
            ("a~b", "a%7Eb"),
            ("%2F", "%252F"),
            ("a\\b\0c", "a%5Cb%00c"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(part_of(name), part);
            assert_eq!(name_of(part).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_part_that_nobody_wrote_stands_for_nothing() {
        for part in [
            "", "%", "%2", "%zz", "%2f", "%41", "a b", ".x", "con", "%FF", "x~00",
        ] {
            assert_eq!(name_of(part), None, "{part}");
        }
    }

    #[test]
    fn long_names_stay_readable_and_apart() {
        let (one, other) = ("ü".repeat(300) + "1", "ü".repeat(300) + "2");
        assert!(part_of(&one).starts_with("%C3%BC%C3%BC"));
        assert!(part_of(&one).len() <= PART_BYTES_MAX && is_hashed(&part_of(&one)));
        assert_ne!(part_of(&one), part_of(&other));
    }

    proptest! {
        #[test]
        fn parts_are_safe_and_come_back(name in prop_oneof![".{1,400}", "[./\\\\%~a]{1,12}"]) {
            let part = part_of(&name);
            prop_assert!(part != "." && part != ".." && !part.is_empty());
            let safe = |b: u8| b.is_ascii_alphanumeric() || b"._-%~".contains(&b);
            prop_assert!(part.bytes().all(safe));
            prop_assert!(part.len() <= PART_BYTES_MAX);
            if !is_hashed(&part) {
                prop_assert_eq!(name_of(&part), Some(name));
            }
        }
    }
}
