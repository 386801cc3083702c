//! What a story expects: from words to properties.

use std::time::Duration;

use domain::{IncidentKind, MetricId, OpenedBecause, PatternChange, Status};

use super::parser::{Parser, SEVERITIES};
use super::script::{Clause, Expectation, Expected, Property, Snoozed};
use super::words::{ParseError, Words};

const EXPECTED: &str = "#1 with its properties, or one of incidents, no, why, early, source";
const PROPERTIES: &str = "one of on, kind, opened, crossed, onset, because, severity, worst, status, \
                          firing, quiet, members, follows, owner, snoozed, resolved, summary, says, \
                          unusual, changed, changes, shift, logs, similar, timeline, notice, \
                          told";
const VERDICTS: [&str; 9] = [
    "calm",
    "no_sample",
    "waiting",
    "crossing_without_anomaly",
    "anomaly_without_crossing",
    "opened",
    "joined",
    "extended",
    "calm_member",
];
const HELD: &str = "held_by_resolve";
pub(crate) const CHANGES: [&str; 5] = [
    "opened",
    "went_quiet",
    "severity_raised",
    "resolved",
    "reopened",
];
pub(crate) const NOTICES: [&str; 3] = ["due", "snoozed", "acknowledged"];
const STATUSES: [(&str, Status); 3] = [
    ("OPEN", Status::Open),
    ("ACKNOWLEDGED", Status::Acknowledged),
    ("RESOLVED", Status::Resolved),
];
const MOVED: [(&str, PatternChange); 4] = [
    ("new", PatternChange::New),
    ("risen", PatternChange::Risen),
    ("fallen", PatternChange::Fallen),
    ("gone", PatternChange::Gone),
];
pub(crate) const KINDS: [(&str, IncidentKind); 2] = [
    ("metrics", IncidentKind::Metrics),
    ("availability", IncidentKind::Availability),
];
pub(crate) const BECAUSE: [(&str, OpenedBecause); 3] = [
    ("crossing_and_anomaly", OpenedBecause::CrossingAndAnomaly),
    ("threshold_only", OpenedBecause::ThresholdOnly),
    ("gone", OpenedBecause::Gone),
];

/// Reads what follows `expect`.
pub(crate) fn expectation(
    parser: &mut Parser,
    words: &mut Words<'_>,
    at: Option<Duration>,
) -> Result<(), ParseError> {
    let head = words.take(EXPECTED)?;
    let line = words.line();
    let over_time = |words: &Words<'_>| match at {
        None => Ok(()),
        Some(_) => Err(words.wrong(
            "this is expected of the whole story; write `expect …` without `at`, and a stretch \
             such as 10m..20m after it",
        )),
    };
    let what = match head.as_str() {
        "incidents" => Expected::Incidents(words.count("the number of incidents")? as usize),
        "why" => why(parser, words, at)?,
        "early" => {
            over_time(words)?;
            early(parser, words, true)?
        }
        "source" => {
            over_time(words)?;
            source(words, true)?
        }
        "no" => match words
            .take("incident, early warning or source fault")?
            .as_str()
        {
            "incident" => {
                words.must("on")?;
                let service = parser.service_named(words)?;
                Expected::NoIncident { service }
            }
            "early" => {
                over_time(words)?;
                early(parser, words, false)?
            }
            "source" => {
                over_time(words)?;
                source(words, false)?
            }
            other => {
                let right = "`incident on SERVICE`, `early warning on SERVICE` or `source fault`";
                return Err(words.unknown(other, right));
            }
        },
        number if number.starts_with('#') => {
            let id = words.incident_of(number)?;
            let mut clauses = Vec::new();
            while !words.is_done() {
                clauses.push(clause(parser, words)?);
            }
            if clauses.is_empty() {
                return Err(words.wrong(format!("nothing is expected of {id}; add {PROPERTIES}")));
            }
            Expected::Incident { id, clauses }
        }
        other => return Err(words.unknown(other, EXPECTED)),
    };
    words.end()?;
    parser
        .story
        .expectations
        .push(Expectation { line, at, what });
    Ok(())
}

fn why(
    parser: &Parser,
    words: &mut Words<'_>,
    at: Option<Duration>,
) -> Result<Expected, ParseError> {
    if at.is_none() {
        return Err(words.wrong("a decision holds at a time; write `at TIME expect why …`"));
    }
    let series = parser.series_named(words)?;
    let all = VERDICTS.into_iter().chain([HELD]);
    let choices: Vec<(&str, &str)> = all.map(|verdict| (verdict, verdict)).collect();
    let verdict = words.one_of("a verdict", &choices)?.to_owned();
    let mut fragments = Vec::new();
    while let Some(fragment) = words.text_if_any() {
        fragments.push(fragment);
    }
    Ok(Expected::Why {
        series,
        verdict,
        fragments,
    })
}

fn early(parser: &Parser, words: &mut Words<'_>, is_wanted: bool) -> Result<Expected, ParseError> {
    words.must("warning")?;
    words.must("on")?;
    Ok(Expected::EarlyWarning {
        service: parser.service_named(words)?,
        within: words.between_if_any("when")?,
        is_wanted,
    })
}

