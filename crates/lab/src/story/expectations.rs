//! Compares what a story expects with what was seen.

use std::fmt::Display;

use domain::{Incident, PatternChange, Timestamp};

use super::clauses::{BECAUSE, KINDS};
use super::report::{Failure, logged, text_of};
use super::script::{Between, Clause, Clock, Expectation, Expected, Property, Snoozed, Story};
use super::vocabulary::{actor_name, change_word, word_of};
use super::witness::Witness;

/// Instants that are listed where something was found at other times.
const LISTED_MAX: usize = 10;

/// The failures of one expectation; none where it holds.
pub(crate) fn check(expectation: &Expectation, witness: &Witness, story: &Story) -> Vec<Failure> {
    let line = expectation.line;
    let fail = |what: String| vec![Failure { line, what }];
    let look = Look { witness, story };
    match &expectation.what {
        Expected::Incidents(wanted) => {
            let found = witness.incidents.len();
            if found == *wanted {
                return Vec::new();
            }
            fail(format!("expected {wanted} incidents, found {found}"))
        }
        Expected::NoIncident { service } => {
            let on: Vec<String> = witness
                .incidents
                .values()
                .filter(|incident| incident.service == *service)
                .map(|incident| incident.id.to_string())
                .collect();
            if on.is_empty() {
                return Vec::new();
            }
            fail(format!(
                "expected no incident on {service}, found {}",
                on.join(", ")
            ))
        }
        Expected::Incident { id, clauses } => {
            let Some(incident) = witness.incidents.get(id) else {
                let found = witness.incidents.len();
                return fail(format!("expected {id}, but there are {found} incidents"));
            };
            let failure = |clause: &Clause| {
                let found = look.differs(incident, &clause.what)?;
                Some(Failure {
                    line: clause.line,
                    what: format!("expected {id} {}, found {found}", clause.said),
                })
            };
            clauses.iter().filter_map(failure).collect()
        }
        Expected::Why {
            series,
            verdict,
            fragments,
        } => look
            .differs_why(series, verdict, fragments)
            .map_or_else(Vec::new, fail),
        Expected::EarlyWarning {
            service,
            within,
            is_wanted,
        } => {
            let seen = witness.early_warnings.iter();
            let at = seen.filter(|(_, on)| on == service).map(|(at, _)| *at);
            look.occurrences(
                &format!("early warning on {service}"),
                at,
                *within,
                *is_wanted,
            )
            .map_or_else(Vec::new, fail)
        }
        Expected::SourceFault { within, is_wanted } => {
            let at = witness.source_faults.iter().map(|(at, _)| *at);
            look.occurrences("source fault", at, *within, *is_wanted)
                .map_or_else(Vec::new, fail)
        }
    }
}

struct Look<'a> {
    witness: &'a Witness,
    story: &'a Story,
}

