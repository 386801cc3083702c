//! Numbers and times as pages write them.

/// The powers of ten that a float holds exactly, as far as a short number needs them.
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// A value as Go's ParseFloat reads it, without its hexadecimal and underscored forms, as
/// Prometheus has it: decimal, exponent, any spelling of NaN, Inf and Infinity. Of every NaN the
/// same bits.
pub(super) fn value(text: &str) -> Option<f64> {
    short(text.as_bytes()).or_else(|| long(text))
}

/// Up to 15 digits with a point among them: the digits and the power of ten are exact as floats,
/// so that their quotient is rounded once and right (Clinger, PLDI 1990).
fn short(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // 15 digits and a point.
    if digits.len() > 16 {
        return None;
    }
    let mut number: u64 = 0;
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number = number * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let fraction = point.map_or(0, |at| digits.len() - at - 1);
    let count = digits.len() - usize::from(point.is_some());
    if count == 0 || count > 15 {
        return None;
    }
    let whole = number as f64;
    let value = if fraction == 0 {
        whole
    } else {
        whole / POWERS[fraction]
    };
    Some(if negative { -value } else { value })
}

fn long(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let value: f64 = text.parse().ok()?;
    if value.is_nan() {
        // Go knows no signed NaN.
        return (unsigned.len() == text.len()).then_some(f64::NAN);
    }
    // A number too large for a float is an error in Go; only the word means infinity.
    let beyond = value.is_infinite() && !unsigned.starts_with(['i', 'I']);
    (!beyond).then_some(value)
}

/// Milliseconds since the epoch, as the text format writes times.
pub(super) fn time_ms(text: &str) -> Option<i64> {
    // Rust would take a plus, too.
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Milliseconds of a time in seconds, cut as Prometheus does, so that both lay a sample at the
/// same millisecond.
pub(super) fn time_of_seconds(text: &str) -> Option<i64> {
    let milliseconds = value(text)? * 1000.0;
    // 2^63 and beyond are no milliseconds.
    (milliseconds.abs() < 9.2e18).then_some(milliseconds as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (text, number) in [
            ("0", 0.0),
            ("12.5", 12.5),
            ("1.", 1.0),
            (".5", 0.5),
            ("+3", 3.0),
            ("8.0554958848E10", 80_554_958_848.0),
            ("123456789012345.6", 123_456_789_012_345.6),
            ("+Inf", f64::INFINITY),
            ("-infinity", f64::NEG_INFINITY),
            ("inf", f64::INFINITY),
            ("1e-400", 0.0),
        ] {
            assert_eq!(value(text), Some(number), "{text}");
        }
        assert_eq!(value("-0").map(f64::to_bits), Some((-0.0f64).to_bits()));
        assert_eq!(value("nAn").map(f64::to_bits), Some(f64::NAN.to_bits()));
        let none = [
            "", "-", ".", "-.", "e5", "1e", "1e999", "0x1p3", "0x1F", "1_000", "+NaN", "1,5",
            "--1", "infinit", "1f", "٣",
        ];
        for text in none {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_whole_milliseconds_or_seconds_cut_as_prometheus_cuts() {
        assert_eq!(time_ms("1795352197293"), Some(1_795_352_197_293));
        assert_eq!(time_ms("-5"), Some(-5));
        for none in ["+5", "5.0", "", "9223372036854775808"] {
            assert_eq!(time_ms(none), None, "{none}");
        }
        assert_eq!(time_of_seconds("1795352197.5"), Some(1_795_352_197_500));
        // The product is 1.9999….
        assert_eq!(time_of_seconds("4.35"), Some((4.35 * 1000.0) as i64));
        for none in ["NaN", "+Inf", "1e300", "x"] {
            assert_eq!(time_of_seconds(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn short_numbers_are_those_of_the_standard_library(
            digits in "-?[0-9]{0,9}\\.?[0-9]{0,9}"
        ) {
            if let Some(number) = short(digits.as_bytes()) {
                let expected: f64 = digits.parse().expect("what short reads is a number");
                prop_assert_eq!(number.to_bits(), expected.to_bits());
            }
        }

        #[test]
        fn every_float_reads_back(bits: u64) {
            let number = f64::from_bits(bits);
            let read = value(&number.to_string()).expect("a float's text is a number");
            prop_assert!(read.to_bits() == number.to_bits() || number.is_nan() && read.is_nan());
        }
    }
}
