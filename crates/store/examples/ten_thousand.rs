//! How long the database takes with ten thousand incidents and a large ledger. Run it with
//! `cargo run --release -p store --example ten_thousand`; the number of ledger records can be given.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{
    Evidence, Incident, IncidentId, IncidentKind, LogLevel, LogLine, LogOutcome, LogWindow,
    MetricId, OpenedBecause, SeriesId, ServiceId, Severity, Status, Timestamp,
};
use store::{
    Database, Evaluated, IncidentFilter, LedgerRecord, OwnerFilter, Paths, Sort, SortBy, TickCommit,
};

const INCIDENTS: u64 = 10_000;
const SERVICES: u64 = 200;
const ROUNDS: u32 = 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let records = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 200_000,
    };
    let dir = tempfile::tempdir()?;
    let paths = Paths::new(dir.path());
    let database = Database::open(&paths).await?.database;
    lists(&database).await?;
    searches(&database).await?;
    attachments(&database).await?;
    ledger(&database, records).await?;
    database.close().await;
    let began = Instant::now();
    let database = Database::open(&paths).await?.database;
    say("open and check all seals", began.elapsed());
    let began = Instant::now();
    let dropped = database.prune_ledger(at(0), records / 2).await?;
    say(&format!("drop {dropped} records"), began.elapsed());
    database.close().await;
    Ok(())
}

async fn lists(database: &Database) -> Result<(), Box<dyn Error>> {
    for first in (1..=INCIDENTS).step_by(1000) {
        let incidents = (first..first + 1000).map(incident);
        let incidents = incidents.collect::<Result<_, _>>()?;
        let tick = TickCommit {
            incidents,
            ..TickCommit::default()
        };
        database.commit_tick(tick).await?;
    }
    let filters = [
        ("all", IncidentFilter::default()),
        (
            "resolved",
            IncidentFilter {
                statuses: vec![Status::Resolved],
                ..IncidentFilter::default()
            },
        ),
        (
            "nobody's, quiet, critical",
            IncidentFilter {
                owner: Some(OwnerFilter::Nobody),
                firing: Some(false),
                severities: vec![Severity::Critical],
                ..IncidentFilter::default()
            },
        ),
        (
            "of nobody known",
            IncidentFilter {
                owner: Some(OwnerFilter::Person("nobody known".to_owned())),
                ..IncidentFilter::default()
            },
        ),
    ];
    for (name, filter) in filters {
        for by in SortBy::ALL {
            let sort = Sort {
                by,
                descending: true,
            };
            let mut filter = IncidentFilter {
                sort,
                ..filter.clone()
            };
            // The second page, where there is one: as far in as the first is cheap.
            filter.after = database.incidents(&filter).await?.next;
            let began = Instant::now();
            for _ in 0..ROUNDS {
                database.incidents(&filter).await?;
            }
            let what = format!("list {name}, 100 by {}", by.as_str());
            say(&what, began.elapsed() / ROUNDS);
        }
    }
    Ok(())
}

/// Words that are found at once, late, and nowhere; each incident has twenty different log lines.
async fn searches(database: &Database) -> Result<(), Box<dyn Error>> {
    for (what, text) in [
        ("everywhere", "connection"),
        ("in one of 200 services", "service-117"),
        ("in the oldest", "#1\n"),
        ("nowhere", "nowhere"),
        (
            "nowhere, after three that are",
            "cpu pool connection nowhere",
        ),
    ] {
        let filter = IncidentFilter {
            text: Some(text.to_owned()),
            ..IncidentFilter::default()
        };
        let found = database.incidents(&filter).await?.incidents.len();
        let began = Instant::now();
        for _ in 0..ROUNDS {
            database.incidents(&filter).await?;
        }
        say(
            &format!("search what is {what}, {found} in the page"),
            began.elapsed() / ROUNDS,
        );
    }
    Ok(())
}

/// Ten firing incidents with 200 lines of logs, saved at every tick.
async fn attachments(database: &Database) -> Result<(), Box<dyn Error>> {
    let mut firing = Vec::new();
    for id in INCIDENTS + 1..=INCIDENTS + 10 {
        let mut incident = incident(id)?;
        incident.firing = true;
        incident.logs = Some(Arc::new(logs(200)));
        firing.push(incident);
    }
    for (what, anew) in [("", false), (" at new addresses", true)] {
        let mut spent = Duration::ZERO;
        for round in 0..=ROUNDS {
            for incident in &mut firing {
                incident.last_seen = at(u64::from(round));
                if anew {
                    incident.logs = incident.logs.as_deref().cloned().map(Arc::new);
                    incident.evidence = Arc::new(Evidence::clone(&incident.evidence));
                }
            }
            let tick = TickCommit {
                incidents: firing.clone(),
                ..TickCommit::default()
            };
            let began = Instant::now();
            database.commit_tick(tick).await?;
            if round > 0 {
                spent += began.elapsed();
            }
        }
        let what = format!("tick with 10 firing incidents, unchanged logs and evidence{what}");
        say(&what, spent / ROUNDS);
    }
    Ok(())
}

