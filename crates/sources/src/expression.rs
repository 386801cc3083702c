//! Expressions of the catalogue, made ready to be sent.

use std::time::Duration;

const RANGE_MIN: Duration = Duration::from_secs(300);

/// Fills in `$identity`, `$range` and `$seconds`. They come from settings and arithmetic, never from
/// labels.
pub fn filled(expression: &str, identity: &str, range: Duration) -> String {
    filled_range(&expression.replace("$identity", identity), range)
}

/// Fills in `$range`, and its length `$seconds`.
pub(crate) fn filled_range(expression: &str, range: Duration) -> String {
    let seconds = range.as_secs().max(1).to_string();
    expression
        .replace("$range", &format!("{seconds}s"))
        .replace("$seconds", &seconds)
}

/// What stands for `$range`: the larger of 5 minutes and four scrape intervals, so that a rate has
/// samples even when one scrape fails.
pub fn range(scrape_interval: Duration) -> Duration {
    let four = Duration::from_secs((scrape_interval * 4).as_secs_f64().ceil() as u64);
    four.max(RANGE_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled() {
        let text = filled(
            "sum by ($identity, le) (rate(x_bucket[$range]))",
            "service, job",
            range(Duration::from_secs(15)),
        );
        assert_eq!(text, "sum by (service, job, le) (rate(x_bucket[300s]))");
        let text = filled_range("increase(x[$range]) / $seconds", Duration::from_secs(600));
        assert_eq!(text, "increase(x[600s]) / 600");
        assert_eq!(
            range(Duration::from_millis(120_500)),
            Duration::from_secs(482)
        );
    }
}
