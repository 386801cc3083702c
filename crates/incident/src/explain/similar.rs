//! Similar past incidents: of the same service, by the metrics and the log patterns they share.

use std::collections::BTreeMap;

use domain::{Incident, IncidentKind, LogPatterns, PatternChange, SimilarIncident, TimelineEvent};

use super::logs::shift::EFFECT_MIN;

/// Similar incidents kept, most similar first.
const KEPT_MAX: usize = 5;
/// The strongest patterns of an incident that are compared: the rest is noise of a long list.
const PATTERNS_COMPARED: usize = 10;

/// The past incidents most similar to one, at equal similarity the newest first. `candidates` may
/// hold any incidents of the same service.
///
/// The similarity is the Jaccard index (shared as a share of all that either has) of what makes up
/// an incident: its metrics, and the log patterns that were new or risen in it. Where the logs of
/// one of the two were not read, only the metrics are compared: that says nothing either way.
pub fn similar(incident: &Incident, candidates: &[Incident]) -> Vec<SimilarIncident> {
    let mut found: Vec<SimilarIncident> = candidates
        .iter()
        .filter(|past| past.id < incident.id && past.service == incident.service)
        .filter_map(|past| compare(incident, past))
        .collect();
    found.sort_by(|a, b| {
        let more = b.similarity.total_cmp(&a.similarity);
        more.then_with(|| b.id.cmp(&a.id))
    });
    found.truncate(KEPT_MAX);
    found
}

fn compare(incident: &Incident, past: &Incident) -> Option<SimilarIncident> {
    let shared: Vec<_> = incident
        .members
        .iter()
        .filter(|member| past.member(&member.metric).is_some())
        .map(|member| member.metric.clone())
        .collect();
    let both_gone = incident.kind == IncidentKind::Availability && incident.kind == past.kind;
    let gone = usize::from(both_gone);
    let metrics_of_either = incident.members.len() + past.members.len() - shared.len() + gone;
    let (shared_patterns, patterns_of_either) = match (read(incident), read(past)) {
        (Some(own), Some(others)) => shared_patterns(own, others),
        _ => (Vec::new(), 0),
    };
    let of_either = metrics_of_either + patterns_of_either;
    let in_both = shared.len() + gone + shared_patterns.len();
    let similarity = in_both as f64 / of_either.max(1) as f64;
    (similarity > 0.0).then(|| SimilarIncident {
        id: past.id,
        opened: past.opened,
        lasted: past.ended.map(|ended| ended.since(past.onset)),
        status: past.status,
        shared,
        shared_patterns,
        similarity,
        resolved_by: past.resolution.as_ref().map(|r| r.by.to_string()),
        last_comment: last_comment(past),
        summary: past.summary.clone(),
    })
}

/// The patterns of an incident whose logs were read.
fn read(incident: &Incident) -> Option<&LogPatterns> {
    let patterns = incident.evidence.patterns.as_ref()?;
    patterns.outcome.was_read().then_some(patterns)
}

/// The templates that both have, and how many different patterns there are in all.
fn shared_patterns(own: &LogPatterns, others: &LogPatterns) -> (Vec<String>, usize) {
    let (own, others) = (telling(own), telling(others));
    let in_both = own.iter().filter(|(id, _)| others.contains_key(*id));
    let shared: Vec<String> = in_both
        .map(|(_, template)| (*template).to_owned())
        .collect();
    let of_either = own.len() + others.len() - shared.len();
    (shared, of_either)
}

/// The patterns that tell an incident, by id: what it said that is not said otherwise.
fn telling(patterns: &LogPatterns) -> BTreeMap<&str, &str> {
    let tells = |change| matches!(change, PatternChange::New | PatternChange::Risen);
    let ranked = patterns.ranked.iter();
    ranked
        .filter(|pattern| tells(pattern.change) && pattern.effect >= EFFECT_MIN)
        .take(PATTERNS_COMPARED)
        .map(|pattern| (pattern.id.as_str(), pattern.template.as_str()))
        .collect()
}

