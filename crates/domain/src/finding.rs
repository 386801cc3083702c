//! Findings: everything judged about one series at one instant, with reasons.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Gap, Sample, SeriesId, Thresholds, Timestamp};

/// What the model says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Prediction {
    Normal,
    Anomaly,
    /// No model, no sample, or warming up: [`Silence`] says which.
    Unknown,
}

/// How bad a value is by its thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// There is no sample.
    Unavailable,
    Normal,
    High,
    Critical,
}

macro_rules! words {
    ($name:ident: $($variant:ident),+) => {
        impl $name {
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => stringify!($variant)),+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<$name, String> {
                match text {
                    $(stringify!($variant) => Ok($name::$variant),)+
                    _ => Err(format!("{text:?} is none of {}", [$(stringify!($variant)),+].join(", "))),
                }
            }
        }
    };
}
words!(Prediction: Normal, Anomaly, Unknown);
words!(Severity: Unavailable, Normal, High, Critical);

/// The names of the five features, in the order in which models see them.
pub const FEATURE_NAMES: [&str; 5] = ["value", "delta", "rolling_mean", "rolling_std", "zscore"];

/// One feature row; formulas and units in `detect::featurise`. All finite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Features {
    pub value: f64,
    pub delta: f64,
    pub rolling_mean: f64,
    pub rolling_std: f64,
    pub zscore: f64,
}

impl Features {
    pub fn as_array(&self) -> [f64; 5] {
        [
            self.value,
            self.delta,
            self.rolling_mean,
            self.rolling_std,
            self.zscore,
        ]
    }
}

/// The expected range now, in the metric's unit; `lower <= expected <= upper`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    pub expected: f64,
    pub lower: f64,
    pub upper: f64,
}

/// A judge of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// Isolation Forest on the five features.
    Forest,
    /// Distance from an exponentially weighted level.
    Level,
    /// Distance from the median of the same time of day over the last seven days.
    Season,
    /// Distance of the newest four samples from the most similar four of the past.
    NearestShort,
    /// Distance of the newest twenty-four samples from the most similar twenty-four of the past.
    NearestLong,
    /// Distance from all combinations of the shapes that training found.
    Pattern,
}

impl Component {
    pub const ALL: [Component; 6] = [
        Component::Forest,
        Component::Level,
        Component::Season,
        Component::NearestShort,
        Component::NearestLong,
        Component::Pattern,
    ];

    /// As it is called in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Component::Forest => "forest",
            Component::Level => "level",
            Component::Season => "season",
            Component::NearestShort => "nearest_short",
            Component::NearestLong => "nearest_long",
            Component::Pattern => "pattern",
        }
    }

    /// What its statistic is, for a sentence: "isolation forest 0.61", "time of day 4.20".
    pub fn title(self) -> &'static str {
        match self {
            Component::Forest => "isolation forest",
            Component::Level => "recent level",
            Component::Season => "time of day",
            Component::NearestShort => "nearest short stretch",
            Component::NearestLong => "nearest long stretch",
            Component::Pattern => "usual shapes",
        }
    }
}

/// What one component says about one sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentScore {
    pub component: Component,
    /// The component's own statistic: 0 to 1 for the forest; distances in units of the usual one for
    /// the others.
    pub statistic: f64,
    /// Of the forest: the statistic above which a row is a raw anomaly, a quantile of training.
    pub threshold: Option<f64>,
    /// How rare such a statistic is on this series: −log10 of its tail probability, 0 to 8.
    pub rarity: f64,
}

impl ComponentScore {
    /// A component speaks up at what it sees once in a thousand samples.
    pub const SPEAKS_FROM: f64 = 3.0;

    pub fn speaks(&self) -> bool {
        self.rarity >= ComponentScore::SPEAKS_FROM
    }
}

/// The model that judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRef {
    /// The first 16 hexadecimal digits of the BLAKE3 hash of the model's bytes.
    pub hash: Arc<str>,
    pub trained_at: Timestamp,
}

/// Why a prediction is `Unknown`. Ordinary outcomes, not errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    NoModel,
    NoSample,
    /// Too few samples in the rolling window, or the first after a gap.
    WarmingUp,
}

/// Why a prediction is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The score has reached its limit.
    Unusual { score: f64, limit: f64 },
    /// Outside its band, and for minutes as rare for its time of day as `limit`, a rarity.
    OffSeason { limit: f64 },
    /// It was an anomaly before and has been outside its band since.
    GoesOn { since: Timestamp },
    /// Far outside everything the training window holds; `low` and `high` are its extremes.
    OutOfRange { low: f64, high: f64 },
    /// Rare, but closer to expected than the metric's minimum deviation.
    BelowMinimumEffect { distance: f64, minimum: f64 },
    /// Rare, but on the harmless side of expected.
    HarmlessDirection,
    /// The samples before were unusual; this one is as usual for its time of day.
    BackToUsual,
    /// Within what the series usually does.
    Usual,
}

/// Everything judged about one series at one evaluation instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub series: SeriesId,
    /// The evaluation instant.
    pub at: Timestamp,
    pub sample: Result<Sample, Gap>,
    /// The newest usable sample, which `sample` may repeat.
    pub newest: Option<Sample>,
    /// The instance that carried the value, where the metric keeps it.
    pub instance: Option<Arc<str>>,
    /// The value comes from the metric's fallback query.
    pub proxy: bool,
    /// The value is a lower bound ("≥").
    pub at_least: bool,
    pub severity: Severity,
    pub thresholds: Thresholds,
    pub prediction: Prediction,
    pub silence: Option<Silence>,
    pub reason: Option<Reason>,
    /// How odd the sample and those right before it are: the mean of the components' rarities,
    /// smoothed; 0 to 8.
    pub score: Option<f64>,
    /// From which score on a sample is an anomaly; none without a judgement.
    pub limit: Option<f64>,
    /// Nothing was learnt from the sample: an incident holds learning.
    pub held: bool,
    pub features: Option<Features>,
    pub band: Option<Band>,
    pub components: Vec<ComponentScore>,
    /// The forest's contributions by feature, which sum to its score's distance from normal.
    pub contributions: Option<[f64; 5]>,
    pub model: Option<ModelRef>,
}