async fn ledger(database: &Database, records: u64) -> Result<(), Box<dyn Error>> {
    let mut minute = 0;
    for count in [600, records.div_ceil(u64::from(ROUNDS)), 600, 2, 0] {
        let mut spent = Duration::ZERO;
        for _ in 0..ROUNDS {
            minute += 1;
            let ledger = (0..count).map(|number| record(number, minute));
            let ledger = ledger.collect::<Result<_, _>>()?;
            let tick = TickCommit {
                ledger,
                evaluated: Some(Evaluated {
                    at: at(minute),
                    run_from: at(1),
                }),
                ..TickCommit::default()
            };
            let began = Instant::now();
            database.commit_tick(tick).await?;
            spent += began.elapsed();
        }
        say(&format!("tick with {count} records"), spent / ROUNDS);
    }
    let series = record(7, 0)?.series;
    let began = Instant::now();
    for _ in 0..ROUNDS {
        database.decision_at(&series, at(30)).await?;
    }
    say("decision at a time", began.elapsed() / ROUNDS);
    Ok(())
}

fn at(minute: u64) -> Timestamp {
    Timestamp::from_millis(1_795_348_800_000) + Duration::from_secs(60 * minute)
}

fn incident(id: u64) -> Result<Incident, Box<dyn Error>> {
    let resolved = !id.is_multiple_of(10);
    Ok(Incident {
        id: IncidentId(id),
        service: ServiceId::new(&format!("scope/service-{}", id * 7919 % SERVICES))?,
        kind: IncidentKind::Metrics,
        status: if resolved {
            Status::Resolved
        } else {
            Status::Open
        },
        firing: false,
        severity: [Severity::High, Severity::Critical][(id % 3 % 2) as usize],
        worst_severity: Severity::Critical,
        operator_severity: None,
        owner: id.is_multiple_of(4).then(|| "Zoë".to_owned()),
        snooze: None,
        resolution: None,
        opened_because: OpenedBecause::ThresholdOnly,
        // About as long as one with three members.
        summary: "cpu 96.5 %, past 90 % ".repeat(60),
        onset: at(id),
        first_crossing: at(id),
        opened: at(id * 31 % INCIDENTS),
        last_seen: at(id * 37 % INCIDENTS),
        ended: Some(at(id)),
        members: Vec::new(),
        follows: None,
        logs: Some(Arc::new(short_logs(id))),
        evidence: Arc::new(Evidence {
            failed: vec!["breakdown: timed out after 10 s ".repeat(200)],
            ..Evidence::default()
        }),
        timeline: Vec::new(),
    })
}

fn logs(lines: u64) -> LogWindow {
    let line = |number| LogLine {
        time: at(number),
        level: LogLevel::Error,
        logger: Some("org.example.Pool".to_owned()),
        message: "no connection within 30 s ".repeat(4),
        exception: None,
        stack_trace: Some("at org.example.Pool.take(Pool.java:12)\n".repeat(30)),
        trace_id: None,
        span_id: None,
        cut: false,
    };
    LogWindow {
        from: at(0),
        to: at(1),
        outcome: LogOutcome::Found,
        lines: (0..lines).map(line).collect(),
        omitted: 0,
        malformed: 0,
    }
}

/// Twenty different lines, without stack traces.
fn short_logs(id: u64) -> LogWindow {
    let mut logs = logs(20);
    for (line, number) in logs.lines.iter_mut().zip(id * 100..) {
        line.message = format!(
            "order-{number} of customer c{} failed after {} ms: no connection from pool-{} to \
             10.{}.{}.7:5432 within 30 s, trace {:016x}",
            number * 7919 % 100_003,
            number % 4001,
            number % 13,
            number % 251,
            number % 241,
            number * 0x9E37_79B9,
        );
        line.stack_trace = None;
    }
    logs
}

/// Of one tick each of another series; some 400 bytes, as a finding has.
fn record(number: u64, minute: u64) -> Result<LedgerRecord, Box<dyn Error>> {
    Ok(LedgerRecord {
        series: SeriesId::new(
            ServiceId::new(&format!("scope/service-{number}"))?,
            MetricId::new("latency_p95")?,
        ),
        from: at(minute),
        body: format!(
            "{{\"prediction\":\"Normal\",\"why\":\"{}\"}}",
            "x".repeat(360)
        ),
    })
}

fn say(what: &str, took: Duration) {
    println!("{:>9.2} ms  {what}", took.as_secs_f64() * 1000.0);
}
