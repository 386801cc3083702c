//! One recorded series: whose it is, and what each scrape said.

use std::fmt::{self, Write as _};

/// Whether values add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        }
    }

    pub(super) fn named(name: &str) -> Option<Kind> {
        [Kind::Counter, Kind::Gauge]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSeries {
    pub kind: Kind,
    pub name: String,
    /// Sorted by name, without `__name__`.
    pub labels: Vec<(String, String)>,
    /// How long after the beginning of a step its target is scraped.
    pub offset_ms: i64,
    /// One for each scrape; None where the series wasn't there.
    pub values: Vec<Option<f64>>,
}

impl RecordedSeries {
    pub fn label(&self, name: &str) -> &str {
        self.labels
            .iter()
            .find(|(label, _)| label == name)
            .map_or("", |(_, value)| value)
    }

    /// The target it was scraped from.
    pub(super) fn target(&self) -> (&str, &str) {
        (self.label("job"), self.label("instance"))
    }

    /// `Err` with what is wrong with it by itself.
    pub(super) fn check(&self, scrapes: usize, step_ms: i64) -> Result<(), String> {
        if self.values.len() != scrapes {
            return Err(format!(
                "{self} has {} values, and there are {scrapes} scrapes",
                self.values.len()
            ));
        }
        if !(0..step_ms).contains(&self.offset_ms) {
            return Err(format!(
                "{self} is scraped {} ms after the beginning of a step of {step_ms} ms",
                self.offset_ms
            ));
        }
        let present = || self.values.iter().flatten().copied();
        if present().next().is_none() {
            return Err(format!("{self} has no value at all"));
        }
        if self.kind == Kind::Gauge {
            return Ok(());
        }
        if let Some(value) = present().find(|value| !value.is_finite() || *value < 0.0) {
            return Err(format!("the counter {self} is {value}"));
        }
        match present().zip(present().skip(1)).find(|(a, b)| b < a) {
            Some((before, after)) => Err(format!(
                "the counter {self} goes from {before} down to {after}: the process restarted, which no quiet stretch has"
            )),
            None => Ok(()),
        }
    }
}

/// As a selector names it.
impl fmt::Display for RecordedSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        f.write_char('{')?;
        for (position, (name, value)) in self.labels.iter().enumerate() {
            if position > 0 {
                f.write_char(',')?;
            }
            write!(f, "{name}=\"")?;
            for c in value.chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    '\n' => f.write_str("\\n")?,
                    c => f.write_char(c)?,
                }
            }
            f.write_char('"')?;
        }
        f.write_char('}')
    }
}
