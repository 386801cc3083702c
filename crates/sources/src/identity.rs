//! Which service a series belongs to: the first non-empty of the candidate labels, behind the
//! scope.

use std::collections::{BTreeMap, BTreeSet};

use domain::ServiceId;

use crate::prometheus::{Labels, matcher};
use crate::visible::excerpt;

/// The candidate labels where none are configured, in order of preference.
pub const DEFAULT_IDENTITY: [&str; 5] = ["service", "application", "service_name", "app", "job"];

/// A longer label value is refused; no name may be longer either.
pub(crate) const LABEL_BYTES_MAX: usize = ServiceId::MAX_BYTES;
pub(crate) const NAME_CHARS: usize = 60;

/// Why collection can't be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("{label:?} is not a label name: letters, digits and _, not beginning with a digit")]
    Label { label: String },
    #[error("no identity label is given; name at least one, such as service or job")]
    NoIdentity,
    #[error("{field} is zero")]
    Zero { field: &'static str },
}

/// The labels that name a service.
#[derive(Clone, Debug)]
pub struct Identity {
    candidates: Vec<String>,
    scope: Vec<String>,
}

/// A service and the label that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub service: ServiceId,
    pub label: String,
}

/// Where a name came from; two origins of one name are a collision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// Which candidate label, by position.
    candidate: usize,
    /// How many bytes of the id come from each scope label; 0 where that is empty.
    scope: Box<[usize]>,
}

pub(crate) enum Naming {
    Named(ServiceId, Origin),
    /// None of the candidate labels has a value.
    Unnamed,
    /// A label is longer than [`LABEL_BYTES_MAX`].
    TooLong,
}

impl Identity {
    /// # Errors
    /// No candidate, or a text that is no label name.
    pub fn new(candidates: Vec<String>, scope: Vec<String>) -> Result<Identity, SettingsError> {
        if candidates.is_empty() {
            return Err(SettingsError::NoIdentity);
        }
        for label in candidates.iter().chain(&scope) {
            if !crate::prometheus::is_label_name(label) {
                return Err(SettingsError::Label {
                    label: excerpt(label, NAME_CHARS),
                });
            }
        }
        Ok(Identity { candidates, scope })
    }

    /// What stands for `$identity`: scope, candidates and `more`, each once, comma separated.
    pub fn labels_with(&self, more: &[&str]) -> String {
        let mut labels: Vec<&str> = Vec::new();
        let all = self.scope.iter().chain(&self.candidates);
        for label in all.map(String::as_str).chain(more.iter().copied()) {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels.join(", ")
    }

    /// The service that labels name, and which candidate label names it; none where no candidate has
    /// a value or one is too long.
    pub fn named(&self, labels: &Labels) -> Option<Named> {
        match self.name(labels) {
            Naming::Named(service, origin) => Some(Named {
                service,
                label: self.candidate(&origin).to_owned(),
            }),
            Naming::Unnamed | Naming::TooLong => None,
        }
    }

    pub(crate) fn uses(&self, label: &str) -> bool {
        self.scope
            .iter()
            .chain(&self.candidates)
            .any(|l| l == label)
    }

    pub(crate) fn candidate(&self, origin: &Origin) -> &str {
        self.candidates
            .get(origin.candidate)
            .map_or("", String::as_str)
    }

    pub(crate) fn name(&self, labels: &Labels) -> Naming {
        let value = |label: &String| labels.get(label).map(String::as_str).unwrap_or("");
        if labels.values().any(|value| value.len() > LABEL_BYTES_MAX) {
            return Naming::TooLong;
        }
        let found = self.candidates.iter().position(|c| !value(c).is_empty());
        let Some(candidate) = found else {
            return Naming::Unnamed;
        };
        let name = value(&self.candidates[candidate]);
        let scope: Vec<&str> = self.scope.iter().map(value).collect();
        let origin = Origin {
            candidate,
            scope: scope.iter().map(|value| value.len()).collect(),
        };
        let parts: Vec<&str> = scope.into_iter().filter(|s| !s.is_empty()).collect();
        match ServiceId::scoped(&parts, name) {
            Ok(service) => Naming::Named(service, origin),
            Err(_) => Naming::TooLong,
        }
    }

    /// The matchers of all series that name `service` in the way of `origin`, and of no others; none
    /// where the service can't come from there.
    pub(crate) fn matchers(&self, service: &ServiceId, origin: &Origin) -> Option<String> {
        let mut rest = service.as_str();
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        for (label, bytes) in self.scope.iter().zip(&origin.scope) {
            let (value, more) = rest.split_at_checked(*bytes)?;
            wanted.push((label, value));
            rest = match bytes {
                0 => more,
                _ => more.strip_prefix('/')?,
            };
        }
        let before = self.candidates.iter().take(origin.candidate);
        wanted.extend(before.map(|label| (label.as_str(), "")));
        wanted.push((self.candidates.get(origin.candidate)?, rest));
        let mut matchers: Vec<String> = Vec::new();
        for (label, value) in wanted {
            // In an expression with placeholders, a name must not look like one.
            let matcher = matcher(label, value)?.replace('$', "\\x24");
            if !matchers.contains(&matcher) {
                matchers.push(matcher);
            }
        }
        Some(matchers.join(","))
    }

    /// The origins that a service may have, of which no series was seen.
    pub(crate) fn guesses(&self, service: &ServiceId) -> Vec<Origin> {
        let parts: Vec<&str> = service.as_str().split('/').collect();
        let mut scope = vec![0; self.scope.len()];
        for (bytes, part) in scope.iter_mut().zip(&parts[..parts.len() - 1]) {
            *bytes = part.len();
        }
        (0..self.candidates.len())
            .map(|candidate| Origin {
                candidate,
                scope: scope.clone().into(),
            })
            .collect()
    }

    /// Sorts the series of one answer by service, in an order that doesn't depend on the answer's.
    pub(crate) fn sort<T>(&self, series: impl IntoIterator<Item = (Labels, T)>) -> Sorted<T> {
        let mut sorted = Sorted::default();
        for (labels, value) in series {
            match self.name(&labels) {
                Naming::Named(service, origin) => {
                    let origins = sorted.origins.entry(service.clone()).or_default();
                    origins.insert(origin);
                    sorted
                        .by_service
                        .entry(service)
                        .or_default()
                        .push((labels, value));
                }
                Naming::Unnamed => sorted.unnamed += 1,
                Naming::TooLong => sorted.too_long += 1,
            }
        }
        for (service, series) in &mut sorted.by_service {
            series.sort_by(|a, b| a.0.cmp(&b.0));
            if series.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                sorted.ambiguous.insert(service.clone());
            }
        }
        sorted
    }
}

