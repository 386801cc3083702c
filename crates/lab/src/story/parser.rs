//! From a text to a story: settings, services, what happens. Expectations have a file of their own.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Catalogue, Gap, MetricId, PostedEvent, SeriesId, ServiceId, Severity, Timestamp};
use incident::{AutoResolve, CommandKind, ResolveWhen, SnoozeUntil};

use super::clauses;
use super::script::{Batch, Course, Happening, Knob, Moment, Normal, Order, Service, Story, Wish};
use super::words::{Block, ParseError, Word, Words, blocks};
use crate::settings::Settings;

/// Monday, 2 March 2026, 08:00 UTC.
const STARTS: Timestamp = Timestamp::from_millis(1_772_438_400_000);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const TICK: Duration = Duration::from_secs(15);

const STATEMENTS: &str = "one of tick, scrape, history, starts, ends, seed, timezone, decide, \
                          auto_resolve, service, at, expect";
const ORDERS: [&str; 7] = [
    "ack", "resolve", "reopen", "assign", "snooze", "comment", "severity",
];
const REFUSALS: [(&str, &str); 5] = [
    ("unknown", "unknown"),
    ("already_resolved", "already_resolved"),
    ("stale", "stale"),
    ("not_gone", "not_gone"),
    ("snooze_in_the_past", "snooze_in_the_past"),
];
pub(crate) const SEVERITIES: [(&str, Severity); 3] = [
    ("Normal", Severity::Normal),
    ("High", Severity::High),
    ("Critical", Severity::Critical),
];

/// Reads a story; `file` is its name in errors and reports.
///
/// # Errors
/// The first line that is not understood, with what would be.
pub fn parse(file: &str, text: &str) -> Result<Story, ParseError> {
    let mut parser = Parser::new(file);
    let mut last = 1;
    for block in blocks(file, text)? {
        last = block.line;
        parser.statement(&block)?;
    }
    parser.finish(last)
}

pub(crate) struct Parser {
    pub story: Story,
    has_end: bool,
}

impl Parser {
    fn new(file: &str) -> Parser {
        let mut settings = Settings::product();
        settings.engine.tick = TICK;
        Parser {
            story: Story {
                file: file.to_owned(),
                settings,
                scrape: None,
                history: DAY,
                history_every: MINUTE,
                starts: STARTS,
                ends: Duration::ZERO,
                seed: 1,
                services: BTreeMap::new(),
                moments: Vec::new(),
                expectations: Vec::new(),
            },
            has_end: false,
        }
    }

    fn finish(self, last: usize) -> Result<Story, ParseError> {
        let story = self.story;
        let refuse = |what: &str| {
            Err(ParseError {
                file: story.file.clone(),
                line: last,
                what: what.to_owned(),
            })
        };
        if story.services.is_empty() {
            return refuse(
                "the story has no service; add `service NAME` with its metrics below it",
            );
        }
        if !self.has_end {
            return refuse("the story has no end; add a line such as `ends 45m`");
        }
        if story.expectations.is_empty() {
            return refuse("the story expects nothing; add a line such as `expect incidents 1`");
        }
        let moments = story.moments.iter().map(|moment| (moment.line, moment.at));
        let expected = story.expectations.iter();
        let expected = expected.filter_map(|expected| Some((expected.line, expected.at?)));
        if let Some((line, _)) = moments.chain(expected).find(|(_, at)| *at > story.ends) {
            return Err(ParseError {
                file: story.file.clone(),
                line,
                what: "this lies after the end of the story; let it end later with `ends`".into(),
            });
        }
        Ok(story)
    }

    fn statement(&mut self, block: &Block) -> Result<(), ParseError> {
        let file = self.story.file.clone();
        let mut words = Words::new(&file, block.line, block.words.clone());
        let head = words.take(STATEMENTS)?;
        match head.as_str() {
            "service" => return self.service(&mut words, block, &file),
            "at" => return self.at(&mut words, block, &file),
            "expect" => {
                let mut words = Words::new(&file, block.line, block.all_words());
                words.must("expect")?;
                return clauses::expectation(self, &mut words, None);
            }
            _ => {}
        }
        let mut words = Words::new(&file, block.line, block.all_words());
        words.must(&head)?;
        self.setting(&head, &mut words)?;
        words.end()
    }

