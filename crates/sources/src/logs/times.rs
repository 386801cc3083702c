//! Times as log lines write them: of a field, or at the beginning of a line.
//!
//! Everything that is a date with a time of day is read; a time of day alone is none. What names
//! no zone is taken in the source's, and where summer time repeats or skips an hour in the way
//! that clocks were meant (the first of two, the later side of a gap).

use domain::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use super::record::Reading;

/// Longer texts are no times.
const TEXT_BYTES: usize = 64;
const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];
const WEEKDAYS: [&[u8; 3]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];

/// The time that a whole text is: a date with a time of day, or an epoch number.
pub(super) fn text_time(text: &str, reading: &Reading) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > TEXT_BYTES {
        return None;
    }
    if let Some((time, "")) = beginning_time(text, reading) {
        return Some(time);
    }
    match text.parse::<f64>() {
        Ok(number) => number_time(number),
        // What is left, as `20261122T120000Z`.
        Err(_) => Some(timestamp(text.parse().ok()?)),
    }
}

/// Epoch seconds, or by size milli-, micro- or nanoseconds (seconds reach to the year 5138).
pub(super) fn number_time(number: f64) -> Option<Timestamp> {
    let divisor = match number.abs() {
        n if n < 1e11 => 1.0,
        n if n < 1e14 => 1e3,
        n if n < 1e17 => 1e6,
        _ => 1e9,
    };
    Timestamp::from_seconds(number / divisor)
}

/// The date and time of day that a text begins with, and what follows them.
pub(super) fn beginning_time<'a>(text: &'a str, reading: &Reading) -> Option<(Timestamp, &'a str)> {
    let mut cursor = Cursor { rest: text };
    let year = Year::Unknown(reading.near);
    let (date, clock, year) = match text.as_bytes().first()? {
        b'0'..=b'9' => {
            let (date, year) = cursor.date_of_digits()?;
            (date, cursor.clock()?, year)
        }
        _ => {
            cursor.weekday();
            match cursor.rest.as_bytes().first()? {
                b'0'..=b'9' => {
                    let (date, year) = cursor.date_of_digits()?;
                    (date, cursor.clock()?, year)
                }
                _ => cursor.month_first(year)?,
            }
        }
    };
    let offset = cursor.offset();
    // As in `Sun Nov 22 12:00:00 2026`.
    let year = match year {
        Year::Unknown(_) => cursor.year_behind().unwrap_or(year),
        known => known,
    };
    if cursor.rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let time = resolve(date, clock, year, offset, &reading.zone)?;
    Some((time, cursor.rest))
}

/// klog's `E1122 12:00:00.250000`, without the letter of the level.
pub(super) fn klog_time<'a>(text: &'a str, reading: &Reading) -> Option<(Timestamp, &'a str)> {
    let mut cursor = Cursor { rest: text };
    let month = cursor.number(2, 2)?;
    let day = cursor.number(2, 2)?;
    cursor.eat(b" ").then_some(())?;
    let clock = cursor.clock()?;
    let year = Year::Unknown(reading.near);
    let time = resolve((month, day), clock, year, None, &reading.zone)?;
    Some((time, cursor.rest))
}

#[derive(Clone, Copy)]
enum Year {
    Known(i64),
    /// The one that brings the time nearest to this.
    Unknown(Option<Timestamp>),
}

/// Hours, minutes, seconds, nanoseconds.
type Clock = (i64, i64, i64, i64);

fn resolve(
    (month, day): (i64, i64),
    (hour, minute, second, nanos): Clock,
    year: Year,
    offset: Option<Offset>,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let in_year = |year: i64| {
        let date = Date::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
        );
        // A leap second is the one before it.
        let time = jiff::civil::Time::new(
            i8::try_from(hour).ok()?,
            i8::try_from(minute).ok()?,
            i8::try_from(if second == 60 { 59 } else { second }).ok()?,
            i32::try_from(nanos).ok()?,
        );
        let civil = DateTime::from_parts(date.ok()?, time.ok()?);
        let time = match offset {
            Some(offset) => offset.to_timestamp(civil),
            None => zone.to_timestamp(civil),
        };
        time.ok().map(timestamp)
    };
    match year {
        Year::Known(year) => in_year(year),
        Year::Unknown(near) => {
            let near = near?;
            let of_near = jiff::Timestamp::from_millisecond(near.as_millis()).ok()?;
            let year = i64::from(of_near.to_zoned(zone.clone()).year());
            (year - 1..=year + 1)
                .filter_map(in_year)
                .min_by_key(|time| near.since(*time).max(time.since(near)))
        }
    }
}

