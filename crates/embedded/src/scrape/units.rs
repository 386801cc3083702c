//! Durations and sizes as Prometheus's configuration writes them.

use std::time::Duration;

/// Units of durations with their milliseconds, largest first.
const DURATIONS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of sizes with their exponents of two; Prometheus makes no difference between kB and KiB.
const SIZES: [(&str, u32); 10] = [
    ("KIB", 10),
    ("MIB", 20),
    ("GIB", 30),
    ("TIB", 40),
    ("KB", 10),
    ("MB", 20),
    ("GB", 30),
    ("TB", 40),
    ("B", 0),
    ("", 0),
];

/// Whole numbers with units, each unit once and the larger first, such as `1m30s`; `0` alone.
pub(super) fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut units = DURATIONS.iter();
    let mut milliseconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let letters = rest[digits..].find(|c: char| c.is_ascii_digit());
        let end = letters.map_or(rest.len(), |letters| digits + letters);
        let unit = &rest[digits..end];
        // The iterator moves on: a unit can't come again, nor a larger one after it.
        let (_, of_unit) = units.find(|(name, _)| *name == unit)?;
        milliseconds = milliseconds.checked_add(number.checked_mul(*of_unit)?)?;
        rest = &rest[end..];
    }
    (!text.is_empty()).then(|| Duration::from_millis(milliseconds))
}

/// As Prometheus writes it, in the largest unit that leaves no rest.
pub(super) fn shown(duration: Duration) -> String {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let fits = |(_, of_unit): &&(&str, u64)| milliseconds != 0 && milliseconds % of_unit == 0;
    // Years and weeks are nobody's scrape intervals.
    let unit = DURATIONS[2..].iter().find(fits);
    unit.map_or_else(
        || "0".to_owned(),
        |(name, of_unit)| format!("{}{name}", milliseconds / of_unit),
    )
}

/// Bytes, such as `10MB`; each unit is a power of 1024.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit = unit.to_ascii_uppercase();
    let (_, exponent) = SIZES.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(1 << exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_units_the_larger_first() {
        for (text, milliseconds) in [
            ("15s", 15_000),
            ("1m30s", 90_000),
            ("500ms", 500),
            ("1h0m", 3_600_000),
            ("0", 0),
            ("1y2w", 379 * 86_400_000),
        ] {
            let expected = Duration::from_millis(milliseconds);
            assert_eq!(duration(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "15",
            "1.5s",
            "s",
            "1s1m",
            "1s1s",
            "-1s",
            "1 s",
            "99999999999y",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_shown_as_they_are_written() {
        for text in ["15s", "90s", "500ms", "1h", "1d", "0"] {
            assert_eq!(shown(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, expected) in [
            ("0", 0),
            ("10MB", 10 << 20),
            ("1KiB", 1024),
            ("5gb", 5 << 30),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for text in ["", "MB", "1.5MB", "1PB", "-1", "99999999TB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