    fn setting(&mut self, head: &str, words: &mut Words<'_>) -> Result<(), ParseError> {
        let story = &mut self.story;
        match head {
            "tick" => story.settings.engine.tick = positive(words, "the tick")?,
            "scrape" => story.scrape = Some(positive(words, "the scrape interval")?),
            "history" => {
                story.history = words.duration("the length of the past")?;
                if words.skip("every") {
                    story.history_every = positive(words, "the distance of its samples")?;
                }
            }
            "starts" => {
                let word = words.take("an instant such as 2026-03-02T08:00:00Z")?;
                let starts = word.parse();
                story.starts = starts
                    .map_err(|error: domain::ParseTimeError| words.wrong(error.to_string()))?;
            }
            "ends" => {
                story.ends = words.duration("the length of the story")?;
                self.has_end = true;
            }
            "seed" => story.seed = words.count("the seed")?,
            "timezone" => {
                let zone = words.take("a time zone such as Europe/Berlin")?;
                detect::Season::new(&zone).map_err(|error| words.wrong(error.to_string()))?;
                story.settings.engine.timezone = zone;
            }
            "decide" => {
                let knob = knob(words)?;
                knob.turn(&mut story.settings.engine.decide);
            }
            "auto_resolve" => {
                let rule = auto_resolve(words)?;
                story.settings.engine.decide.auto_resolve.push(rule);
            }
            _ => return Err(words.unknown(head, STATEMENTS)),
        }
        Ok(())
    }

    fn service(
        &mut self,
        words: &mut Words<'_>,
        block: &Block,
        file: &str,
    ) -> Result<(), ParseError> {
        let name = words.take("the name of the service")?;
        let id = ServiceId::new(&name).map_err(|error| words.wrong(error.to_string()))?;
        let mut service = Service {
            instances: 1,
            version: None,
            history: None,
            metrics: BTreeMap::new(),
        };
        while !words.is_done() {
            let right = "instances, version, history, or the metrics on the lines below";
            match words.take(right)?.as_str() {
                "instances" => service.instances = instances(words)?,
                "version" => service.version = Some(words.take("a version")?.into()),
                "history" => service.history = Some(words.duration("the length of its past")?),
                other => return Err(words.unknown(other, right)),
            }
        }
        for line in &block.below {
            let mut words = Words::new(file, line.line, line.all_words());
            let (metric, normal) = normal(&self.story.settings.engine.catalogue, &mut words)?;
            if let Some(thresholds) = normal.thresholds {
                self.set_thresholds(&id, &metric, thresholds, &words)?;
            }
            if service.metrics.insert(metric.clone(), normal).is_some() {
                return Err(words.wrong(format!("{metric} of {id} is given twice; remove one")));
            }
        }
        if self.story.services.insert(id.clone(), service).is_some() {
            return Err(words.wrong(format!("service {id} is given twice; remove one")));
        }
        Ok(())
    }

    fn set_thresholds(
        &mut self,
        service: &ServiceId,
        metric: &MetricId,
        thresholds: domain::Thresholds,
        words: &Words<'_>,
    ) -> Result<(), ParseError> {
        let catalogue = &mut self.story.settings.engine.catalogue;
        let specs = catalogue.iter().cloned().map(|mut spec| {
            if spec.id == *metric {
                spec.of_service.insert(service.clone(), thresholds);
            }
            spec
        });
        *catalogue = Catalogue::new(specs).map_err(|error| words.wrong(error.to_string()))?;
        Ok(())
    }

    /// `at TIME` with one thing on its line, or several on the lines below.
    fn at(&mut self, words: &mut Words<'_>, block: &Block, file: &str) -> Result<(), ParseError> {
        let at = words.duration("a time")?;
        if !words.is_done() {
            let taken = words.taken();
            let rest = block.all_words().split_off(taken);
            return self.moment(at, block.line, rest, file);
        }
        if block.below.is_empty() {
            return Err(words.wrong("nothing happens; say what, here or on indented lines below"));
        }
        for line in &block.below {
            self.moment(at, line.line, line.all_words(), file)?;
        }
        Ok(())
    }

    fn moment(
        &mut self,
        at: Duration,
        line: usize,
        all: Vec<Word>,
        file: &str,
    ) -> Result<(), ParseError> {
        let mut words = Words::new(file, line, all);
        if words.skip("expect") {
            return clauses::expectation(self, &mut words, Some(at));
        }
        let what = self.happening(&mut words)?;
        words.end()?;
        self.story.moments.push(Moment { line, at, what });
        Ok(())
    }

