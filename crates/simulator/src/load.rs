//! The daily curve: how much of a service's `rps` arrives at an instant.

const DAY_MS: i64 = 86_400_000;
const TROUGH_HOUR: f64 = 4.0;
const PEAK_HOUR: f64 = 14.0;
const TROUGH_SHARE: f64 = 0.4;

/// Between 0.4 at 04:00 UTC and 1.0 at 14:00 UTC, eased by half cosines.
pub(crate) fn share_of_peak(t_ms: i64) -> f64 {
    let hour = t_ms.rem_euclid(DAY_MS) as f64 / 3_600_000.0;
    let since_trough = (hour - TROUGH_HOUR).rem_euclid(24.0);
    let rise = PEAK_HOUR - TROUGH_HOUR;
    let phase = if since_trough < rise {
        since_trough / rise
    } else {
        1.0 + (since_trough - rise) / (24.0 - rise)
    };
    let wave = 0.5 - 0.5 * libm::cos(std::f64::consts::PI * phase);
    TROUGH_SHARE + (1.0 - TROUGH_SHARE) * wave
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_peaks_at_fourteen_and_rests_at_four() {
        let at = |hour: i64| share_of_peak(hour * 3_600_000);
        assert!((at(14) - 1.0).abs() < 1e-9);
        assert!((at(4) - 0.4).abs() < 1e-9);
        assert!((at(28) - 0.4).abs() < 1e-9);
        for minute in 0..2_880 {
            let (now, next) = (
                share_of_peak(minute * 60_000),
                share_of_peak((minute + 1) * 60_000),
            );
            assert!((0.4 - 1e-9..=1.0 + 1e-9).contains(&now));
            assert!((now - next).abs() < 0.003);
        }
    }
}