impl Look<'_> {
    fn clock(&self, at: Timestamp) -> String {
        let starts = self.story.starts;
        Clock { starts, at }.to_string()
    }

    /// What was found in place of a property; none where it is as expected.
    fn differs(&self, incident: &Incident, property: &Property) -> Option<String> {
        match property {
            Property::On(wanted) => same(&incident.service, wanted),
            Property::Kind(wanted) => {
                same(&word_of(incident.kind, &KINDS), &word_of(*wanted, &KINDS))
            }
            Property::Opened(wanted) => self.within(incident.opened, wanted),
            Property::Crossed(wanted) => self.within(incident.first_crossing, wanted),
            Property::Onset(wanted) => self.within(incident.onset, wanted),
            Property::Because(wanted) => same(
                &word_of(incident.opened_because, &BECAUSE),
                &word_of(*wanted, &BECAUSE),
            ),
            Property::Severity(wanted) => same(&incident.shown_severity(), wanted),
            Property::Worst(wanted) => same(&incident.worst_severity, wanted),
            Property::Status(wanted) => same(&incident.status.as_str(), &wanted.as_str()),
            Property::Firing => (!incident.firing).then(|| "it is quiet".into()),
            Property::Quiet(wanted) => self.differs_quiet(incident, wanted.as_ref()),
            Property::Members(wanted) => {
                let members: Vec<_> = incident.members.iter().map(|m| m.metric.clone()).collect();
                let names: Vec<&str> = members.iter().map(|id| id.as_str()).collect();
                (members != *wanted).then(|| listed(&names))
            }
            Property::Follows(wanted) => same_or_none(&incident.follows, wanted),
            Property::Owner(wanted) => same_or_none(&incident.owner, wanted),
            Property::Snoozed(wanted) => self.differs_snooze(incident, *wanted),
            Property::Resolved(wanted) => {
                let by = incident.resolution.as_ref().map(|r| actor_name(&r.by));
                same_or_none(&by, wanted)
            }
            Property::Summary(fragments) => lacks(&[&incident.summary], fragments),
            Property::Says(fragments) => {
                let unusual = incident.evidence.unusual.iter().flat_map(|one| &one.text);
                let texts: Vec<&str> = unusual.map(String::as_str).collect();
                lacks(
                    &[&[incident.summary.as_str()][..], &texts[..]].concat(),
                    fragments,
                )
            }
            Property::Unusual { metric, fragments } => {
                let mut unusual = incident.evidence.unusual.iter();
                let of_it = unusual.find(|one| one.metric == *metric);
                let texts = of_it.map(|one| one.text.iter().map(String::as_str).collect());
                let texts: Vec<&str> = texts.unwrap_or_default();
                lacks(&texts, fragments)
            }
            Property::Changed(fragments) => differs_changes(incident, fragments),
            Property::Changes(wanted) => {
                let texts = changes_of(incident)?;
                (texts.len() != *wanted).then(|| listed(&texts))
            }
            Property::Shift {
                metric,
                is_first,
                rose,
            } => differs_shift(incident, Some((metric, *is_first, *rose))),
            Property::NoShift => differs_shift(incident, None),
            Property::Logs {
                change,
                is_first,
                fragment,
            } => differs_logs(incident, Some((*change, *is_first, fragment))),
            Property::NoLogs => differs_logs(incident, None),
            Property::NoLogSource => {
                let outcome = incident.evidence.patterns.as_ref().map(|one| &one.outcome);
                let found = outcome.map_or("not read yet", |outcome| outcome.as_str());
                (found != "not_configured").then(|| found.to_owned())
            }
            Property::Similar(wanted) => {
                let Some(similar) = &incident.evidence.similar else {
                    return Some("that similar incidents were not looked for".into());
                };
                same_or_none(&similar.first().map(|one| one.id), wanted)
            }
            Property::Timeline { fragment, within } => {
                self.differs_timeline(incident, fragment, *within)
            }
            Property::Told { change, times } => {
                let told = self.witness.notices.iter().filter(|(_, one, notice)| {
                    let (word, notice) = (change_word(*one), notice.as_str());
                    one.incident() == incident.id && (word, notice) == (*change, "due")
                });
                let found = told.count();
                (found != *times).then(|| found.to_string())
            }
            Property::Notice { change, notice } => self.differs_notice(incident, change, notice),
        }
    }

    fn within(&self, at: Timestamp, wanted: &Between) -> Option<String> {
        (!wanted.holds(self.story.starts, at)).then(|| self.clock(at))
    }

    fn differs_quiet(&self, incident: &Incident, wanted: Option<&Between>) -> Option<String> {
        if incident.firing {
            return Some("it is firing".into());
        }
        let wanted = wanted?;
        let quiet = |entry: &&domain::TimelineEntry| entry.what == domain::TimelineEvent::Quiet;
        let at = incident.timeline.iter().rev().find(quiet)?.at;
        self.within(at, wanted)
    }

    fn differs_snooze(&self, incident: &Incident, wanted: Snoozed) -> Option<String> {
        let found = match &incident.snooze {
            None => Snoozed::No,
            Some(snooze) => snooze.until.map_or(Snoozed::UntilChange, |until| {
                Snoozed::Until(until.since(self.story.starts))
            }),
        };
        (found != wanted).then(|| match found {
            Snoozed::No => "no snooze".into(),
            Snoozed::UntilChange => "a snooze until it changes".into(),
            Snoozed::Until(until) => {
                format!("a snooze until {}", self.clock(self.story.starts + until))
            }
        })
    }

    fn differs_timeline(
        &self,
        incident: &Incident,
        fragment: &str,
        within: Option<Between>,
    ) -> Option<String> {
        let said = |entry: &domain::TimelineEntry| {
            let is_then = within.is_none_or(|within| within.holds(self.story.starts, entry.at));
            is_then && text_of(entry).contains(fragment)
        };
        let found = incident.timeline.iter().any(said);
        (!found).then(|| "no such entry, see its timeline below".into())
    }

    fn differs_notice(&self, incident: &Incident, change: &str, notice: &str) -> Option<String> {
        let of_it = self.witness.notices.iter();
        let of_it = of_it.filter(|(_, one, _)| one.incident() == incident.id);
        let mut found: Vec<String> = Vec::new();
        for (at, one, told) in of_it {
            if (change_word(*one), told.as_str()) == (change, notice) {
                return None;
            }
            let (change, notice) = (change_word(*one), told.as_str());
            found.push(format!("{change} {notice} at {}", self.clock(*at)));
        }
        Some(format!("the notices {}", found.join(", ")))
    }

    fn differs_why(
        &self,
        series: &domain::SeriesId,
        verdict: &str,
        fragments: &[String],
    ) -> Option<String> {
        let name = format!("{}.{}", series.service, series.metric);
        let Some(entry) = self.witness.holding.get(series) else {
            return Some(format!("expected a decision on {name}, found none"));
        };
        let catalogue = &self.story.settings.engine.catalogue;
        let unit = catalogue.get(&series.metric).map_or("", |spec| &spec.unit);
        let sentences = entry.sentences(unit);
        let texts: Vec<&str> = sentences.iter().map(String::as_str).collect();
        let found = entry.verdict.as_str();
        if found != verdict {
            let why = texts.join("; ");
            return Some(format!(
                "expected why {name} {verdict}, found {found}: {why}"
            ));
        }
        let lacking = lacks(&texts, fragments)?;
        Some(format!(
            "expected of why {name} {fragments:?}, found {lacking}"
        ))
    }

    fn occurrences(
        &self,
        what: &str,
        at: impl Iterator<Item = Timestamp>,
        within: Option<Between>,
        is_wanted: bool,
    ) -> Option<String> {
        let all: Vec<Timestamp> = at.collect();
        let inside = |at: &&Timestamp| within.is_none_or(|w| w.holds(self.story.starts, **at));
        let first = all.iter().find(inside);
        match (is_wanted, first) {
            (true, None) => {
                let first = all.iter().take(LISTED_MAX);
                let elsewhere: Vec<String> = first.map(|at| self.clock(*at)).collect();
                Some(format!(
                    "expected {what}, found it at {}",
                    listed(&elsewhere)
                ))
            }
            (false, Some(at)) => Some(format!(
                "expected no {what}, found one at {}",
                self.clock(*at)
            )),
            _ => None,
        }
    }
}