    fn happening(&mut self, words: &mut Words<'_>) -> Result<Happening, ParseError> {
        let right = format!(
            "a series such as payments.cpu, or one of restart, replicas, gone, back, outage, \
             healthy, post, reload, decide, auto_resolve, retrain, {}, expect",
            ORDERS.join(", ")
        );
        let head = words.take(&right)?;
        Ok(match head.as_str() {
            "restart" => Happening::Restart {
                service: self.service_named(words)?,
                version: if words.skip("version") {
                    Some(words.take("a version")?.into())
                } else {
                    None
                },
            },
            "replicas" => Happening::Replicas {
                service: self.service_named(words)?,
                instances: instances(words)?,
            },
            "gone" => Happening::Gone {
                service: self.service_named(words)?,
                lasts: lasts(words)?,
            },
            "back" => Happening::Back {
                service: self.service_named(words)?,
            },
            "outage" => Happening::Outage {
                lasts: lasts(words)?,
            },
            "healthy" => Happening::Healthy,
            "post" => self.post(words)?,
            "reload" => Happening::Reload(None),
            "decide" => Happening::Reload(Some(knob(words)?)),
            "auto_resolve" => Happening::Reload(Some(Knob::AutoResolve(auto_resolve(words)?))),
            "retrain" => Happening::Retrain,
            order if ORDERS.contains(&order) => Happening::Command(command(order, words)?),
            other if other.contains('.') => {
                let series = self.series_of(other, words)?;
                course(series, words)?
            }
            other => return Err(words.unknown(other, &right)),
        })
    }

    pub fn service_named(&self, words: &mut Words<'_>) -> Result<ServiceId, ParseError> {
        let word = words.take("a service")?;
        let found = self.story.services.keys().find(|id| id.as_str() == word);
        found.cloned().ok_or_else(|| {
            let known: Vec<&str> = self.story.services.keys().map(ServiceId::as_str).collect();
            let right = format!("a service that is given above: {}", known.join(", "));
            words.unknown(&word, &right)
        })
    }

    pub fn series_named(&self, words: &mut Words<'_>) -> Result<SeriesId, ParseError> {
        let word = words.take("a series such as payments.cpu")?;
        self.series_of(&word, words)
    }

    fn series_of(&self, word: &str, words: &Words<'_>) -> Result<SeriesId, ParseError> {
        let (service, metric) = word.rsplit_once('.').unwrap_or((word, ""));
        let mut known = Vec::new();
        for (id, one) in &self.story.services {
            for own in one.metrics.keys() {
                if id.as_str() == service && own.as_str() == metric {
                    return Ok(SeriesId::new(id.clone(), own.clone()));
                }
                known.push(format!("{id}.{own}"));
            }
        }
        let right = format!("a series that is given above: {}", known.join(", "));
        Err(words.unknown(word, &right))
    }

    /// `post deploy service=payments version=2.0`.
    fn post(&self, words: &mut Words<'_>) -> Result<Happening, ParseError> {
        let kind = words.take("the kind of the event, such as deploy")?;
        let mut event = PostedEvent {
            id: 0,
            key: None,
            at: Timestamp::EPOCH,
            kind,
            service: None,
            title: None,
            version: None,
            link: None,
            by: None,
        };
        let mut happened = None;
        while !words.is_done() {
            let right = "service=…, version=…, key=…, by=…, at=…, or title \"…\"";
            if words.skip("title") {
                event.title = Some(words.text("the title")?);
                continue;
            }
            let word = words.take(right)?;
            let pair = word.split_once('=');
            let (name, value) = pair.ok_or_else(|| words.unknown(&word, right))?;
            let text = Some(value.to_owned());
            match name {
                "service" => {
                    let word = Word {
                        line: words.line(),
                        text: value.to_owned(),
                        quoted: false,
                    };
                    let mut one = Words::new(&self.story.file, words.line(), vec![word]);
                    event.service = Some(self.service_named(&mut one)?);
                }
                "version" => event.version = text,
                "key" => event.key = text,
                "by" => event.by = text,
                "at" => {
                    let refused = || words.unknown(&word, "at=TIME, such as at=10m");
                    let span: simulator::Span = value.parse().map_err(|_| refused())?;
                    happened = Some(Duration::from_millis(span.as_millis().unsigned_abs()));
                }
                _ => return Err(words.unknown(&word, right)),
            }
        }
        Ok(Happening::Post {
            event: Box::new(event),
            happened,
        })
    }
}

