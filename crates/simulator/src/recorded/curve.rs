//! The load over a day, as the load generator follows it: a factor for each hour, and a straight line in between.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const HOURS: usize = 24;
const FACTOR_MAX: f64 = 10.0;

#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    factors: [f64; HOURS],
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: {problem} (wanted: a line of headings, then `hour,factor` for the hours 0 to 23)"
)]
pub struct CurveError {
    pub line: usize,
    pub problem: String,
}

impl Curve {
    /// The same load all day.
    pub fn level(factor: f64) -> Curve {
        Curve {
            factors: [factor; HOURS],
        }
    }

    /// ```
    /// use simulator::recorded::Curve;
    ///
    /// let mut text = String::from("hour,factor\n");
    /// for hour in 0..24 {
    ///     text.push_str(&format!("{hour},{}\n", if hour < 12 { 0.5 } else { 1.0 }));
    /// }
    /// let curve = Curve::parse(&text)?;
    /// assert_eq!(curve.at_hour(3.5), 0.5);
    /// assert_eq!(curve.at_hour(11.5), 0.75);
    /// assert_eq!(curve.at_hour(23.5), 0.75);
    /// # Ok::<(), simulator::recorded::CurveError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Curve, CurveError> {
        let mut factors = [0.0; HOURS];
        let mut next_hour = 0;
        let rows = text.lines().enumerate().skip(1);
        for (index, row) in rows.filter(|(_, row)| !row.trim().is_empty()) {
            let refuse = |problem: String| CurveError {
                line: index + 1,
                problem,
            };
            let (hour, factor) = row
                .split_once(',')
                .ok_or_else(|| refuse(format!("{row:?} has no comma")))?;
            if hour.trim().parse() != Ok(next_hour) || next_hour >= HOURS {
                return Err(refuse(format!("{hour:?} isn't the next hour")));
            }
            factors[next_hour] = factor
                .trim()
                .parse()
                .ok()
                .filter(|factor| (0.0..=FACTOR_MAX).contains(factor))
                .ok_or_else(|| {
                    refuse(format!(
                        "factor {factor:?} isn't between 0 and {FACTOR_MAX}"
                    ))
                })?;
            next_hour += 1;
        }
        if next_hour < HOURS {
            return Err(CurveError {
                line: text.lines().count(),
                problem: format!("the day ends before hour {next_hour}"),
            });
        }
        Ok(Curve { factors })
    }

    /// Hours since local midnight.
    pub fn at_hour(&self, hour: f64) -> f64 {
        let from = hour.floor();
        let index = from as usize % HOURS;
        let (left, right) = (self.factors[index], self.factors[(index + 1) % HOURS]);
        left + (right - left) * (hour - from)
    }

    pub fn at(&self, time: Timestamp, zone: &TimeZone) -> f64 {
        let local = zone.to_datetime(time).time();
        let seconds = f64::from(local.hour()) * 3_600.0
            + f64::from(local.minute()) * 60.0
            + f64::from(local.second());
        self.at_hour(seconds / 3_600.0)
    }
}
