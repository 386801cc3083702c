//! The learned thing of one series, and its bytes.
//!
//! Layout: the magic `BWMODEL` and a format digit, the header's length (u32, little-endian) and the
//! header as JSON (readable with `head -c`), the body's length and the body (postcard), and the
//! BLAKE3 hash of all before it. Anything malformed is refused before it is believed.

use std::sync::Arc;
use std::time::Duration;

use domain::{ModelRef, SeriesId, Timestamp};
use forest::Forest;
use serde::{Deserialize, Serialize};

use crate::band::SeasonalBand;
use crate::components::Fitted;
use crate::featurise::FEATURES_VERSION;

const MAGIC: &[u8; 8] = b"BWMODEL2";
const HASH_BYTES: usize = 32;
/// No model is larger; what claims to be is refused unread.
pub const MODEL_BYTES_MAX: usize = 4 << 20;

/// When a model was trained, on what and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelHeader {
    pub series: SeriesId,
    pub trained_at: Timestamp,
    /// The first and the last training sample.
    pub window_from: Timestamp,
    pub window_to: Timestamp,
    /// Feature rows that were learnt from.
    pub rows: u64,
    /// Rows in the window that an incident masked.
    pub masked_rows: u64,
    pub step: Duration,
    pub trees: u32,
    pub sample_size: u32,
    pub seed: u64,
    pub contamination: f64,
    /// The share of the training rows that the forest labels raw anomalies.
    pub raw_share: f64,
    pub features_version: u32,
    /// All training values are equal.
    pub constant: bool,
}

/// A fitted model. Made by [`crate::train`] or [`Model::decode`]; never changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub header: ModelHeader,
    pub forest: Forest,
    /// Isolation scores above are raw anomalies: the 1 − contamination quantile in training.
    pub forest_threshold: f64,
    pub band: SeasonalBand,
    /// What the distance-like components need.
    pub fitted: Fitted,
    /// The least and the greatest training value.
    pub extremes: (f64, f64),
}

#[derive(Serialize, Deserialize)]
struct Body {
    forest: Vec<u8>,
    forest_threshold: f64,
    band: SeasonalBand,
    fitted: Fitted,
    extremes: (f64, f64),
}

/// Why bytes are not a model of this series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error("it is not a Bellwether model of format 2")]
    Magic,
    #[error("it is {0} bytes long, which no model is")]
    Length(usize),
    #[error("its checksum does not match: the file is damaged")]
    Checksum,
    #[error("its {part} is malformed: {why}")]
    Malformed { part: &'static str, why: String },
    #[error(
        "it was trained with feature formulas of version {found}; this program has version {FEATURES_VERSION}"
    )]
    Features { found: u32 },
    #[error("it is the model of {found}, not of {expected}")]
    OtherSeries { expected: String, found: String },
}

impl Model {
    pub fn encode(&self) -> Vec<u8> {
        let header = serde_json::to_vec(&self.header).expect("a header is plain data");
        let body = Body {
            forest: self.forest.encode(),
            forest_threshold: self.forest_threshold,
            band: self.band.clone(),
            fitted: self.fitted.clone(),
            extremes: self.extremes,
        };
        let body = postcard::to_stdvec(&body).expect("a body is plain data");
        let mut bytes = MAGIC.to_vec();
        for part in [&header, &body] {
            let length = u32::try_from(part.len()).expect("a model is far below 4 GiB");
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(part);
        }
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        bytes
    }

    /// Reads a model and checks that it is one of `series` and whole.
    ///
    /// # Errors
    /// Damaged, malformed, of other feature formulas, or of another series.
    pub fn decode(bytes: &[u8], series: &SeriesId) -> Result<Model, ModelError> {
        if bytes.len() < MAGIC.len() + HASH_BYTES || bytes.len() > MODEL_BYTES_MAX {
            return Err(ModelError::Length(bytes.len()));
        }
        let (content, hash) = bytes.split_at(bytes.len() - HASH_BYTES);
        let Some(parts) = content.strip_prefix(MAGIC) else {
            return Err(ModelError::Magic);
        };
        if blake3::hash(content).as_bytes() != hash {
            return Err(ModelError::Checksum);
        }
        let (header, parts) = split_part(parts, "header")?;
        let (body, rest) = split_part(parts, "body")?;
        if !rest.is_empty() {
            return Err(malformed("end", "bytes follow it"));
        }
        let header: ModelHeader =
            serde_json::from_slice(header).map_err(|e| malformed("header", e))?;
        check_header(&header, series)?;
        let body: Body = postcard::from_bytes(body).map_err(|e| malformed("body", e))?;
        Model::assemble(header, body)
    }

    fn assemble(header: ModelHeader, body: Body) -> Result<Model, ModelError> {
        let forest = Forest::decode(&body.forest).map_err(|e| malformed("forest", e))?;
        if forest.features() != domain::FEATURE_NAMES.len() {
            return Err(malformed("forest", "it has another number of features"));
        }
        let (low, high) = body.extremes;
        let finite = body.forest_threshold.is_finite() && low.is_finite() && high.is_finite();
        if !finite || low > high || !body.band.is_sound() || !body.fitted.is_sound() {
            return Err(malformed("body", "a number is not finite or out of order"));
        }
        Ok(Model {
            header,
            forest,
            forest_threshold: body.forest_threshold,
            band: body.band,
            fitted: body.fitted,
            extremes: body.extremes,
        })
    }

    /// How findings name the model whose bytes these are.
    pub fn reference(&self, bytes: &[u8]) -> ModelRef {
        let hash: Arc<str> = blake3::hash(bytes).to_hex()[..16].into();
        ModelRef {
            hash,
            trained_at: self.header.trained_at,
        }
    }
}

fn check_header(header: &ModelHeader, series: &SeriesId) -> Result<(), ModelError> {
    if header.features_version != FEATURES_VERSION {
        return Err(ModelError::Features {
            found: header.features_version,
        });
    }
    if header.series != *series {
        return Err(ModelError::OtherSeries {
            expected: series.to_string(),
            found: header.series.to_string(),
        });
    }
    Ok(())
}

fn split_part<'a>(bytes: &'a [u8], part: &'static str) -> Result<(&'a [u8], &'a [u8]), ModelError> {
    let too_short = || malformed(part, "it is cut short");
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(too_short)?;
    let length = u32::from_le_bytes(*length) as usize;
    rest.split_at_checked(length).ok_or_else(too_short)
}

fn malformed(part: &'static str, why: impl ToString) -> ModelError {
    ModelError::Malformed {
        part,
        why: why.to_string(),
    }
}
