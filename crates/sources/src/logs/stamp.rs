//! The time of a line at a glance: without reading the rest of it, and without an allocation.
//!
//! An index is built from the times of all lines, so this is where its speed is decided. What it
//! isn't sure of, it leaves to [`super::record`]; where that has a time, both have the same.

use domain::Timestamp;
use memchr::{memchr, memchr2};

use super::times::number_time;

/// Names of fields with the time, the most trusted first; as in [`super::json`].
const TIMES: [&[u8]; 6] = [
    b"@timestamp",
    b"timestamp",
    b"time",
    b"ts",
    b"timeMillis",
    b"datetime",
];

/// What plain lines have behind their time, most of them.
const LEVELS: [&[u8]; 6] = [b"INFO", b"DEBUG", b"WARN", b"ERROR", b"TRACE", b"FATAL"];

/// What a glance tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glance {
    Time(Timestamp),
    /// A line without a time.
    Nothing,
    /// It takes a closer look.
    Unsure,
}

pub(super) fn glance(bytes: &[u8], cut: bool) -> Glance {
    let text = &bytes[spaces(bytes, 0)..];
    let indented = text.len() < bytes.len();
    match text.first() {
        None => Glance::Nothing,
        Some(b'{') if !cut => json(text),
        // The lines of a stack trace.
        Some(b'!'..=b'z') if indented => Glance::Nothing,
        Some(b'0'..=b'9' | b'[') if !indented => plain(text),
        Some(_) => Glance::Unsure,
    }
}

fn spaces(bytes: &[u8], from: usize) -> usize {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    from + bytes[from..].iter().take_while(|b| is_space(b)).count()
}

/// Walks the fields of the object without looking into their values.
fn json(text: &[u8]) -> Glance {
    let mut times: [Option<&[u8]>; TIMES.len()] = [None; TIMES.len()];
    if fields(text, &mut times).is_none() {
        return Glance::Unsure;
    }
    for value in times.into_iter().flatten() {
        match time_of(value) {
            Glance::Nothing => {}
            known => return known,
        }
    }
    // There are further names.
    Glance::Unsure
}

/// None where the text isn't as expected, or has a time twice.
fn fields<'a>(text: &'a [u8], times: &mut [Option<&'a [u8]>; TIMES.len()]) -> Option<()> {
    let mut at = spaces(text, 1);
    loop {
        if text.get(at) != Some(&b'"') {
            return (text.get(at) == Some(&b'}')).then_some(());
        }
        let end = at + 1 + memchr(b'"', text.get(at + 1..)?)?;
        let name = &text[at + 1..end];
        at = spaces(text, end + 1);
        if text.get(at) != Some(&b':') {
            return None;
        }
        at = spaces(text, at + 1);
        let value_end = value_end(text, at)?;
        if name.len() <= 10
            && let Some(rank) = TIMES.iter().position(|time| *time == name)
        {
            if times[rank].replace(&text[at..value_end]).is_some() {
                return None;
            }
        } else if memchr(b'\\', name).is_some() || (name == b"log" && text[at] == b'"') {
            // A line within a container's line may have a time of its own.
            return None;
        }
        at = spaces(text, value_end);
        match text.get(at)? {
            b',' => at = spaces(text, at + 1),
            b'}' => return Some(()),
            _ => return None,
        }
    }
}

fn value_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => string_end(text, at),
        b'{' | b'[' => nested_end(text, at),
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r');
            Some(at + text[at..].iter().position(is_end)?)
        }
    }
}

