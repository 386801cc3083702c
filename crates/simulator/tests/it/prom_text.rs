//! Just enough of the exposition format to hold two texts against each other.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default)]
pub struct Text {
    pub kinds: BTreeMap<String, String>,
    pub samples: Vec<Sample>,
}

#[derive(Debug, Clone)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Text {
    pub fn parse(text: &str) -> Text {
        let mut parsed = Text::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a type line has two words");
                assert!(
                    parsed
                        .kinds
                        .insert(name.to_owned(), kind.to_owned())
                        .is_none(),
                    "{name} is announced twice"
                );
            } else if !line.starts_with('#') {
                parsed.samples.push(Sample::parse(line));
            }
        }
        parsed
    }

    /// The sum over all samples of a name with these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.all(name, labels).map(|sample| sample.value).sum()
    }

    pub fn all<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| {
            sample.name == name
                && labels
                    .iter()
                    .all(|(key, value)| sample.labels.get(*key).is_some_and(|v| v == value))
        })
    }

    /// Names of labels each sample name goes with.
    pub fn label_sets(&self) -> BTreeMap<String, BTreeSet<BTreeSet<String>>> {
        let mut sets: BTreeMap<String, BTreeSet<BTreeSet<String>>> = BTreeMap::new();
        for sample in &self.samples {
            sets.entry(sample.name.clone())
                .or_default()
                .insert(sample.labels.keys().cloned().collect());
        }
        sets
    }

    /// Cumulative counts by `le`, summed over series without actuator paths.
    pub fn server_buckets(&self) -> Vec<(f64, f64)> {
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for sample in self.all("http_server_requests_seconds_bucket", &[]) {
            if sample.labels["uri"].starts_with("/actuator") {
                continue;
            }
            let le = sample.labels["le"].parse().expect("le is a number");
            match buckets.iter_mut().find(|(bound, _)| *bound == le) {
                Some((_, count)) => *count += sample.value,
                None => buckets.push((le, sample.value)),
            }
        }
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        buckets
    }
}

impl Sample {
    fn parse(line: &str) -> Sample {
        let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
        let (name, labels) = match series.split_once('{') {
            None => (series, ""),
            Some((name, rest)) => (
                name,
                rest.strip_suffix('}').expect("labels end with a brace"),
            ),
        };
        let mut parsed = BTreeMap::new();
        let mut rest = labels;
        while !rest.is_empty() {
            let (key, tail) = rest.split_once("=\"").expect("a label has a value");
            let end = tail.find('"').expect("a label value ends");
            assert!(
                parsed
                    .insert(key.to_owned(), tail[..end].to_owned())
                    .is_none(),
                "{key} twice in {line}"
            );
            rest = tail[end + 1..].trim_start_matches(',');
        }
        Sample {
            name: name.to_owned(),
            labels: parsed,
            value: value.parse().expect("a value is a number"),
        }
    }
}

/// `histogram_quantile` as Prometheus has it.
pub fn histogram_quantile(q: f64, buckets: &[(f64, f64)]) -> f64 {
    let total = buckets.last().expect("there is +Inf").1;
    let rank = q * total;
    let at = buckets
        .iter()
        .position(|(_, count)| *count >= rank)
        .expect("+Inf holds all");
    if at == buckets.len() - 1 {
        return buckets[at - 1].0;
    }
    let (start, below) = if at == 0 { (0.0, 0.0) } else { buckets[at - 1] };
    let (end, count) = buckets[at];
    start + (end - start) * (rank - below) / (count - below)
}
