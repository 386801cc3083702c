//! Everything that is ever asked of Prometheus: by this, a store that keeps nothing else knows what
//! to keep.

use std::time::Duration;

use domain::Catalogue;

use crate::discover::FleetQueries;
use crate::evidence::templates;
use crate::expression::{filled, range};
use crate::identity::{Identity, SettingsError};
use crate::selection::Selection;

/// An expression, and what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Such as `metric lat` or `evidence: latency by uri`.
    pub purpose: String,
    /// PromQL with nothing left to fill in; about all services where one would be named.
    pub query: String,
}

/// What the collector and the evidence of incidents ask, for targets that are scraped every
/// `scrape_interval`.
///
/// # Errors
/// Labels that are none.
pub fn asked(
    catalogue: &Catalogue,
    identity: &[String],
    scope: &[String],
    scrape_interval: Duration,
) -> Result<Vec<Asked>, SettingsError> {
    let identity = Identity::new(identity.to_vec(), scope.to_vec())?;
    let range = range(scrape_interval);
    let labels = identity.labels_with(&[]);
    let mut all = Vec::new();
    let mut ask = |purpose: String, query: String| all.push(Asked { purpose, query });
    for spec in catalogue.iter() {
        ask(
            format!("metric {}", spec.id),
            filled(&spec.query, &labels, range),
        );
        if let Some(fallback) = &spec.fallback {
            ask(
                format!("metric {}, fallback", spec.id),
                filled(fallback, &labels, range),
            );
        }
    }
    let fleet = FleetQueries::new(&identity);
    ask("discovery: scrape times".into(), fleet.scraped);
    ask("discovery: processes".into(), fleet.started);
    ask("discovery: targets".into(), fleet.up);
    for (purpose, template) in templates() {
        ask(
            format!("evidence: {purpose}"),
            Selection::fill_for_all(&template, range),
        );
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::DEFAULT_IDENTITY;

    #[test]
    fn nothing_is_left_to_fill_in_and_no_service_is_named() {
        let identity = DEFAULT_IDENTITY.map(String::from);
        let catalogue = Catalogue::default_three();
        let all = asked(&catalogue, &identity, &[], Duration::from_secs(15)).unwrap();
        assert!(all.len() > catalogue.len() + 30, "{}", all.len());
        for Asked { purpose, query } in &all {
            assert!(!query.contains(['$', '«', '»']), "{purpose}: {query}");
            assert!(
                !query.contains("{,") && !query.contains("{}"),
                "{purpose}: {query}"
            );
        }
        let of = |purpose: &str| &all.iter().find(|a| a.purpose == purpose).unwrap().query;
        assert_eq!(
            of("evidence: Heap after GC"),
            "100 * max (jvm_memory_usage_after_gc)"
        );
    }
}
