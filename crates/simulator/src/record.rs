//! `record`: reads a quiet stretch of real services out of their Prometheus.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use simulator::recorded::{FAMILIES, RecordedFamily, RecordedSeries, Recording};
use simulator::{Span, system_clock};
use tracing::info;

use crate::args::RecordArgs;
use crate::endpoint::Endpoint;

/// How much of the stretch one query asks for.
const PORTION_MS: i64 = 5 * 60_000;

pub(crate) async fn record(args: &RecordArgs) -> Result<()> {
    let until_ms = args
        .until
        .map_or_else(|| system_clock()(), |until| until.as_millisecond());
    let stretch = Stretch::back_from(until_ms, args.length, args.step)?;
    let prometheus = Endpoint::new(&args.prometheus)?;
    let mut gathered = Gathered::new(stretch);
    // `up` comes first in the table, and says when each target is scraped.
    for family in FAMILIES {
        for (from_ms, to_ms) in stretch.portions() {
            let answer = ask(&prometheus, family, &args.job, from_ms, to_ms).await?;
            for series in answer {
                gathered.add(family, series)?;
            }
        }
        if gathered.offsets.is_empty() {
            bail!(
                "Prometheus has no up{{job={:?}}} in the {} before {}: is --job the job_name of the services?",
                args.job,
                args.length,
                seconds(until_ms)
            );
        }
    }
    let recording = gathered.recording(&args.job)?;
    recording
        .write(&args.out)
        .with_context(|| format!("write {}", args.out.display()))?;
    info!(
        series = recording.series().len(),
        scrapes = recording.scrapes(),
        out = %args.out.display(),
        "recorded"
    );
    Ok(())
}

#[derive(Clone, Copy)]
struct Stretch {
    from_ms: i64,
    step_ms: i64,
    scrapes: i64,
}

impl Stretch {
    /// Whole steps; the last is over, so that no scrape of it is still to come.
    fn back_from(until_ms: i64, length: Span, step: Span) -> Result<Stretch> {
        let step_ms = step.as_millis();
        let Some(scrapes) = length.as_millis().checked_div(step_ms).filter(|n| *n > 1) else {
            bail!("--length {length} isn't at least two steps of {step}");
        };
        Ok(Stretch {
            from_ms: until_ms - (scrapes + 1) * step_ms,
            step_ms,
            scrapes,
        })
    }

    fn to_ms(self) -> i64 {
        self.from_ms + self.scrapes * self.step_ms
    }

    fn portions(self) -> impl Iterator<Item = (i64, i64)> {
        let to_ms = self.to_ms();
        (0..)
            .map(move |portion| self.from_ms + portion * PORTION_MS)
            .take_while(move |from_ms| *from_ms < to_ms)
            .map(move |from_ms| (from_ms, (from_ms + PORTION_MS).min(to_ms)))
    }
}

type Labels = BTreeMap<String, String>;

/// What came so far: the raw samples, sorted into scrapes.
struct Gathered {
    stretch: Stretch,
    /// By job and instance: when in a step a target is scraped.
    offsets: BTreeMap<(String, String), i64>,
    series: BTreeMap<(&'static str, Labels), Slots>,
}

struct Slots {
    offset_ms: i64,
    newest_ms: i64,
    values: Vec<Option<f64>>,
}

impl Gathered {
    fn new(stretch: Stretch) -> Gathered {
        Gathered {
            stretch,
            offsets: BTreeMap::new(),
            series: BTreeMap::new(),
        }
    }

    fn add(&mut self, family: &'static RecordedFamily, mut series: RangeSeries) -> Result<()> {
        let Stretch {
            from_ms,
            step_ms,
            scrapes,
        } = self.stretch;
        series.metric.remove("__name__");
        let label = |name: &str| series.metric.get(name).cloned().unwrap_or_default();
        let target = (label("job"), label("instance"));
        let Some(Point(first, _)) = series.values.first() else {
            return Ok(());
        };
        if family.name == "up" {
            let offset_ms = (millis(*first) - from_ms).rem_euclid(step_ms);
            self.offsets.entry(target.clone()).or_insert(offset_ms);
        }
        let Some(&offset_ms) = self.offsets.get(&target) else {
            bail!("{} comes from {}, which has no `up`", family.name, target.1);
        };
        let key = (family.name, series.metric);
        let slots = self.series.entry(key).or_insert_with(|| Slots {
            offset_ms,
            newest_ms: i64::MIN,
            values: vec![None; usize::try_from(scrapes).unwrap_or_default()],
        });
        for Point(time, value) in series.values {
            let t_ms = millis(time);
            // A portion of Prometheus 2 begins with the sample that the one before it ended with.
            if t_ms <= slots.newest_ms {
                continue;
            }
            slots.newest_ms = t_ms;
            let nearest = (t_ms - from_ms - offset_ms + step_ms / 2).div_euclid(step_ms);
            let slot = usize::try_from(nearest).ok();
            let Some(slot) = slot.and_then(|slot| slots.values.get_mut(slot)) else {
                continue;
            };
            let value = value.parse().with_context(|| format!("value {value:?}"))?;
            if slot.replace(value).is_some() {
                bail!(
                    "{} is scraped more often than every {}: choose the --step that it is scraped at",
                    target.1,
                    Span::from_millis(step_ms)
                );
            }
        }
        Ok(())
    }

    fn recording(self, job: &str) -> Result<Recording> {
        let Stretch {
            from_ms,
            step_ms,
            scrapes,
        } = self.stretch;
        // At the edges there may be series with no sample in any scrape of the stretch.
        let there = |slots: &Slots| slots.values.iter().any(Option::is_some);
        let series = self.series.into_iter().filter(|(_, slots)| there(slots));
        let series = series.map(|((name, labels), slots)| RecordedSeries {
            kind: RecordedFamily::of(name).map_or(simulator::recorded::Kind::Gauge, |f| f.kind),
            name: name.to_owned(),
            labels: labels.into_iter().collect(),
            offset_ms: slots.offset_ms,
            values: slots.values,
        });
        let step = Span::from_millis(step_ms);
        let scrapes = usize::try_from(scrapes).unwrap_or_default();
        Ok(Recording::new(
            from_ms,
            step,
            scrapes,
            job,
            series.collect(),
        )?)
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<RangeSeries>,
}

#[derive(Deserialize)]
struct RangeSeries {
    metric: Labels,
    values: Vec<Point>,
}

/// Seconds since 1970, and a number in quotes.
#[derive(Deserialize)]
struct Point(f64, String);

async fn ask(
    prometheus: &Endpoint,
    family: &RecordedFamily,
    job: &str,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<RangeSeries>> {
    let query = format!(
        "{}{{job={job:?},{}}}[{}ms]",
        family.name,
        family.conditions,
        to_ms - from_ms
    );
    let time = seconds(to_ms);
    let request = prometheus.get("api/v1/query", &[("query", &query), ("time", &time)])?;
    let body = match prometheus.send(request).await? {
        Ok(body) => body,
        Err(refusal) => bail!(
            "Prometheus refuses {query} ({}): {}",
            refusal.status,
            refusal.words
        ),
    };
    let answer: Answer = serde_json::from_slice(&body)
        .with_context(|| format!("read the answer of Prometheus to {query}"))?;
    Ok(answer.data.result)
}

fn millis(seconds: f64) -> i64 {
    (seconds * 1e3).round() as i64
}

fn seconds(t_ms: i64) -> String {
    format!("{}.{:03}", t_ms.div_euclid(1_000), t_ms.rem_euclid(1_000))
}