/// The newest words of an operator: a comment, or a note with a change.
fn last_comment(incident: &Incident) -> Option<String> {
    let words = |event: &TimelineEvent| match event {
        TimelineEvent::Commented { text } => Some(text.clone()),
        TimelineEvent::Resolved { note } | TimelineEvent::Acknowledged { note } => note.clone(),
        _ => None,
    };
    let by_person = incident.timeline.iter().rev();
    by_person
        .filter(|entry| entry.actor.is_person())
        .find_map(|entry| words(&entry.what))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{
        Evidence, IncidentId, LogLevel, LogOutcome, LogPattern, Member, MetricId, OpenedBecause,
        PatternBasis, ServiceId, Severity, Status, Thresholds, Timestamp,
    };

    use super::*;

    fn pattern(template: &str, change: PatternChange) -> LogPattern {
        let time = Timestamp::from_millis(0);
        LogPattern {
            id: format!("id of {template}"),
            service: ServiceId::new("orders").unwrap(),
            template: template.to_owned(),
            level: LogLevel::Warn,
            logger: None,
            exception: None,
            change,
            before: 0,
            during: 5,
            rate_before: 0.0,
            rate_during: 5.0,
            basis: PatternBasis::PerMinute,
            effect: 4.0,
            first_seen: time,
            last_seen: time,
            samples: Vec::new(),
            trace_ids: Vec::new(),
            also: Vec::new(),
            text: String::new(),
        }
    }

    fn patterns(outcome: LogOutcome, ranked: Vec<LogPattern>) -> LogPatterns {
        let time = Timestamp::from_millis(0);
        LogPatterns {
            ranked,
            ..LogPatterns::without_any(outcome, time, time, time)
        }
    }

    fn incident(id: u64, metrics: &[&str], patterns: Option<LogPatterns>) -> Incident {
        let time = Timestamp::from_millis(0);
        let member = |metric: &&str| Member {
            metric: MetricId::new(metric).unwrap(),
            onset: time,
            onset_between: (time, time),
            first_crossing: time,
            last_firing: time,
            worst: 1.0,
            worst_at: time,
            severity: Severity::High,
            thresholds: Thresholds {
                high: None,
                critical: None,
            },
        };
        Incident {
            id: IncidentId(id),
            service: ServiceId::new("orders").unwrap(),
            kind: IncidentKind::Metrics,
            status: Status::Open,
            firing: true,
            severity: Severity::High,
            worst_severity: Severity::High,
            operator_severity: None,
            owner: None,
            snooze: None,
            resolution: None,
            opened_because: OpenedBecause::CrossingAndAnomaly,
            summary: String::new(),
            onset: time,
            first_crossing: time,
            opened: time,
            last_seen: time,
            ended: None,
            members: metrics.iter().map(member).collect(),
            follows: None,
            logs: None,
            evidence: Arc::new(Evidence {
                patterns,
                ..Evidence::default()
            }),
            timeline: Vec::new(),
        }
    }

    fn said(templates: &[&str]) -> Option<LogPatterns> {
        let new = |template: &&str| pattern(template, PatternChange::New);
        let ranked = templates.iter().map(new).collect();
        Some(patterns(LogOutcome::Found, ranked))
    }

    /// Each past incident with its metrics and what its logs said: the ids by falling similarity.
    fn check(past: &[(&[&str], Option<LogPatterns>)], expected: &[(u64, f64, &[&str])]) {
        let now = incident(99, &["lat"], said(&["payments call failed", "slow call"]));
        let numbered = (1..).zip(past);
        let past: Vec<Incident> = numbered
            .map(|(id, (metrics, patterns))| incident(id, metrics, patterns.clone()))
            .collect();
        let found = similar(&now, &past);
        let seen: Vec<(u64, f64, Vec<&str>)> = found
            .iter()
            .map(|one| {
                let shared = one.shared_patterns.iter().map(String::as_str);
                (one.id.0, one.similarity, shared.collect())
            })
            .collect();
        let expected: Vec<(u64, f64, Vec<&str>)> = expected
            .iter()
            .map(|(id, similarity, shared)| (*id, *similarity, shared.to_vec()))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_the_logs_said_tells_equal_metrics_apart() {
        let payments = said(&["payments call failed", "slow call"]);
        let pool = said(&["no idle connection"]);
        check(
            &[(&["lat"], payments), (&["lat"], pool)],
            &[
                (1, 1.0, &["payments call failed", "slow call"]),
                (2, 0.25, &[]),
            ],
        );
    }

    #[test]
    fn unread_logs_say_nothing_either_way() {
        let unread = Some(patterns(LogOutcome::NotConfigured, Vec::new()));
        check(
            &[(&["lat"], None), (&["lat"], unread), (&["cpu"], None)],
            &[(2, 1.0, &[]), (1, 1.0, &[])],
        );
    }

    #[test]
    fn logs_alone_make_incidents_similar_but_not_what_fell() {
        let fallen = vec![pattern("payments call failed", PatternChange::Gone)];
        check(
            &[
                (&["cpu"], said(&["slow call"])),
                (&["cpu"], Some(patterns(LogOutcome::Found, fallen))),
            ],
            &[(1, 0.25, &["slow call"])],
        );
    }
}