fn same<T: PartialEq + Display>(found: &T, wanted: &T) -> Option<String> {
    (found != wanted).then(|| found.to_string())
}

fn same_or_none<T: PartialEq + Display>(found: &Option<T>, wanted: &Option<T>) -> Option<String> {
    (found != wanted).then(|| found.as_ref().map_or("none".into(), T::to_string))
}

fn listed<T: AsRef<str>>(names: &[T]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.join(", ")
}

/// The first fragment that none of the texts holds, and the texts.
fn lacks(texts: &[&str], fragments: &[String]) -> Option<String> {
    let holds = |fragment: &&String| texts.iter().any(|text| text.contains(fragment.as_str()));
    let lacking = fragments.iter().find(|fragment| !holds(fragment))?;
    Some(format!(
        "nothing with {lacking:?} in: {}",
        texts.join(" | ")
    ))
}

fn changes_of(incident: &Incident) -> Option<Vec<String>> {
    let changes = incident.evidence.changes.as_ref()?;
    Some(changes.facts.iter().map(|f| f.kind.to_string()).collect())
}

fn differs_changes(incident: &Incident, fragments: &[String]) -> Option<String> {
    let Some(texts) = changes_of(incident) else {
        return Some("that changes were not looked for".into());
    };
    if fragments.is_empty() {
        return (!texts.is_empty()).then(|| listed(&texts));
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    lacks(&texts, fragments)
}

fn differs_shift(incident: &Incident, wanted: Option<(&String, bool, bool)>) -> Option<String> {
    let Some(shifts) = &incident.evidence.shifts else {
        return Some("that shifts were not looked for".into());
    };
    let texts: Vec<&str> = shifts
        .ranked
        .iter()
        .map(|shift| shift.text.as_str())
        .collect();
    let Some((metric, is_first, rose)) = wanted else {
        return (!texts.is_empty()).then(|| listed(&texts));
    };
    let looked_at = if is_first { 1 } else { shifts.ranked.len() };
    let mut candidates = shifts.ranked.iter().take(looked_at);
    let found = candidates.any(|shift| shift.metric == *metric && (shift.effect > 0.0) == rose);
    (!found).then(|| listed(&texts))
}

/// What the logs said; none wanted: that nothing moved.
fn differs_logs(
    incident: &Incident,
    wanted: Option<(PatternChange, bool, &String)>,
) -> Option<String> {
    let Some(patterns) = &incident.evidence.patterns else {
        return Some("that logs were not read".into());
    };
    if !patterns.outcome.was_read() {
        return Some(format!("that logs were {}", patterns.outcome.as_str()));
    }
    let moved = patterns.ranked.iter();
    let moved: Vec<_> = moved
        .filter(|pattern| pattern.change != PatternChange::Steady)
        .collect();
    let said = || {
        let texts = moved.iter().map(|pattern| logged(pattern));
        listed(&texts.collect::<Vec<_>>())
    };
    let Some((change, is_first, fragment)) = wanted else {
        return (!moved.is_empty()).then(said);
    };
    let looked_at = if is_first { 1 } else { moved.len() };
    let mut candidates = moved.iter().take(looked_at);
    let found = candidates.any(|one| one.change == change && one.template.contains(fragment));
    (!found).then(said)
}
