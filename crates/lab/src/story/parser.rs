//! From a text to a story: settings and services. What happens and what is expected have files of
//! their own.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Catalogue, LogLevel, MetricId, SeriesId, ServiceId, Severity, Timestamp};
use incident::{AutoResolve, ResolveWhen};

use super::clauses;
use super::script::{Batch, Knob, Normal, Service, Story, Voice};
use super::words::{Block, ParseError, Words, blocks};
use crate::settings::Settings;

/// Monday, 2 March 2026, 08:00 UTC.
const STARTS: Timestamp = Timestamp::from_millis(1_772_438_400_000);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const TICK: Duration = Duration::from_secs(15);

/// The longest past and the longest story.
const HISTORY_SAMPLES_MAX: u128 = 50_000;
const TICKS_MAX: u128 = 100_000;

const STATEMENTS: &str = "one of tick, scrape, history, starts, ends, seed, timezone, decide, \
                          auto_resolve, service, at, expect";
const LEVELS: [(&str, LogLevel); 4] = [
    ("DEBUG", LogLevel::Debug),
    ("INFO", LogLevel::Info),
    ("WARN", LogLevel::Warn),
    ("ERROR", LogLevel::Error),
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
        let own = story.services.values().filter_map(|one| one.history);
        let longest = own.chain([story.history]).max().unwrap_or_default();
        if longest.as_millis() / story.history_every.as_millis() > HISTORY_SAMPLES_MAX {
            return refuse("the history has more than 50,000 samples; make it shorter or coarser");
        }
        let tick = story.settings.engine.tick;
        if story.ends.as_millis() / tick.as_millis() > TICKS_MAX {
            return refuse("the story has more than 100,000 ticks; make it shorter or coarser");
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
            voices: Vec::new(),
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
            if words.skip("says") {
                service.voices.push(voice(&mut words)?);
                words.end()?;
                continue;
            }
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

    pub fn series_of(&self, word: &str, words: &Words<'_>) -> Result<SeriesId, ParseError> {
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
}

pub(crate) fn positive(words: &mut Words<'_>, wanted: &str) -> Result<Duration, ParseError> {
    let duration = words.duration(wanted)?;
    if duration < Duration::from_secs(1) {
        return Err(words.wrong(format!(
            "{wanted} is shorter than a second; write 15s or longer"
        )));
    }
    Ok(duration)
}

pub(crate) fn instances(words: &mut Words<'_>) -> Result<u32, ParseError> {
    let count = words.count("a number of instances")?;
    let count = u32::try_from(count).ok().filter(|count| *count > 0);
    count.ok_or_else(|| words.wrong("at least one instance runs; for none of them write `gone`"))
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

/// `WARN "call to payments took # ms" 30/m by shop.Client with java.lang.X`.
pub(crate) fn voice(words: &mut Words<'_>) -> Result<Voice, ParseError> {
    let level = words.one_of("a level", &LEVELS)?;
    let text = words.text("what the log says")?;
    let rate = words.take("how often, such as 30/m")?;
    let per_minute = rate.strip_suffix("/m").and_then(|count| count.parse().ok());
    let per_minute = per_minute.filter(|rate| (0.01..=6_000.0).contains(rate));
    Ok(Voice {
        level,
        text,
        per_minute: per_minute.ok_or_else(|| {
            words.unknown(&rate, "lines a minute such as 30/m, 0.01 to 6000 of them")
        })?,
        logger: match words.skip("by") {
            true => Some(words.take("the logger")?),
            false => None,
        },
        exception: match words.skip("with") {
            true => Some(words.take("the class of the exception")?),
            false => None,
        },
    })
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

/// `open_after 30s`.
pub(crate) fn knob(words: &mut Words<'_>) -> Result<Knob, ParseError> {
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
pub(crate) fn auto_resolve(words: &mut Words<'_>) -> Result<AutoResolve, ParseError> {
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