fn source(words: &mut Words<'_>, is_wanted: bool) -> Result<Expected, ParseError> {
    words.must("fault")?;
    Ok(Expected::SourceFault {
        within: words.between_if_any("when")?,
        is_wanted,
    })
}

fn clause(parser: &Parser, words: &mut Words<'_>) -> Result<Clause, ParseError> {
    let before = words.taken();
    let head = words.take(PROPERTIES)?;
    let line = words.line();
    let what = property(parser, &head, words)?;
    Ok(Clause {
        line,
        said: words.said_since(before),
        what,
    })
}

fn property(parser: &Parser, head: &str, words: &mut Words<'_>) -> Result<Property, ParseError> {
    Ok(match head {
        "on" => Property::On(parser.service_named(words)?),
        "kind" => Property::Kind(words.one_of("a kind", &KINDS)?),
        "opened" => Property::Opened(words.between("when it opened")?),
        "crossed" => Property::Crossed(words.between("its first crossing")?),
        "onset" => Property::Onset(words.between("its onset")?),
        "because" => Property::Because(words.one_of("why it opened", &BECAUSE)?),
        "severity" => Property::Severity(words.one_of("a severity", &SEVERITIES)?),
        "worst" => Property::Worst(words.one_of("a severity", &SEVERITIES)?),
        "status" => Property::Status(words.one_of("a status", &STATUSES)?),
        "firing" => Property::Firing,
        "quiet" => {
            let is_timed = words.skip("at");
            let at = is_timed.then(|| words.between("when it went quiet"));
            Property::Quiet(at.transpose()?)
        }
        "members" => Property::Members(members(words)?),
        "follows" => Property::Follows(incident_or_none(words)?),
        "owner" => {
            let owner = words.take("a name, or nobody")?;
            Property::Owner((owner != "nobody").then_some(owner))
        }
        "snoozed" if words.skip("no") => Property::Snoozed(Snoozed::No),
        "snoozed" => {
            words.must("until")?;
            Property::Snoozed(match words.skip("change") {
                true => Snoozed::UntilChange,
                false => Snoozed::Until(words.duration("a time, or change,")?),
            })
        }
        "resolved" if words.skip("no") => Property::Resolved(None),
        "resolved" => {
            words.must("by")?;
            Property::Resolved(Some(words.take("who resolved it")?))
        }
        "summary" => Property::Summary(words.texts("what the summary says")?),
        "says" => Property::Says(words.texts("what is said")?),
        "unusual" => Property::Unusual {
            metric: metric(words)?,
            fragments: words.texts("what is said of it")?,
        },
        "changed" if words.skip("nothing") => Property::Changed(Vec::new()),
        "changed" => Property::Changed(words.texts("a change, or nothing,")?),
        "changes" => Property::Changes(words.count("the number of changes")? as usize),
        "shift" if words.skip("none") => Property::NoShift,
        "shift" => Property::Shift {
            is_first: words.skip("first"),
            metric: metric(words)?.to_string(),
            rose: words.one_of("how it moved", &[("rose", true), ("fell", false)])?,
        },
        "logs" if words.skip("none") => Property::NoLogs,
        "logs" if words.skip("unread") => Property::NoLogSource,
        "logs" => Property::Logs {
            change: words.one_of("how a pattern moved, or none, or unread", &MOVED)?,
            is_first: words.skip("first"),
            fragment: words.text("a part of the pattern")?,
        },
        "similar" => Property::Similar(incident_or_none(words)?),
        "timeline" => {
            let fragment = words.text("what the timeline says")?;
            let is_timed = words.skip("at");
            let within = is_timed.then(|| words.between("when")).transpose()?;
            Property::Timeline { fragment, within }
        }
        "told" => Property::Told {
            change: words.one_of("a change", &CHANGES.map(|word| (word, word)))?,
            times: words.count("how often")? as usize,
        },
        "notice" => Property::Notice {
            change: words.one_of("a change", &CHANGES.map(|word| (word, word)))?,
            notice: words.one_of("a notice", &NOTICES.map(|word| (word, word)))?,
        },
        other => return Err(words.unknown(other, PROPERTIES)),
    })
}

fn metric(words: &mut Words<'_>) -> Result<MetricId, ParseError> {
    let word = words.take("a metric such as cpu")?;
    MetricId::new(&word).map_err(|error| words.wrong(error.to_string()))
}

/// `cpu,lat`, or `none`.
fn members(words: &mut Words<'_>) -> Result<Vec<MetricId>, ParseError> {
    let word = words.take("metrics such as cpu,lat, or none")?;
    if word == "none" {
        return Ok(Vec::new());
    }
    let ids = word.split(',').map(MetricId::new);
    let ids: Result<Vec<MetricId>, _> = ids.collect();
    let mut ids = ids.map_err(|error| words.wrong(error.to_string()))?;
    ids.sort();
    Ok(ids)
}

fn incident_or_none(words: &mut Words<'_>) -> Result<Option<domain::IncidentId>, ParseError> {
    let has = !words.skip("none");
    has.then(|| words.incident()).transpose()
}