/// Behind the closing quote of the string that begins at `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    at += 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn nested_end(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match text.get(at)? {
            b'"' => {
                at = string_end(text, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The time that a JSON value says.
fn time_of(value: &[u8]) -> Glance {
    match value {
        [b'"', text @ .., b'"'] => match date_time(text) {
            Some((millis, used)) if used == text.len() => Glance::Time(millis),
            _ => Glance::Unsure,
        },
        // Not more digits than are exact.
        [b'0'..=b'9', ..] if value.len() <= 15 && value.iter().all(u8::is_ascii_digit) => {
            match whole_number(value).map(|number| number_time(number as f64)) {
                Some(Some(time)) => Glance::Time(time),
                _ => Glance::Unsure,
            }
        }
        [b'n' | b't' | b'f' | b'{' | b'[', ..] => Glance::Nothing,
        _ => Glance::Unsure,
    }
}

/// Text that begins with a time, perhaps in brackets.
fn plain(text: &[u8]) -> Glance {
    let text = text.strip_prefix(b"[").unwrap_or(text);
    match date_time(text) {
        Some((time, used)) if is_level_next(&text[used..]) => Glance::Time(time),
        _ => Glance::Unsure,
    }
}

/// Behind the time comes what doesn't belong to it: a level in capitals, or something in brackets.
/// Not another time, the rest of this one, or a line within a container's line.
fn is_level_next(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"]").unwrap_or(text).trim_ascii_start();
    let level = text.split(|byte| !byte.is_ascii_alphanumeric()).next();
    text.is_empty()
        || text.first() == Some(&b'[')
        || level.is_some_and(|word| LEVELS.contains(&word))
}

/// `2026-11-22T12:00:00.250415709Z` and the like, with `T` or a space, a dot or a comma, and `Z`,
/// `+01:00` or nothing (UTC) behind; with its length.
fn date_time(text: &[u8]) -> Option<(Timestamp, usize)> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T' | b' ',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
        rest @ ..,
    ] = text
    else {
        return None;
    };
    let year = whole_number(&[*y1, *y2, *y3, *y4])?;
    let month = whole_number(&[*mo1, *mo2])?;
    let day = whole_number(&[*d1, *d2])?;
    let hour = whole_number(&[*h1, *h2])?;
    let minute = whole_number(&[*mi1, *mi2])?;
    let second = whole_number(&[*s1, *s2])?;
    let is_plain = (1971..9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_plain {
        return None;
    }
    let mut used = 19;
    let mut millis = 0;
    if let Some(b'.' | b',') = rest.first() {
        let digits = rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 9 {
            return None;
        }
        for i in 0..3 {
            let digit = rest[1..=digits].get(i).map_or(0, |digit| digit - b'0');
            millis = millis * 10 + i64::from(digit);
        }
        used += 1 + digits;
    }
    // A letter or digit right behind makes it no offset.
    let ends = |at: usize| {
        let next = text.get(at);
        next.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b':')
    };
    let offset_minutes = match text[used..] {
        [b'Z', ..] if ends(used + 1) => {
            used += 1;
            0
        }
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, ..] => {
            let (hours, minutes) = (whole_number(&[h1, h2])?, whole_number(&[m1, m2])?);
            if hours > 18 || minutes > 59 || !ends(used + 6) {
                return None;
            }
            used += 6;
            (hours * 60 + minutes) * if sign == b'+' { 1 } else { -1 }
        }
        [] | [b' ' | b']', ..] => 0,
        _ => return None,
    };
    let minutes = days_since_epoch(year, month, day) * 1440 + hour * 60 + minute - offset_minutes;
    let millis = (minutes * 60 + second) * 1000 + millis;
    Some((Timestamp::from_millis(millis), used))
}

fn whole_number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number: i64, digit| {
        let is_digit = digit.is_ascii_digit();
        is_digit.then(|| number * 10 + i64::from(digit - b'0'))
    })
}

fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the civil calendar, for years after 0; the year is taken to begin in March.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (century_4, year_of_4) = (year / 400, year % 400);
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_4 = year_of_4 * 365 + year_of_4 / 4 - year_of_4 / 100 + day_of_year;
    century_4 * 146_097 + day_of_4 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::record::{self, Reading};
    use proptest::prelude::*;

    /// Where a line has a time, a glance sees no other.
    fn agrees(line: &str, cut: bool) -> Glance {
        let glance = glance(line.as_bytes(), cut);
        if let Some(time) = record::read(line.as_bytes(), cut, &Reading::default()).time() {
            let same = glance == Glance::Time(time) || glance == Glance::Unsure;
            assert!(same, "{line}: {glance:?}, but it is {time}");
        }
        glance
    }

    #[test]
    fn usual_lines_are_told_at_a_glance() {
        for line in [
            r#"{"@timestamp":"2026-11-22T12:56:17.938089765Z","log":{"level":"INFO","a":[{"b":"}"}]},"message":"a \" b"}"#,
            r#"{ "level": "INFO", "timestamp" : "2026-11-22T12:56:17+01:00", "n": null, "m": -1.5e3 }"#,
            r#"{"version":"1.1","timestamp":1795348800,"short_message":"m"}"#,
            r#"{"timestamp":true,"time":1795348800250}"#,
            r#"{"timestamp":"2026-11-22 12:56:17,250","@timestamp":"2026-11-22T12:56:18Z"}"#,
            "2026-11-22T13:00:00.250+01:00  INFO 7846 --- [main] demo.Orders : up",
            "2026-11-22 12:00:00,250 ERROR [main] boom",
            "[2024-02-29 12:00:00.250] [main] plain",
        ] {
            assert!(matches!(agrees(line, false), Glance::Time(_)), "{line}");
        }
        for line in ["\tat a.B(C.java:1)", "  ", ""] {
            assert_eq!(agrees(line, false), Glance::Nothing, "{line}");
        }
        for line in [
            r#"{"\u0040timestamp":"2026-11-22T12:56:17Z"}"#,
            r#"{"message":"m"}"#,
            r#"{"timestamp":"2026-11-22T12:56:17Z","timestamp":"2026-11-22T12:56:18Z"}"#,
            r#"{"log":"2026-11-22T12:56:17Z up\n","time":"2026-11-22T12:56:18Z"}"#,
            r#"2026-11-22T12:56:18Z stdout F {"@timestamp":"2026-11-22T12:56:17Z"}"#,
            "2026-11-22 12:00:00 +0100 up",
            "2026-11-22 12:00:00 GMT up",
            "Caused by: x",
            "2026-02-30 12:00:00 INFO x",
            "2026-11-22T12:00:00Z stdout F {}",
            "2026-11-22 12:00:00 +0100 x",
            r#"{"log":"2026-11-22 11:00:00 INFO x\n","time":"2026-11-22T12:00:00Z"}"#,
            r#"{"@timestamp":"2026-11-22T23:59:60Z"}"#,
        ] {
            assert_eq!(agrees(line, false), Glance::Unsure, "{line}");
        }
    }

    fn regex(regex: &str) -> impl Strategy<Value = String> + use<> {
        prop::string::string_regex(regex).unwrap()
    }

    fn time() -> impl Strategy<Value = String> {
        let date = "(19[67][0-9]|20[0-9]{2}|9999)-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])";
        let clock = "([01][0-9]|2[0-4]):[0-5][0-9]:([0-5][0-9]|60)";
        let fraction = r"([.,][0-9]{1,10})?";
        let zone = "(Z|z|[+-](0[0-9]|1[0-9]|2[0-6]):?[0-6][0-9]|[+-]0[0-9]| Z|)?";
        prop_oneof![
            regex(&format!("{date}[T t]{clock}{fraction}{zone}")),
            regex("[0-9]{1,19}(\\.[0-9]{1,9})?"),
            regex("[0-9T:Z. +-]{0,30}"),
        ]
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => time().prop_map(|time| format!("\"{time}\"")),
            2 => "[0-9]{1,20}(\\.[0-9]{1,9})?(e[0-9])?",
            1 => "null|true|-1|\\[1,\"]\"\\]|\\{\"timestamp\":1\\}|\\{\\}|\"\\\\u0041\\\\\"x\"",
        ]
    }

    fn object() -> impl Strategy<Value = String> {
        let name = "@timestamp|timestamp|time|ts|timeMillis|datetime|message|\\\\u0074s|a";
        let field = (name, value(), "[ \t]?").prop_map(|(n, v, s)| format!("\"{n}\"{s}:{s}{v}"));
        (prop::collection::vec(field, 0..6), "[ \t]?", "[ \r]?|x")
            .prop_map(|(fields, space, end)| format!("{space}{{{}}}{end}", fields.join(",")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn a_glance_at_json_agrees_with_reading_it(line in object(), cut: bool) {
            agrees(&line, cut);
        }

        #[test]
        fn a_glance_at_text_agrees_with_reading_it(
            indent in "[ \t\\[]?", time in time(), rest in "[ \\],x]{0,3}(INFO |ERROR|\\[)?[a-zA-Z: ]{0,20}",
        ) {
            agrees(&format!("{indent}{time}{rest}"), false);
        }

        #[test]
        fn a_glance_at_anything_agrees_with_reading_it(line in "[\\PC\t\"{}:,\\\\]{0,60}", cut: bool) {
            agrees(&line, cut);
        }
    }
}
