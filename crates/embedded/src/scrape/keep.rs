//! Which series are kept: those that something will ask for.

use std::collections::HashMap;

use crate::labels::NAME;
use crate::{Labels, MatchOperator, Matcher};

/// Which series are kept of what targets say.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// By the name of the metric: the other conditions of each alternative.
    named: HashMap<String, Vec<Vec<Matcher>>>,
    /// Alternatives that name no metric, or several.
    unnamed: Vec<Vec<Matcher>>,
}

impl Keep {
    /// A series is kept if it fulfils all conditions of any alternative.
    pub fn new(alternatives: impl IntoIterator<Item = Vec<Matcher>>) -> Keep {
        let mut keep = Keep::default();
        for mut conditions in alternatives {
            let names = |matcher: &Matcher| {
                matcher.name == NAME && matcher.operator == MatchOperator::Equal
            };
            match conditions.iter().position(names) {
                Some(at) => {
                    let name = conditions.remove(at).value;
                    keep.named.entry(name).or_default().push(conditions);
                }
                None => keep.unnamed.push(conditions),
            }
        }
        keep
    }

    /// No condition at all.
    pub fn everything() -> Keep {
        Keep::new([Vec::new()])
    }

    /// Whether a series of that metric can be kept, whatever its labels.
    pub fn may_keep(&self, name: &str) -> bool {
        !self.unnamed.is_empty() || self.named.contains_key(name)
    }

    pub fn keeps(&self, labels: &Labels) -> bool {
        let named = labels.name().and_then(|name| self.named.get(name));
        let mut alternatives = named.into_iter().flatten().chain(&self.unnamed);
        alternatives.any(|conditions| {
            let mut conditions = conditions.iter();
            conditions.all(|matcher| matcher.matches_labels(labels))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_kept_if_any_alternative_wants_it() {
        let matcher = |name, operator, value| Matcher::new(name, operator, value).unwrap();
        let equal = |name, value| matcher(name, MatchOperator::Equal, value);
        let keep = Keep::new([
            vec![equal(NAME, "up")],
            vec![equal("area", "heap"), equal(NAME, "memory")],
            vec![matcher(NAME, MatchOperator::Regex, "http_.*_count")],
        ]);
        let kept = |name, area| keep.keeps(&Labels::new([(NAME, name), ("area", area)]));
        assert!(kept("up", "any") && kept("memory", "heap") && kept("http_a_count", ""));
        assert!(!kept("memory", "nonheap") && !kept("http_a_sum", "") && !kept("down", ""));
        assert!(Keep::everything().keeps(&Labels::new([(NAME, "any")])));
        assert!(!Keep::new([]).keeps(&Labels::new([(NAME, "any")])));
    }

    #[test]
    fn a_metric_that_no_alternative_names_is_told_by_its_name_alone() {
        let named = vec![Matcher::new(NAME, MatchOperator::Equal, "up").unwrap()];
        let keep = Keep::new([named]);
        assert!(keep.may_keep("up") && !keep.may_keep("down"));
        assert!(Keep::everything().may_keep("down"));
    }
}
