//! Findings about how often a service is scraped, against what reads its samples.

use std::time::Duration;

use domain::ServiceId;

use super::super::observed::ServiceSeen;
use super::super::report::{BELLWETHER, Cure, Finding, Kind, Level, SCRAPE};
use super::few;
use crate::config::{Config, Span};

/// A sample that is older is not seen by an instant query.
const LOOKBACK: Duration = Duration::from_secs(300);
/// Four scrapes fit into the five minutes that averages and rates reach back.
const WINDOW_MAX: Duration = Duration::from_secs(75);
/// Intervals further apart (as a quotient) differ.
const DIFFER: f64 = 1.5;

pub(super) fn findings(id: &ServiceId, service: &ServiceSeen, config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(slowest(service, config));
    found.extend(differ(service));
    found.into_iter().map(|finding| finding.of(id)).collect()
}

fn slowest(service: &ServiceSeen, config: &Config) -> Option<Finding> {
    let interval = service.interval()?;
    let every = format!("it is scraped every {}", Span(interval));
    let finding = if interval > LOOKBACK {
        let what = format!("{every}, which is more than the 5m after which Prometheus forgets");
        Finding::new(Level::Problem, Kind::IntervalOverLookback, what)
    } else if interval > WINDOW_MAX {
        let range = sources::range(interval);
        let what = format!(
            "{every}, so averages and rates reach back {} instead of 5m",
            Span(range)
        );
        Finding::new(Level::Warning, Kind::IntervalOverWindow, what)
    } else if interval > config.tick {
        let what = format!("{every}, and looked at every {}", Span(config.tick));
        let opens = interval.max(config.decide.open_after);
        return Some(
            Finding::new(Level::Note, Kind::IntervalOverTick, what)
                .shown_by(format!(
                    "open_after is {}: with such samples an incident opens {} after the first bad one at the earliest",
                    Span(config.decide.open_after),
                    Span(opens)
                ))
                .cure(Cure::copy(
                    "nothing, if that is soon enough; else scrape as often as Bellwether looks",
                    SCRAPE,
                    scraped(config.tick),
                ))
                .cure(Cure::copy(
                    "or look as often as it is scraped, if nothing is scraped more often",
                    BELLWETHER,
                    format!("tick: {}", Span(interval)),
                )),
        );
    } else {
        return None;
    };
    Some(finding.cure(Cure::copy(
        "scrape more often",
        SCRAPE,
        scraped(config.tick),
    )))
}

fn scraped(interval: Duration) -> String {
    format!(
        "scrape_configs:\n  - job_name: …   # that of the service\n    scrape_interval: {}",
        Span(interval)
    )
}

fn differ(service: &ServiceSeen) -> Option<Finding> {
    let least = service.intervals.values().min()?;
    let most = service.intervals.values().max()?;
    if most.as_secs_f64() <= DIFFER * least.as_secs_f64() {
        return None;
    }
    let slow = service
        .intervals
        .iter()
        .filter(|(_, interval)| *interval == most);
    let what = format!(
        "some of its instances are scraped every {}, others every {}",
        Span(*least),
        Span(*most)
    );
    Some(
        Finding::new(Level::Warning, Kind::IntervalsDiffer, what)
            .shown_by(format!(
                "every {}: {}",
                Span(*most),
                few(slow.map(|(i, _)| i))
            ))
            .cure(Cure::copy(
                "scrape all instances of a service alike",
                SCRAPE,
                scraped(*least),
            )),
    )
}
