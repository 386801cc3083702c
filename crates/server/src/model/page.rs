//! A model as a page: where it comes from first, then what it holds for usual.

use std::fmt;

use incident::{amount, length, number};

use super::view::{HourView, ModelView, TreeView};
use crate::api::visible as shown;

/// Of one tree.
type Figure = fn(&TreeView) -> f64;

impl fmt::Display for ModelView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", shown(&self.service), self.metric)?;
        for (name, line) in self.lines() {
            writeln!(f, "  {name:<13}{line}")?;
        }
        writeln!(
            f,
            "\nfeatures, by formulas of version {}, and the share of splits that ask for each:",
            self.features_version
        )?;
        for feature in &self.features {
            let share = 100.0 * feature.share_of_splits;
            writeln!(
                f,
                "  {:<13}{share:>5.1} %  {}",
                feature.name, feature.formula
            )?;
        }
        self.trees(f)?;
        self.band(f)
    }
}

impl ModelView {
    fn lines(&self) -> [(&'static str, String); 8] {
        let unit = &self.unit;
        let parameters = &self.parameters;
        let constant = if self.constant { ", all the same" } else { "" };
        let window = self.window_to.since(self.window_from);
        [
            (
                "model",
                format!(
                    "{}, {} bytes in {}",
                    self.hash,
                    self.bytes,
                    self.file.escape_debug()
                ),
            ),
            ("trained at", self.trained_at.to_string()),
            (
                "window",
                format!(
                    "{} to {}: {}",
                    self.window_from,
                    self.window_to,
                    length(window)
                ),
            ),
            (
                "rows",
                format!(
                    "{} learnt from, {} left out for an incident",
                    self.rows, self.masked_rows
                ),
            ),
            (
                "parameters",
                format!(
                    "{} trees of {} rows, seed {}, contamination {}, a step of {} s",
                    parameters.trees,
                    parameters.sample_size,
                    parameters.seed,
                    parameters.contamination,
                    parameters.step_seconds
                ),
            ),
            (
                "values",
                format!(
                    "{} to {}{constant}",
                    amount(self.value_min, unit),
                    amount(self.value_max, unit)
                ),
            ),
            (
                "threshold",
                format!(
                    "isolation scores above {:.3} are raw anomalies, {:.2} % of the rows learnt from",
                    self.forest_threshold,
                    100.0 * self.raw_share
                ),
            ),
            (
                "forest",
                format!(
                    "{} splits in {} trees of {} rows, {} bytes in memory",
                    self.forest.splits,
                    self.forest.trees.len(),
                    self.forest.sample_size,
                    self.forest.resident_bytes
                ),
            ),
        ]
    }

    fn trees(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<31}{:>8}{:>8}{:>8}",
            "of its trees", "least", "median", "most"
        )?;
        let rows: [(&str, Figure); 6] = [
            ("splits", |tree| tree.splits as f64),
            ("splits on the longest way", |tree| tree.depth_max as f64),
            ("splits that a row passes", |tree| tree.depth_mean),
            ("leaves", |tree| tree.leaves as f64),
            ("leaves of one row", |tree| tree.isolated as f64),
            ("rows in the largest leaf", |tree| tree.leaf_rows_max as f64),
        ];
        for (name, of) in rows {
            let mut values: Vec<f64> = self.forest.trees.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            let at = |place: usize| values.get(place).map_or_else(String::new, |v| number(*v));
            let last = values.len().saturating_sub(1);
            writeln!(
                f,
                "  {name:<29}{:>8}{:>8}{:>8}",
                at(0),
                at(last / 2),
                at(last)
            )?;
        }
        Ok(())
    }

    fn band(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = &self.unit;
        let season = match self.band.seasonal {
            true => format!("by the time of day in {}", self.band.timezone),
            false => "without a season".to_owned(),
        };
        writeln!(
            f,
            "\nexpected {season}, one deviation is {}:",
            amount(self.band.scale, unit)
        )?;
        for HourView {
            hour,
            expected,
            lower,
            upper,
        } in &self.band.hours
        {
            let hour = hour.map_or("always".to_owned(), |hour| format!("{hour:02}:00"));
            let [expected, lower, upper] = [expected, lower, upper].map(|v| amount(*v, unit));
            writeln!(f, "  {hour:<9}{expected:<14}usually {lower} to {upper}")?;
        }
        Ok(())
    }
}