/// The series of one answer by service, ordered by service and labels.
pub(crate) struct Sorted<T> {
    pub by_service: BTreeMap<ServiceId, Vec<(Labels, T)>>,
    /// Services of which two series have the very same labels.
    pub ambiguous: BTreeSet<ServiceId>,
    pub origins: BTreeMap<ServiceId, BTreeSet<Origin>>,
    pub unnamed: usize,
    pub too_long: usize,
}

impl<T> Default for Sorted<T> {
    fn default() -> Sorted<T> {
        Sorted {
            by_service: BTreeMap::new(),
            ambiguous: BTreeSet::new(),
            origins: BTreeMap::new(),
            unnamed: 0,
            too_long: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect()
    }

    fn identity(scope: &[&str]) -> Identity {
        Identity::new(
            DEFAULT_IDENTITY.map(String::from).to_vec(),
            scope.iter().map(|s| s.to_string()).collect(),
        )
        .unwrap()
    }

    #[test]
    fn the_first_label_with_a_value_names_the_service() {
        let check = |scope: &[&str], pairs: &[(&str, &str)], id: Option<&str>| {
            let name = match identity(scope).name(&labels(pairs)) {
                Naming::Named(service, _) => Some(service.as_str().to_owned()),
                _ => None,
            };
            assert_eq!(name.as_deref(), id, "{pairs:?}");
        };
        check(&[], &[("service", "pay"), ("job", "spring")], Some("pay"));
        check(&[], &[("service", ""), ("job", "spring")], Some("spring"));
        check(&[], &[("instance", "h:1")], None);
        check(
            &["env"],
            &[("env", "prod"), ("app", "pay")],
            Some("prod/pay"),
        );
        check(&["env"], &[("app", "pay")], Some("pay"));
    }

    #[test]
    fn f15_any_name_is_taken_as_it_is_but_not_any_length() {
        for name in [
            "../../x\"} or up{a=\"",
            "a\nb",
            "a\0b",
            "🦀",
            "\u{202e}gnp",
            "CON",
        ] {
            match identity(&[]).name(&labels(&[("service", name)])) {
                Naming::Named(service, _) => assert_eq!(service.as_str(), name),
                _ => panic!("{name:?} was refused"),
            }
        }
        let long = "x".repeat(1 << 20);
        assert!(matches!(
            identity(&[]).name(&labels(&[("service", &long)])),
            Naming::TooLong
        ));
    }

    #[test]
    fn label_names_from_settings_are_checked() {
        let error = Identity::new(vec!["job) or vector(1".into()], vec![]).unwrap_err();
        assert!(error.to_string().contains("not a label name"), "{error}");
        assert!(Identity::new(vec![], vec![]).is_err());
    }

    #[test]
    fn grouping_names_each_label_once() {
        assert_eq!(
            identity(&["env", "job"]).labels_with(&["job", "instance"]),
            "env, job, service, application, service_name, app, instance"
        );
    }
}