fn positive(words: &mut Words<'_>, wanted: &str) -> Result<Duration, ParseError> {
    let duration = words.duration(wanted)?;
    if duration < Duration::from_secs(1) {
        return Err(words.wrong(format!(
            "{wanted} is shorter than a second; write 15s or longer"
        )));
    }
    Ok(duration)
}

fn instances(words: &mut Words<'_>) -> Result<u32, ParseError> {
    let count = words.count("a number of instances")?;
    let count = u32::try_from(count).ok().filter(|count| *count > 0);
    count.ok_or_else(|| words.wrong("at least one instance runs; for none of them write `gone`"))
}

/// `for 10m`.
fn lasts(words: &mut Words<'_>) -> Result<Option<Duration>, ParseError> {
    let has = words.skip("for");
    has.then(|| words.duration("how long")).transpose()
}

/// `cpu 30 noise 3 daily 20 at 14:00 batch 02:00 for 30m adds 40 high 70 critical 90`.
fn normal(catalogue: &Catalogue, words: &mut Words<'_>) -> Result<(MetricId, Normal), ParseError> {
    let ids: Vec<(&str, &MetricId)> = catalogue
        .iter()
        .map(|spec| (spec.id.as_str(), &spec.id))
        .collect();
    let metric = words.one_of("a metric", &ids)?.clone();
    let mut normal = Normal {
        level: words.number("its usual level")?,
        noise: 0.0,
        daily: None,
        batches: Vec::new(),
        thresholds: None,
    };
    while !words.is_done() {
        let right = "noise, daily, batch, high or critical";
        match words.take(right)?.as_str() {
            "noise" => normal.noise = words.number("the standard deviation")?,
            "daily" => {
                let more = words.number("how much more at the peak")?;
                words.must("at")?;
                normal.daily = Some((more, time_of_day(words)?));
            }
            "batch" => {
                let at = time_of_day(words)?;
                words.must("for")?;
                let lasts = words.duration("how long")?;
                words.must("adds")?;
                let adds = words.number("how much more")?;
                normal.batches.push(Batch { at, lasts, adds });
            }
            "high" => {
                let high = words.number("the threshold")?;
                normal.thresholds.get_or_insert_default().high = Some(high);
            }
            "critical" => {
                let critical = words.number("the threshold")?;
                normal.thresholds.get_or_insert_default().critical = Some(critical);
            }
            other => return Err(words.unknown(other, right)),
        }
    }
    Ok((metric, normal))
}

/// `02:00`.
fn time_of_day(words: &mut Words<'_>) -> Result<Duration, ParseError> {
    let word = words.take("a time of day such as 02:00")?;
    let parsed = word.split_once(':').and_then(|(hours, minutes)| {
        let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)
    });
    let seconds = parsed.ok_or_else(|| words.unknown(&word, "a time of day such as 02:00"))?;
    Ok(Duration::from_secs(seconds))
}

/// What follows a series: `-> 92 for 12m`, `ramps to 95 over 40m`, `flaps 90 30 every 45s`,
/// `gap no_data for 5m`.
fn course(series: SeriesId, words: &mut Words<'_>) -> Result<Happening, ParseError> {
    let right =
        "-> VALUE, -> normal, ramps to VALUE over TIME, flaps A B every TIME, or gap REASON";
    let course = match words.take(right)?.as_str() {
        "->" if words.skip("normal") => Course::Normal,
        "->" => Course::Level(words.number("the new level, or normal,")?),
        "ramps" => {
            words.must("to")?;
            let to = words.number("the level it rises or falls to")?;
            words.must("over")?;
            let over = positive(words, "how long that takes")?;
            Course::Ramp { to, over }
        }
        "flaps" => {
            let values = (words.number("one level")?, words.number("the other level")?);
            words.must("every")?;
            let every = positive(words, "the time between two changes")?;
            Course::Flap { values, every }
        }
        "gap" => {
            let ends = ("none", None);
            let gaps = Gap::ALL.into_iter().map(|gap| (gap.as_str(), Some(gap)));
            let choices: Vec<(&str, Option<Gap>)> = gaps.chain([ends]).collect();
            let gap = words.one_of("the reason of the gap", &choices)?;
            let lasts = lasts(words)?;
            return Ok(Happening::Gap { series, gap, lasts });
        }
        other => return Err(words.unknown(other, right)),
    };
    let lasts = lasts(words)?;
    Ok(Happening::Course {
        series,
        course,
        lasts,
    })
}

