//! One sentence with numbers.

use domain::{Finding, MetricSpec, OpenedBecause, Prediction, Reason, ServiceId, Timestamp};

/// "payments: Latency p99 is 2,140 ms, past Critical 3000 ms … since …".
pub fn opened(
    service: &ServiceId,
    finding: &Finding,
    spec: Option<&MetricSpec>,
    because: OpenedBecause,
    since: Timestamp,
) -> String {
    let unit = spec.map_or("", |spec| spec.unit.as_str());
    let title = spec.map_or(finding.series.metric.as_str(), |spec| spec.title.as_str());
    let mut text = match finding.newest {
        Some(sample) => {
            let at_least = if finding.at_least { "at least " } else { "" };
            format!(
                "{service}: {title} is {at_least}{}",
                amount(sample.value, unit)
            )
        }
        None => format!("{service}: {title} has no value"),
    };
    let threshold = match finding.severity {
        domain::Severity::Critical => finding.thresholds.critical,
        _ => finding.thresholds.high,
    };
    if let Some(threshold) = threshold {
        text += &format!(", past {} {}", finding.severity, amount(threshold, unit));
    }
    if let Some(band) = finding.band {
        text += &format!(
            ", expected {} ({} to {})",
            amount(band.expected, unit),
            number(band.lower),
            number(band.upper)
        );
    }
    text += &format!(", since {since}");
    if because == OpenedBecause::ThresholdOnly {
        text += match finding.prediction {
            Prediction::Unknown => "; threshold only, no model can say more",
            _ => "; threshold only, the model sees no anomaly",
        };
    } else if let Some(reason) = finding.reason {
        text += &format!("; {}", in_words(reason, unit));
    }
    text
}

/// A reason in an operator's words.
pub fn in_words(reason: Reason, unit: &str) -> String {
    match reason {
        Reason::Unusual { score, limit } => format!(
            "unusual to its judges together, with a score of {} of 8 where {} makes an anomaly",
            number(score),
            number(limit)
        ),
        Reason::GoesOn { since } => {
            format!("anomalous since {since} and not back within what is expected")
        }
        Reason::OutOfRange { low, high } => format!(
            "outside everything seen in training, {} to {}",
            number(low),
            amount(high, unit)
        ),
        Reason::BelowMinimumEffect { distance, minimum } => format!(
            "unusual, but only {} from expected; less than {} is never an anomaly",
            amount(distance, unit),
            amount(minimum, unit)
        ),
        Reason::HarmlessDirection => "unusual, but on the harmless side of expected".into(),
        Reason::BackToUsual => {
            "the samples before it were unusual; it is usual for its time of day again".into()
        }
        Reason::Usual => "within what the series usually does".into(),
        Reason::OffSeason { limit } => format!(
            "outside what is expected, and for minutes as odd for this time of day as is seen {} at most",
            odds(limit)
        ),
    }
}

/// How often a series does what is so rare.
pub(crate) fn odds(rarity: f64) -> String {
    match libm::pow(10.0, rarity).round() as u64 {
        0..=1 => "nearly always".into(),
        100_000_000.. => "less than once in 100 million samples".into(),
        one_in => format!("once in {} samples", grouped(one_in)),
    }
}

pub fn amount(value: f64, unit: &str) -> String {
    match unit {
        "" => number(value),
        "%" => format!("{} %", number(value)),
        unit => format!("{} {unit}", number(value)),
    }
}

/// Three significant digits at least; whole numbers without decimals, and all from a hundred on.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 100.0 || magnitude.fract() == 0.0 {
        let whole = grouped(magnitude.round() as u64);
        if value < 0.0 {
            format!("-{whole}")
        } else {
            whole
        }
    } else if magnitude >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// A length of time in its two largest units: "1 h 20 m".
pub fn length(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, size) in units {
        if rest >= size && parts.len() < 2 {
            parts.push(format!("{} {name}", rest / size));
            rest %= size;
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() {
        return format!("{seconds} s");
    }
    parts.join(" ")
}

pub(crate) fn grouped(whole: u64) -> String {
    let digits = whole.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(amount(2140.4, "ms"), "2,140 ms");
        assert_eq!(amount(91.26, "%"), "91.3 %");
        assert_eq!(number(-1234567.0), "-1,234,567");
        assert_eq!(number(0.5), "0.50");
        assert_eq!(number(-0.04), "-0.04");
        assert_eq!(amount(0.0, "threads"), "0 threads");
        assert_eq!(amount(-2.0, "threads"), "-2 threads");
        assert_eq!(amount(85.0, "%"), "85 %");
        assert_eq!(length(std::time::Duration::from_secs(4_815)), "1 h 20 m");
        assert_eq!(length(std::time::Duration::from_secs(30)), "30 s");
        assert_eq!(length(std::time::Duration::from_secs(3_605)), "1 h");
        assert_eq!(odds(3.0), "once in 1,000 samples");
    }
}
