//! When incidents open, how long they last, and which rules may resolve them.

use std::time::Duration;

use domain::{Incident, IncidentKind, Severity};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Past a threshold and anomalous for so long opens an incident.
    pub open_after: Duration,
    /// Critical for so long opens one whatever the model says.
    pub critical_after: Duration,
    /// A calm shorter than this belongs to the same episode.
    pub quiet_period: Duration,
    /// A member is calm again when it is short of its threshold by this share of it, and a Critical
    /// one is High again when it is short of that threshold by it; 0 to 0.5.
    pub hysteresis: f64,
    /// A service gone for so long opens an availability incident.
    pub down_after: Duration,
    /// More than this share of the fleet gone within two ticks is a fault of the source.
    pub source_fault_share: f64,
    /// Rules that resolve incidents; none by default. The first that matches acts.
    pub auto_resolve: Vec<AutoResolve>,
}

impl Default for Settings {
    /// The defaults of the product.
    fn default() -> Settings {
        let seconds = Duration::from_secs;
        Settings {
            open_after: seconds(30),
            critical_after: seconds(120),
            quiet_period: seconds(300),
            hysteresis: 0.05,
            down_after: seconds(60),
            source_fault_share: 0.5,
            auto_resolve: Vec::new(),
        }
    }
}

/// A written rule that resolves incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutoResolve {
    pub name: String,
    /// Patterns of service ids, where `*` stands for any text; empty means all.
    pub services: Vec<String>,
    /// Incidents up to this severity, an operator's word counting as such.
    pub severity_max: Severity,
    pub when: ResolveWhen,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolveWhen {
    /// Not firing, and every member seen calm by samples, without a break, for so long.
    QuietFor(Duration),
    /// The service gone for so long while the source is healthy: the only rule by which the
    /// incident of a vanished service closes.
    GoneFor(Duration),
}

impl AutoResolve {
    /// Whether the rule speaks of an incident, apart from the time.
    pub fn covers(&self, incident: &Incident) -> bool {
        let service = incident.service.as_str();
        let named = self.services.is_empty()
            || self
                .services
                .iter()
                .any(|pattern| matches_pattern(pattern, service));
        let of_its_kind = match self.when {
            ResolveWhen::QuietFor(_) => true,
            ResolveWhen::GoneFor(_) => {
                incident.firing && incident.kind == IncidentKind::Availability
            }
        };
        named && of_its_kind && incident.shown_severity() <= self.severity_max
    }
}

/// Whether a text fits a pattern in which `*` stands for any text, also none.
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("payments", "payments", true),
            ("payments", "payments-2", false),
            ("*", "", true),
            ("prod/*", "prod/orders", true),
            ("prod/*", "test/orders", false),
            ("*-batch", "night-batch", true),
            ("*-batch", "night-batch-2", false),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--c--b", false),
            ("ab*ba", "aba", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches_pattern(pattern, text), fits, "{pattern} {text}");
        }
    }
}
