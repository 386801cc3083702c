//! All of a model that can be said, as `--json` prints it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use detect::{Model, Season, SeasonalBand};
use domain::{FEATURE_NAMES, Timestamp};
use forest::{Forest, TreeNode, TreeSummary};
use serde::Serialize;

/// How each feature comes from a sample x and those before it within the rolling window: what
/// `detect::featurise` computes, in the order of [`FEATURE_NAMES`].
const FORMULAS: [&str; FEATURE_NAMES.len()] = [
    "x",
    "x - previous",
    "m = mean of the window before x",
    "s = standard deviation of the window before x",
    "(x - m) / max(s, 0.001 max(|m|, 0.001)), within -50 and 50",
];
const QUARTER: Duration = Duration::from_secs(900);

#[derive(Serialize)]
pub struct ModelView {
    pub service: String,
    pub metric: String,
    pub unit: String,
    pub file: String,
    pub bytes: usize,
    /// As findings name it.
    pub hash: String,
    pub trained_at: Timestamp,
    pub window_from: Timestamp,
    pub window_to: Timestamp,
    pub rows: u64,
    pub masked_rows: u64,
    pub constant: bool,
    pub parameters: ParametersView,
    pub features_version: u32,
    pub features: Vec<FeatureView>,
    /// Isolation scores above are raw anomalies, and the share of the training rows that are.
    pub forest_threshold: f64,
    pub raw_share: f64,
    pub value_min: f64,
    pub value_max: f64,
    pub band: BandView,
    pub forest: ForestView,
}

#[derive(Serialize)]
pub struct ParametersView {
    pub step_seconds: f64,
    pub trees: u32,
    pub sample_size: u32,
    pub seed: u64,
    pub contamination: f64,
}

#[derive(Serialize)]
pub struct FeatureView {
    pub name: &'static str,
    pub formula: &'static str,
    pub splits: usize,
    /// Of all splits of the forest.
    pub share_of_splits: f64,
}

#[derive(Serialize)]
pub struct BandView {
    pub seasonal: bool,
    pub timezone: String,
    /// One robust deviation, in the metric's unit.
    pub scale: f64,
    /// At full hours of the day; one, at no hour, where there is no season.
    pub hours: Vec<HourView>,
}

#[derive(Serialize)]
pub struct HourView {
    pub hour: Option<u64>,
    pub expected: f64,
    pub lower: f64,
    pub upper: f64,
}

#[derive(Serialize)]
pub struct ForestView {
    pub resident_bytes: usize,
    /// Rows that each tree was grown from.
    pub sample_size: usize,
    pub splits: usize,
    pub trees: Vec<TreeView>,
}

#[derive(Serialize)]
pub struct TreeView {
    pub splits: usize,
    pub leaves: usize,
    pub depth_max: usize,
    /// Splits that a training row passes on average.
    pub depth_mean: f64,
    /// Leaves of one row.
    pub isolated: usize,
    pub leaf_rows_max: usize,
    /// In preorder.
    pub nodes: Vec<NodeView>,
}

/// Rows whose feature lies below go to the next node, others past all of that side.
#[derive(Serialize)]
#[serde(untagged)]
pub enum NodeView {
    Split {
        depth: usize,
        feature: &'static str,
        below: f64,
    },
    Leaf {
        depth: usize,
        rows: usize,
    },
}

impl ModelView {
    pub fn of(
        model: &Model,
        bytes: &[u8],
        file: &Path,
        unit: &str,
        (timezone, season): (&str, &Season),
    ) -> ModelView {
        let header = &model.header;
        ModelView {
            service: header.series.service.to_string(),
            metric: header.series.metric.to_string(),
            unit: unit.to_owned(),
            file: file.display().to_string(),
            bytes: bytes.len(),
            hash: model.reference(bytes).hash.to_string(),
            trained_at: header.trained_at,
            window_from: header.window_from,
            window_to: header.window_to,
            rows: header.rows,
            masked_rows: header.masked_rows,
            constant: header.constant,
            parameters: ParametersView {
                step_seconds: header.step.as_secs_f64(),
                trees: header.trees,
                sample_size: header.sample_size,
                seed: header.seed,
                contamination: header.contamination,
            },
            features_version: header.features_version,
            features: features(&model.forest),
            forest_threshold: model.forest_threshold,
            raw_share: header.raw_share,
            value_min: model.extremes.0,
            value_max: model.extremes.1,
            band: BandView {
                seasonal: model.band.is_seasonal(),
                timezone: timezone.to_owned(),
                scale: model.band.scale(),
                hours: hours(&model.band, season, header.window_to),
            },
            forest: ForestView::of(&model.forest),
        }
    }
}

fn features(forest: &Forest) -> Vec<FeatureView> {
    let splits = forest.splits_by_feature();
    let all = splits.iter().sum::<usize>().max(1) as f64;
    let named = FEATURE_NAMES.into_iter().zip(FORMULAS).zip(splits);
    named
        .map(|((name, formula), splits)| FeatureView {
            name,
            formula,
            splits,
            share_of_splits: splits as f64 / all,
        })
        .collect()
}

/// The band at the full hours of a day, by the clock of `season`.
fn hours(band: &SeasonalBand, season: &Season, near: Timestamp) -> Vec<HourView> {
    let view = |hour, time| {
        let at = band.band(time, season);
        HourView {
            hour,
            expected: at.expected,
            lower: at.lower,
            upper: at.upper,
        }
    };
    if !band.is_seasonal() {
        return vec![view(None, near)];
    }
    // Two days, so that an hour that a change of the clock leaves out is found on the other one.
    let mut times = BTreeMap::new();
    let from = near.floor_to(QUARTER);
    for time in (0..2 * 96).map(|quarter| from - QUARTER * quarter) {
        let of_day = season.time_of_day(time).as_secs();
        if of_day.is_multiple_of(3600) {
            times.entry(of_day / 3600).or_insert(time);
        }
    }
    let times = times.into_iter();
    times.map(|(hour, time)| view(Some(hour), time)).collect()
}

impl ForestView {
    fn of(forest: &Forest) -> ForestView {
        let trees: Vec<TreeView> = forest.tree_nodes().map(TreeView::of).collect();
        ForestView {
            resident_bytes: forest.size_bytes(),
            sample_size: forest.sample_size(),
            splits: trees.iter().map(|tree| tree.splits).sum(),
            trees,
        }
    }
}

impl TreeView {
    fn of(nodes: Vec<TreeNode>) -> TreeView {
        let summary = TreeSummary::of(&nodes);
        TreeView {
            splits: summary.splits,
            leaves: summary.leaves,
            depth_max: summary.depth_max,
            depth_mean: summary.depth_mean,
            isolated: summary.isolated,
            leaf_rows_max: summary.leaf_rows_max,
            nodes: nodes.into_iter().map(NodeView::of).collect(),
        }
    }
}

impl NodeView {
    fn of(node: TreeNode) -> NodeView {
        match node {
            TreeNode::Leaf { depth, rows } => NodeView::Leaf { depth, rows },
            TreeNode::Split {
                depth,
                feature,
                threshold,
            } => NodeView::Split {
                depth,
                feature: FEATURE_NAMES[feature],
                below: threshold,
            },
        }
    }
}
