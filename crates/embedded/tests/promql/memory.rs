//! A source that holds its samples in memory.

use embedded::{Labels, Matcher, Sample, SeriesSource, stale_marker};

#[derive(Clone, Debug, Default)]
pub struct Memory(pub Vec<(Labels, Vec<Sample>)>);

impl Memory {
    /// One series a line: `name{label="value"} 1 2 _ x 5`, one value for each minute from zero on;
    /// `_` is no sample, `x` the end of the series.
    pub fn timeline(text: &str) -> Memory {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Memory(lines.map(timeline).collect())
    }
}

fn timeline(line: &str) -> (Labels, Vec<Sample>) {
    let (name, values) = match line.split_once('}') {
        Some((labels, values)) => (labels, values),
        None => line.split_once(' ').unwrap(),
    };
    let (name, labels) = name.split_once('{').unwrap_or((name, ""));
    let labels = labels.split(',').filter_map(|pair| pair.split_once('='));
    let labels = labels.map(|(name, value)| (name.trim(), value.trim_matches('"')));
    let minutes = values.split_whitespace().zip(0..);
    let samples = minutes.filter(|(value, _)| *value != "_");
    let samples = samples.map(|(value, minute)| Sample {
        time_ms: minute * 60_000,
        value: match value {
            "x" => stale_marker(),
            value => value.parse().unwrap(),
        },
    });
    (
        Labels::new(labels.chain([("__name__", name)])),
        samples.collect(),
    )
}

impl SeriesSource for Memory {
    fn select(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        visit: &mut dyn FnMut(&Labels, &[Sample]),
    ) {
        for (labels, samples) in &self.0 {
            let from = samples.partition_point(|sample| sample.time_ms < from_ms);
            let to = samples.partition_point(|sample| sample.time_ms <= to_ms);
            if from < to
                && matchers
                    .iter()
                    .all(|matcher| matcher.matches_labels(labels))
            {
                visit(labels, &samples[from..to]);
            }
        }
    }
}
