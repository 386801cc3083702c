//! One service in PromQL: the matchers that select exactly its series.

use std::time::Duration;

use domain::ServiceId;

use crate::expression::filled_range;
use crate::identity::{Identity, Origin};

/// The matchers of one service, one set for each way in which its series name it; no series matches
/// two of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selection {
    alternatives: Vec<String>,
    range: Duration,
}

impl Selection {
    /// From the origins that were seen. Where none was, from all candidate labels, with as many
    /// scopes taken as set as the id has parts for.
    pub(crate) fn of(
        identity: &Identity,
        service: &ServiceId,
        origins: &[Origin],
        range: Duration,
    ) -> Selection {
        let seen = origins.iter();
        let mut alternatives: Vec<String> = seen
            .filter_map(|origin| identity.matchers(service, origin))
            .collect();
        if alternatives.is_empty() {
            let guessed = identity.guesses(service);
            let guessed = guessed.iter();
            alternatives = guessed
                .filter_map(|origin| identity.matchers(service, origin))
                .collect();
        }
        Selection {
            alternatives,
            range,
        }
    }

    /// Fills in a template for all services at once.
    pub(crate) fn fill_for_all(template: &str, range: Duration) -> String {
        let unconditional = template.replace("$service,", "").replace("{$service}", "");
        let all = Selection {
            alternatives: vec![String::new()],
            range,
        };
        all.fill(&unconditional)
    }

    /// Fills in a template: `$range`, its length as `$seconds`, and `$service` in each part between `«` and `»`, which is
    /// written once for each way in which the service is named, joined by `or`.
    ///
    /// The service's name is put in last and never looked at again.
    pub(crate) fn fill(&self, template: &str) -> String {
        let template = filled_range(template, self.range);
        let mut text = String::new();
        let mut rest = template.as_str();
        while let Some((before, tail)) = rest.split_once('«') {
            let (part, after) = tail.split_once('»').unwrap_or((tail, ""));
            text.push_str(before);
            text.push_str(&self.each(part));
            rest = after;
        }
        text + rest
    }

    pub(crate) fn range(&self) -> Duration {
        self.range
    }

    fn each(&self, part: &str) -> String {
        let mut filled = self
            .alternatives
            .iter()
            .map(|matchers| part.replace("$service", matchers));
        match self.alternatives.len() {
            1 => filled.next().unwrap_or_default(),
            _ => {
                let all: Vec<String> = filled.collect();
                format!("({})", all.join(" or "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{DEFAULT_IDENTITY, Naming};
    use crate::prometheus::Labels;

    fn identity(scope: &[&str]) -> Identity {
        Identity::new(
            DEFAULT_IDENTITY.map(String::from).to_vec(),
            scope.iter().map(|s| s.to_string()).collect(),
        )
        .unwrap()
    }

    fn named(identity: &Identity, pairs: &[(&str, &str)]) -> (ServiceId, Origin) {
        let labels: Labels = pairs
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        match identity.name(&labels) {
            Naming::Named(service, origin) => (service, origin),
            _ => panic!("{pairs:?} names nothing"),
        }
    }

    fn check(scope: &[&str], series: &[(&str, &str)], filled: &str) {
        let identity = identity(scope);
        let (service, origin) = named(&identity, series);
        let selection = Selection::of(&identity, &service, &[origin], Duration::from_secs(300));
        assert_eq!(selection.fill("sum(«x{$service}[$range]»)"), filled);
    }

    #[test]
    fn a_service_is_selected_by_the_label_that_names_it() {
        check(
            &[],
            &[("service", "pay"), ("job", "j")],
            "sum(x{service=\"pay\"}[300s])",
        );
        check(
            &[],
            &[("service_name", "pay"), ("job", "j")],
            "sum(x{service=\"\",application=\"\",service_name=\"pay\"}[300s])",
        );
        check(
            &["ns", "env"],
            &[("env", "a/b"), ("service", "c/d")],
            "sum(x{ns=\"\",env=\"a/b\",service=\"c/d\"}[300s])",
        );
        // A scope that is a candidate, too.
        check(
            &["job"],
            &[("job", "j"), ("app", "pay")],
            "sum(x{job=\"j\",service=\"\",application=\"\",service_name=\"\",app=\"pay\"}[300s])",
        );
    }

    #[test]
    fn names_end_no_string_and_are_no_placeholder() {
        check(
            &[],
            &[("service", "a\"}\\\n»«$range $service $value")],
            "sum(x{service=\"a\\\"}\\\\\\n»«\\x24range \\x24service \\x24value\"}[300s])",
        );
    }

    #[test]
    fn two_ways_of_naming_are_joined() {
        let identity = identity(&[]);
        let (service, first) = named(&identity, &[("service", "pay")]);
        let (_, second) = named(&identity, &[("application", "pay")]);
        let range = Duration::from_secs(300);
        let selection = Selection::of(&identity, &service, &[first, second], range);
        assert_eq!(
            selection.fill("max(«x{$service,a=\"b\"}»)"),
            "max((x{service=\"pay\",a=\"b\"} or x{service=\"\",application=\"pay\",a=\"b\"}))"
        );
    }

    #[test]
    fn an_unseen_service_is_looked_for_in_every_candidate() {
        let range = Duration::from_secs(300);
        let service = ServiceId::new("prod/pay").unwrap();
        let text = |identity: &Identity| {
            let selection = Selection::of(identity, &service, &[], range);
            selection.fill("«x{$service}»")
        };
        let unscoped = text(&identity(&[]));
        assert_eq!(unscoped.matches(" or ").count(), 4, "{unscoped}");
        assert!(
            unscoped.starts_with("(x{service=\"prod/pay\"} or "),
            "{unscoped}"
        );
        let scoped = text(&identity(&["env"]));
        assert!(
            scoped.starts_with("(x{env=\"prod\",service=\"pay\"} or "),
            "{scoped}"
        );
    }
}
