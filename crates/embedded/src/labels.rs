//! The labels of a series.

use std::fmt;
use std::sync::Arc;

/// The label that holds the name of the metric.
pub const NAME: &str = "__name__";

/// The labels of a series, sorted by name, each name once, none with an empty value. The name of
/// the metric is the label `__name__`.
///
/// Clones share their texts.
///
/// ```
/// use embedded::Labels;
/// let labels = Labels::new([("job", "shop"), ("__name__", "up"), ("zone", "")]);
/// assert_eq!((labels.name(), labels.get("job"), labels.get("zone")), (Some("up"), Some("shop"), None));
/// assert_eq!(labels.to_string(), r#"up{job="shop"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// Of pairs of name and value; of pairs with one name the last counts, and those with an empty
    /// value are left out.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Labels {
        let mut all: Vec<(Arc<str>, Arc<str>)> = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        // Stable: of one name, the last given comes last.
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let mut kept: Vec<(Arc<str>, Arc<str>)> = Vec::with_capacity(all.len());
        for pair in all {
            match kept.last_mut() {
                Some(last) if last.0 == pair.0 => *last = pair,
                _ => kept.push(pair),
            }
        }
        kept.retain(|(_, value)| !value.is_empty());
        Labels(kept.into())
    }

    /// Of pairs that are sorted by name, each name once, none with an empty value.
    pub(crate) fn of_sorted(pairs: impl Iterator<Item = (Arc<str>, Arc<str>)>) -> Labels {
        Labels(pairs.collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(name));
        at.ok().map(|at| &*self.0[at].1)
    }

    /// The name of the metric.
    pub fn name(&self) -> Option<&str> {
        self.get(NAME)
    }

    /// Name and value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// As [`Labels::iter`], as they are shared.
    pub fn shared(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.0
    }

    /// Those whose name is to be kept.
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Labels {
        let kept = self.0.iter().filter(|(name, _)| keep(name));
        Labels(kept.cloned().collect())
    }

    /// With the label set to `value`; without it where that is empty.
    pub fn with(&self, name: &str, value: &str) -> Labels {
        let changed = (Arc::from(name), Arc::from(value));
        Labels::new(self.0.iter().cloned().chain([changed]))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Labels {
    /// As PromQL writes a series.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        f.write_str(name.unwrap_or_default())?;
        let mut others = self.iter().filter(|(label, _)| *label != NAME).peekable();
        if name.is_some() && others.peek().is_none() {
            return Ok(());
        }
        f.write_str("{")?;
        for (at, (label, value)) in others.enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{label}={value:?}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_name_the_last_counts_and_empty_is_none() {
        let labels = Labels::new([("b", "1"), ("a", "x"), ("b", "2"), ("c", "3"), ("c", "")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "x"), ("b", "2")]);
    }

    #[test]
    fn labels_are_changed_by_making_others() {
        let labels = Labels::new([("a", "1"), ("b", "2")]);
        assert_eq!(
            labels.filtered(|name| name != "a"),
            Labels::new([("b", "2")])
        );
        assert_eq!(labels.with("a", "3"), Labels::new([("a", "3"), ("b", "2")]));
        assert_eq!(labels.with("a", ""), Labels::new([("b", "2")]));
    }

    #[test]
    fn the_order_of_labels_does_not_matter() {
        let one = Labels::new([("a", "1"), ("b", "2")]);
        assert_eq!(one, Labels::new([("b", "2"), ("a", "1")]));
        assert_eq!(Labels::default().to_string(), "{}");
    }
}
