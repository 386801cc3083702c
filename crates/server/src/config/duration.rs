//! Durations and sizes as people write them: `15s`, `1m30s`, `7d`, `10GiB`.
//!
//! Reading and printing agree: what is printed reads back as the same value.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration in the settings, such as `1m30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A number of bytes in the settings, such as `10GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// What a text should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("it must be a duration such as 15s, 1m30s, 7d or 500ms")]
    Duration,
    #[error("it must be a size such as 512MiB or 10GiB")]
    Size,
}

/// Milliseconds of each unit, largest first; `d` is always 24 hours.
const DURATION_UNITS: [(&str, u64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Bytes of each unit that is printed, largest first.
const SIZE_UNITS: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Units that are understood beside them.
const DECIMAL_SIZE_UNITS: [(&str, u64); 4] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
];

impl FromStr for Span {
    type Err = UnitError;

    /// Whole numbers with units, each unit once and the larger first. `0` needs no unit.
    fn from_str(text: &str) -> Result<Span, UnitError> {
        if text == "0" {
            return Ok(Span(Duration::ZERO));
        }
        let mut rest = text;
        let mut millis = 0u64;
        let mut smaller_than = u64::MAX;
        while !rest.is_empty() {
            let (number, after) = leading_number(rest).ok_or(UnitError::Duration)?;
            let letters = after
                .bytes()
                .take_while(|byte| byte.is_ascii_alphabetic())
                .count();
            let (unit, next) = after.split_at(letters);
            let (_, scale) = DURATION_UNITS
                .into_iter()
                .find(|(name, _)| *name == unit)
                .ok_or(UnitError::Duration)?;
            if scale >= smaller_than {
                return Err(UnitError::Duration);
            }
            smaller_than = scale;
            millis = number
                .checked_mul(scale)
                .and_then(|part| millis.checked_add(part))
                .ok_or(UnitError::Duration)?;
            rest = next;
        }
        if smaller_than == u64::MAX {
            return Err(UnitError::Duration);
        }
        Ok(Span(Duration::from_millis(millis)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0s");
        }
        // Weeks are read, but people expect to see `30d`.
        for (unit, scale) in &DURATION_UNITS[1..] {
            if millis >= *scale {
                write!(f, "{}{unit}", millis / scale)?;
                millis %= scale;
            }
        }
        Ok(())
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Size, UnitError> {
        let (number, unit) = leading_number(text).ok_or(UnitError::Size)?;
        SIZE_UNITS
            .into_iter()
            .chain(DECIMAL_SIZE_UNITS)
            .find(|(name, _)| *name == unit.trim_start())
            .and_then(|(_, scale)| number.checked_mul(scale))
            .map(Size)
            .ok_or(UnitError::Size)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, scale) = SIZE_UNITS
            .into_iter()
            .find(|(_, scale)| self.0 != 0 && self.0.is_multiple_of(*scale))
            .unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / scale)
    }
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    Some((number.parse().ok()?, rest))
}

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
as_text!(Span);
as_text!(Size);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, millis) in [
            ("15s", 15_000),
            ("1m30s", 90_000),
            ("7d", 604_800_000),
            ("1w", 604_800_000),
            ("500ms", 500),
            ("1h", 3_600_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("0s", 0),
            ("0", 0),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Span(Duration::from_millis(millis))),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused() {
        for text in [
            "",
            "15",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "1s1m",
            "1s2s",
            "15 seconds",
            "1y",
            "99999999999999999999s",
            "18446744073709551615w",
            "5µs",
            "١s",
        ] {
            assert_eq!(text.parse::<Span>(), Err(UnitError::Duration), "{text}");
        }
    }

    #[test]
    fn printed_durations_and_sizes_read_back() {
        for millis in [0, 1, 999, 1_000, 61_001, 90_000, 3_600_000, 604_800_000] {
            let span = Span(Duration::from_millis(millis));
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        for bytes in [0, 1, 1023, 1024, 10 << 30, (10 << 30) + 1, 1_000_000] {
            assert_eq!(Size(bytes).to_string().parse(), Ok(Size(bytes)));
        }
        assert_eq!(Size(10 << 30).to_string(), "10GiB");
        assert_eq!(
            Span(Duration::from_secs(30 * 86_400)).to_string(),
            "30d",
            "not 4w2d"
        );
    }

    #[test]
    fn what_is_not_a_size_is_refused() {
        for text in [
            "",
            "10",
            "GiB",
            "-1GiB",
            "1.5GiB",
            "10gib",
            "99999999999TiB",
        ] {
            assert_eq!(text.parse::<Size>(), Err(UnitError::Size), "{text}");
        }
        assert_eq!("10GB".parse(), Ok(Size(10_000_000_000)));
        assert_eq!("10 MiB".parse(), Ok(Size(10 << 20)));
    }
}
