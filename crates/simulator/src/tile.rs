//! `tile`: writes a past made of a recording into a Prometheus that has none.

use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use jiff::tz::TimeZone;
use simulator::recorded::{Curve, Plan, Recording, Tiling};
use simulator::system_clock;
use tokio::sync::mpsc;

use crate::args::{TileArgs, read};
use crate::endpoint::Endpoint;
use crate::remote_write::{self, WriteRequest};

/// A request is sent when it has as many.
const REQUEST_SAMPLES: usize = 60_000;
/// Requests that are ready while Prometheus is busy with one.
const READY_MAX: usize = 2;

pub(crate) async fn tile(args: &TileArgs) -> Result<()> {
    let recording = Recording::read(&args.recording)
        .with_context(|| format!("recording {}", args.recording.display()))?;
    let curve = Curve::parse(&read(&args.curve)?)
        .with_context(|| format!("curve {}", args.curve.display()))?;
    let until_ms = args
        .until
        .map_or_else(|| system_clock()(), |until| until.as_millisecond());
    let plan = Plan {
        length: args.length,
        until_ms,
        curve,
        zone: timezone(args.timezone.as_deref())?,
        seed: args.seed,
    };
    let tiling = Tiling::new(&recording, plan)?;
    let series = tiling.series().count();
    let began = Instant::now();
    let samples = lay_down(tiling, &Endpoint::new(&args.prometheus)?).await?;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "wrote {samples} samples of {series} series in {seconds:.1} s ({:.0} a second): {} made of {} recorded at {}",
        samples as f64 / seconds.max(1e-3),
        args.length,
        recording.length(),
        rfc3339(recording.from_ms()),
    );
    Ok(())
}

/// Requests are made in a thread of their own while Prometheus takes the ones before.
async fn lay_down(tiling: Tiling, prometheus: &Endpoint) -> Result<usize> {
    let (requests, mut ready) = mpsc::channel(READY_MAX);
    let made = tokio::task::spawn_blocking(move || make_requests(tiling, &requests));
    let mut sent = Ok(());
    while let Some(body) = ready.recv().await {
        sent = remote_write::send(prometheus, body).await;
        if sent.is_err() {
            break;
        }
    }
    drop(ready);
    let made = made.await.context("make the requests")?;
    sent.and(made)
}

/// In the order of time. Ends early where nobody takes them any more.
fn make_requests(mut tiling: Tiling, requests: &mpsc::Sender<Vec<u8>>) -> Result<usize> {
    let mut request = WriteRequest::new(tiling.series());
    let mut samples = 0;
    loop {
        let goes_on = tiling.scrape(|series, t_ms, value| request.push(series, t_ms, value));
        if request.samples() >= REQUEST_SAMPLES || !goes_on && request.samples() > 0 {
            samples += request.samples();
            if requests.blocking_send(request.take()?).is_err() {
                return Ok(samples);
            }
        }
        if !goes_on {
            return Ok(samples);
        }
    }
}

/// The zone of the load generator: that of the environment or the system, as a JVM has it.
fn timezone(name: Option<&str>) -> Result<TimeZone> {
    match name {
        Some(name) => TimeZone::get(name).map_err(|_| anyhow!("--timezone {name:?} isn't known")),
        None => TimeZone::try_system()
            .context("the time zone of this system isn't known; give it by --timezone, e.g. UTC"),
    }
}

fn rfc3339(t_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(t_ms).map_or_else(|_| String::new(), |time| time.to_string())
}
