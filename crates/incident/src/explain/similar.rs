//! Similar past incidents: of the same service, by the metrics they share.

use domain::{Incident, IncidentKind, SimilarIncident, TimelineEvent};

/// Similar incidents kept, most similar first.
const KEPT_MAX: usize = 5;

/// The past incidents most similar to one: the share of metrics that both have (Jaccard index), at
/// equal similarity the newest first. `candidates` may hold any incidents of the same service.
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
    let of_either = incident.members.len() + past.members.len() - shared.len() + gone;
    let similarity = (shared.len() + gone) as f64 / of_either.max(1) as f64;
    (similarity > 0.0).then(|| SimilarIncident {
        id: past.id,
        opened: past.opened,
        lasted: past.ended.map(|ended| ended.since(past.onset)),
        status: past.status,
        shared,
        similarity,
        resolved_by: past.resolution.as_ref().map(|r| r.by.to_string()),
        last_comment: last_comment(past),
        summary: past.summary.clone(),
    })
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
        .filter(|entry| matches!(entry.actor, domain::Actor::Unverified(_)))
        .find_map(|entry| words(&entry.what))
}