fn timestamp(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_millisecond())
}

/// What is still to be read.
struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    fn peek(&self, at: usize) -> u8 {
        self.rest.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// Only ASCII is ever stepped over.
    fn step(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn eat(&mut self, any_of: &[u8]) -> bool {
        let found = any_of.contains(&self.peek(0));
        if found {
            self.step(1);
        }
        found
    }

    /// A number of so many digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let bytes = self.rest.as_bytes();
        let mut number = 0;
        let mut digits = 0;
        while digits < most && bytes.get(digits).is_some_and(u8::is_ascii_digit) {
            number = number * 10 + i64::from(bytes[digits] - b'0');
            digits += 1;
        }
        if digits < least {
            return None;
        }
        self.step(digits);
        Some(number)
    }

    /// One of some words of three letters.
    fn word(&mut self, words: &[&[u8; 3]]) -> Option<i64> {
        let start = self.rest.as_bytes().get(..3)?;
        let at = words
            .iter()
            .position(|word| word.eq_ignore_ascii_case(start))?;
        self.step(3);
        i64::try_from(at).ok()
    }

    fn spaces(&mut self) -> bool {
        let mut any = false;
        while self.eat(b" ") {
            any = true;
        }
        any
    }

    /// `Sun ` or `Sun, `, if it is there.
    fn weekday(&mut self) {
        let before = self.rest;
        if self.word(&WEEKDAYS).is_some() {
            self.eat(b",");
            if self.spaces() {
                return;
            }
        }
        self.rest = before;
    }

    /// `2026-11-22T`, `2026/11/22 `, `22/Nov/2026:`, `22-Nov-2026 `, `22 Nov 2026 `.
    fn date_of_digits(&mut self) -> Option<((i64, i64), Year)> {
        let before = self.rest.len();
        let first = self.number(1, 4)?;
        let separator = self.peek(0);
        self.eat(b"-/. ").then_some(())?;
        let date = match before - self.rest.len() - 1 {
            4 => {
                let month = self.number(2, 2)?;
                (separator != b' ' && self.eat(&[separator])).then_some(())?;
                ((month, self.number(2, 2)?), Year::Known(first))
            }
            1 | 2 => {
                let month = self.word(&MONTHS)? + 1;
                self.eat(&[separator]).then_some(())?;
                ((month, first), Year::Known(self.number(4, 4)?))
            }
            _ => return None,
        };
        self.eat(b"Tt_ :").then_some(())?;
        self.spaces();
        Some(date)
    }

    /// `Nov 22 12:00:00`, `Nov 22 2026 12:00:00`, `Nov 22, 2026 12:00:00 PM`.
    fn month_first(&mut self, unknown: Year) -> Option<((i64, i64), Clock, Year)> {
        let month = self.word(&MONTHS)? + 1;
        self.spaces().then_some(())?;
        let day = self.number(1, 2)?;
        self.eat(b",");
        self.spaces().then_some(())?;
        let mut year = unknown;
        if self.peek(4) == b' ' || self.peek(4) == b',' {
            year = Year::Known(self.number(4, 4)?);
            self.eat(b",");
            self.spaces();
        }
        let mut clock = self.clock()?;
        let half = self.rest.as_bytes().get(..3);
        if half.is_some_and(|half| half.eq_ignore_ascii_case(b" am")) {
            self.step(3);
            clock.0 %= 12;
        } else if half.is_some_and(|half| half.eq_ignore_ascii_case(b" pm")) {
            self.step(3);
            clock.0 = clock.0 % 12 + 12;
        }
        Some(((month, day), clock, year))
    }

    /// `12:00`, `12:00:00`, `12:00:00.250`, with a comma as well.
    fn clock(&mut self) -> Option<Clock> {
        let hour = self.number(1, 2)?;
        self.eat(b":").then_some(())?;
        let minute = self.number(2, 2)?;
        if !(self.peek(0) == b':' && self.peek(1).is_ascii_digit()) {
            return Some((hour, minute, 0, 0));
        }
        self.step(1);
        let second = self.number(2, 2)?;
        let mut nanos = 0;
        if matches!(self.peek(0), b'.' | b',') && self.peek(1).is_ascii_digit() {
            self.step(1);
            let before = self.rest.len();
            nanos = self.number(1, 9)?;
            for _ in before - self.rest.len()..9 {
                nanos *= 10;
            }
            while self.peek(0).is_ascii_digit() {
                self.step(1);
            }
        }
        Some((hour, minute, second, nanos))
    }

    /// `Z`, `UTC`, `GMT`, `+01:00`, `+0100`, `+01`, the longer ones also behind a space; and the
    /// zone's name in brackets behind it.
    fn offset(&mut self) -> Option<Offset> {
        let before = self.rest;
        let apart = self.eat(b" ");
        let offset = self.offset_here(apart);
        if offset.is_none() || self.peek(0).is_ascii_alphanumeric() {
            self.rest = before;
            return None;
        }
        if self.peek(0) == b'['
            && let Some(end) = self.rest.find(']')
            && self.rest[..end].contains('/')
        {
            self.step(end + 1);
        }
        offset
    }

    fn offset_here(&mut self, apart: bool) -> Option<Offset> {
        if matches!(self.rest.as_bytes().get(..3), Some(b"UTC" | b"GMT")) {
            self.step(3);
            return Some(Offset::UTC);
        }
        if self.eat(b"Zz") {
            return Some(Offset::UTC);
        }
        let sign = if self.peek(0) == b'-' { -1 } else { 1 };
        self.eat(b"+-").then_some(())?;
        let hours = self.number(2, 2)?;
        let colon = self.peek(0) == b':' && self.peek(1).is_ascii_digit() && self.eat(b":");
        let minutes = if colon || self.peek(0).is_ascii_digit() {
            self.number(2, 2)?
        } else if apart {
            return None;
        } else {
            0
        };
        if minutes > 59 {
            return None;
        }
        let seconds = i32::try_from(sign * (hours * 3600 + minutes * 60)).ok()?;
        Offset::from_seconds(seconds).ok()
    }

    /// ` 2026`, or ` CET 2026`.
    fn year_behind(&mut self) -> Option<Year> {
        let before = self.rest;
        let year = self.spaces().then(|| {
            let letters = self.rest.bytes().take_while(u8::is_ascii_uppercase).count();
            if (2..=5).contains(&letters) && self.peek(letters) == b' ' {
                self.step(letters + 1);
            }
            let year = self.number(4, 4)?;
            (!self.peek(0).is_ascii_alphanumeric()).then_some(Year::Known(year))
        });
        let year = year.flatten();
        if year.is_none() {
            self.rest = before;
        }
        year
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(zone: &str) -> Reading {
        Reading {
            zone: TimeZone::get(zone).unwrap(),
            near: Some("2026-11-23T00:00:00Z".parse().unwrap()),
            ..Reading::default()
        }
    }

    fn check(text: &str, time: Option<&str>) {
        let read = text_time(text, &reading("UTC")).map(|t| t.to_string());
        assert_eq!(read.as_deref(), time, "{text}");
    }

    #[test]
    fn f46_times_of_many_kinds_are_read() {
        for text in [
            "2026-11-22T12:00:00.250Z",
            "2026-11-22T12:00:00.250415709Z",
            "2026-11-22T12:00:00.2504157091234Z",
            "2026-11-22t12:00:00.25z",
            "2026-11-22T13:00:00.250+01:00",
            "2026-11-22T13:00:00.250+0100",
            "2026-11-22T13:00:00.250+01",
            "2026-11-22T14:00:00.250+0200",
            "2026-11-22T06:30:00.250-05:30",
            "2026-11-22T13:00:00.250+01:00[Europe/Berlin]",
            "2026-11-22 12:00:00,250",
            "2026-11-22 12:00:00.250 UTC",
            "2026-11-22 13:00:00,250 +0100",
            "2026/11/22 12:00:00.250",
            "2026-11-22T12:00:00.250",
            " 2026-11-22T12:00:00.250\n",
            "22/Nov/2026:13:00:00.250 +0100",
            "22-Nov-2026 12:00:00.250",
            "Sun, 22 Nov 2026 12:00:00.250 GMT",
            "Sun Nov 22 12:00:00.250 2026",
            "Sun Nov 22 12:00:00.250 UTC 2026",
            "Nov 22 12:00:00.250",
            "Nov 22, 2026 12:00:00.250 PM",
            "1795348800.25",
            "1795348800250",
            "1795348800250000",
            "1795348800250000000",
        ] {
            check(text, Some("2026-11-22T12:00:00.250Z"));
        }
        check("2026-11-22T12:00Z", Some("2026-11-22T12:00:00.000Z"));
        check("20261122T120000Z", Some("2026-11-22T12:00:00.000Z"));
        check("2026-11-22T23:59:60Z", Some("2026-11-22T23:59:59.000Z"));
        check("Nov 22, 2026 12:00:01 AM", Some("2026-11-22T00:00:01.000Z"));
        check("1970-01-01T00:00:00Z", Some("1970-01-01T00:00:00.000Z"));
        check("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00.000Z"));
        check("9999-12-30T00:00:00Z", Some("9999-12-30T00:00:00.000Z"));
    }

    #[test]
    fn f46_what_is_no_time_is_none() {
        for text in [
            "",
            "soon",
            "12:00:00",
            "12:00:00.250",
            "2026-11-22",
            "2026-11-22 ",
            "2026-13-22T12:00:00Z",
            "2026-02-29T12:00:00Z",
            "2026-11-22T25:00:00Z",
            "2026-11-22T12:61:00Z",
            "2026-11-22T12:00:00Zulu",
            "2026-11-22T12:00:00+99:00",
            "2026-11-22T12:00:00é",
            "22/Noé/2026:12:00:00",
            "Nov 31 12:00:00",
            "NaN",
            "inf",
            "1e9999",
            "99999-01-01T00:00:00Z",
            "--",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn times_without_a_zone_are_the_sources() {
        let check = |zone: &str, text: &str, time: &str| {
            let read = text_time(text, &reading(zone)).map(|t| t.to_string());
            assert_eq!(read.as_deref(), Some(time), "{text} in {zone}");
        };
        let berlin = "Europe/Berlin";
        check(
            berlin,
            "2026-11-22 13:00:00,250",
            "2026-11-22T12:00:00.250Z",
        );
        check(berlin, "2026-07-01T14:00:00", "2026-07-01T12:00:00.000Z");
        check(berlin, "2026-07-01T14:00:00Z", "2026-07-01T14:00:00.000Z");
        // Twice on that day, once the first, and not at all on that one: an hour later.
        check(berlin, "2026-10-25 02:30:00", "2026-10-25T00:30:00.000Z");
        check(berlin, "2026-03-29 02:30:00", "2026-03-29T01:30:00.000Z");
        check(
            "America/New_York",
            "Nov 22 07:00:00",
            "2026-11-22T12:00:00.000Z",
        );
    }

    #[test]
    fn a_missing_year_is_the_nearest_or_the_time_is_none() {
        let mut reading = reading("UTC");
        let mut check = |near: Option<&str>, time: Option<&str>| {
            reading.near = near.map(|near| near.parse().unwrap());
            let read = text_time("Dec 31 23:59:59", &reading).map(|t| t.to_string());
            assert_eq!(read.as_deref(), time);
        };
        check(
            Some("2027-01-01T00:00:10Z"),
            Some("2026-12-31T23:59:59.000Z"),
        );
        check(
            Some("2026-12-31T00:00:00Z"),
            Some("2026-12-31T23:59:59.000Z"),
        );
        check(None, None);
    }
}