/// `open_after 30s`.
fn knob(words: &mut Words<'_>) -> Result<Knob, ParseError> {
    let right = "one of open_after, critical_after, quiet_period, down_after, hysteresis, \
                 source_fault_share";
    Ok(match words.take(right)?.as_str() {
        "open_after" => Knob::OpenAfter(words.duration("its length")?),
        "critical_after" => Knob::CriticalAfter(words.duration("its length")?),
        "quiet_period" => Knob::QuietPeriod(words.duration("its length")?),
        "down_after" => Knob::DownAfter(words.duration("its length")?),
        "hysteresis" => Knob::Hysteresis(words.number("a share such as 0.05")?),
        "source_fault_share" => Knob::SourceFaultShare(words.number("a share such as 0.5")?),
        other => return Err(words.unknown(other, right)),
    })
}

/// `calm quiet_for 20m services batch-* up_to High`.
fn auto_resolve(words: &mut Words<'_>) -> Result<AutoResolve, ParseError> {
    let name = words.take("the rule's name")?;
    let right = "quiet_for TIME or gone_for TIME";
    let when = match words.take(right)?.as_str() {
        "quiet_for" => ResolveWhen::QuietFor(words.duration("how long")?),
        "gone_for" => ResolveWhen::GoneFor(words.duration("how long")?),
        other => return Err(words.unknown(other, right)),
    };
    let mut rule = AutoResolve {
        name,
        services: Vec::new(),
        severity_max: Severity::Critical,
        when,
    };
    while !words.is_done() {
        if words.skip("up_to") {
            rule.severity_max = words.one_of("a severity", &SEVERITIES)?;
        } else {
            words.must("services")?;
            let patterns = words.take("patterns such as batch-*,payments")?;
            rule.services = patterns.split(',').map(str::to_owned).collect();
        }
    }
    Ok(rule)
}

/// `#1 … by kim "a note" refused stale`.
fn command(order: &str, words: &mut Words<'_>) -> Result<Order, ParseError> {
    let incident = words.incident()?;
    let kind = match order {
        "ack" => CommandKind::Acknowledge,
        "resolve" => CommandKind::Resolve {
            decommissioned: words.skip("decommissioned"),
        },
        "reopen" => CommandKind::Reopen,
        "assign" => {
            words.must("to")?;
            let owner = words.take("a name, or nobody")?;
            CommandKind::Assign {
                owner: (owner != "nobody").then_some(owner),
            }
        }
        "snooze" if words.skip("now") => CommandKind::Snooze {
            until: SnoozeUntil::Now,
        },
        "snooze" => {
            words.must("until")?;
            if !words.skip("change") {
                let until = words.duration("a time, or change,")?;
                return finish_order(words, incident, Wish::SnoozeUntil(until));
            }
            CommandKind::Snooze {
                until: SnoozeUntil::Change,
            }
        }
        "comment" => CommandKind::Comment,
        _ => CommandKind::SetSeverity {
            severity: if words.skip("computed") {
                None
            } else {
                Some(words.one_of("a severity, or computed", &SEVERITIES)?)
            },
        },
    };
    finish_order(words, incident, Wish::Plain(kind))
}

fn finish_order(
    words: &mut Words<'_>,
    incident: domain::IncidentId,
    kind: Wish,
) -> Result<Order, ParseError> {
    words.must("by")?;
    let mut order = Order {
        incident,
        by: words.take("who asks for it")?,
        kind,
        note: words.text_if_any(),
        seen: None,
        refused: None,
    };
    if words.skip("seen") {
        order.seen = Some(words.count("the revision that was seen")?);
    }
    if words.skip("refused") {
        order.refused = Some(words.one_of("why it is refused", &REFUSALS)?);
    }
    if order.kind == Wish::Plain(CommandKind::Comment) && order.note.is_none() {
        return Err(words.wrong("a comment has no words; add them in quotation marks"));
    }
    Ok(order)
}
