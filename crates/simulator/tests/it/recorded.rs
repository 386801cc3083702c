//! A recorded quiet stretch becomes days of past: what holds of its counters, buckets, times and load, and of its text.

mod prometheus;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use simulator::Span;
use simulator::recorded::{
    Curve, FAMILIES, Kind, MARKER, Plan, RecordedFamily, RecordedSeries, Recording, Tiling,
};

use crate::NOON_MS;

const STEP: Span = Span::from_secs(15);
const HOUR_MS: i64 = 3_600_000;

fn series(
    kind: Kind,
    name: &str,
    labels: &[(&str, &str)],
    values: Vec<Option<f64>>,
) -> RecordedSeries {
    let mut labels: Vec<(String, String)> = labels
        .iter()
        .chain(&[("instance", "127.0.0.12:8480"), ("job", "spring")])
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    labels.sort();
    RecordedSeries {
        kind,
        name: name.to_owned(),
        labels,
        offset_ms: 3_127,
        values,
    }
}

fn gauge(name: &str, values: impl IntoIterator<Item = f64>) -> RecordedSeries {
    series(
        Kind::Gauge,
        name,
        &[],
        values.into_iter().map(Some).collect(),
    )
}

fn recording(scrapes: usize, others: Vec<RecordedSeries>) -> Recording {
    let up = gauge("up", vec![1.0; scrapes]);
    let all = [vec![up], others].concat();
    Recording::new(NOON_MS - HOUR_MS, STEP, scrapes, "spring", all).expect("a recording")
}

fn plan(length: &str) -> Plan {
    Plan {
        length: length.parse().expect("a span"),
        until_ms: NOON_MS,
        curve: Curve::level(1.0),
        zone: TimeZone::UTC,
        seed: 7,
    }
}

/// Time in ms and value.
type Sample = (i64, f64);

/// All samples by name and `le`, in the order of time.
fn past(recording: &Recording, plan: Plan) -> BTreeMap<(String, String), Vec<Sample>> {
    let mut tiling = Tiling::new(recording, plan).expect("a past");
    let names: Vec<(String, String)> = tiling
        .series()
        .map(|(name, labels)| {
            let le = labels.iter().find(|(label, _)| label == "le");
            (
                name.to_owned(),
                le.map_or_else(String::new, |(_, le)| le.clone()),
            )
        })
        .collect();
    let mut past: BTreeMap<(String, String), Vec<Sample>> = BTreeMap::new();
    while tiling.scrape(|at, t_ms, value| {
        past.entry(names[at].clone())
            .or_default()
            .push((t_ms, value));
    }) {}
    past
}

fn named<'a, T>(past: &'a BTreeMap<(String, String), T>, name: &str, le: &str) -> &'a T {
    &past[&(name.to_owned(), le.to_owned())]
}

/// A histogram of three buckets whose requests come in bursts.
fn histogram(bursts: &[[u8; 3]], born: usize) -> Vec<RecordedSeries> {
    let mut below = [0.0; 3];
    let mut rows: Vec<Vec<Option<f64>>> = vec![Vec::new(); 3];
    for (at, burst) in bursts.iter().enumerate() {
        let mut of_burst = 0.0;
        for bucket in 0..3 {
            of_burst += f64::from(burst[bucket]);
            below[bucket] += of_burst;
            rows[bucket].push((at >= born).then_some(below[bucket]));
        }
    }
    let count = series(
        Kind::Counter,
        "http_server_requests_seconds_count",
        &[],
        rows[2].clone(),
    );
    let buckets = ["0.1", "1.0", "+Inf"].iter().zip(rows).map(|(le, row)| {
        series(
            Kind::Counter,
            "http_server_requests_seconds_bucket",
            &[("le", le)],
            row,
        )
    });
    buckets.chain([count]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn counters_only_grow_and_buckets_stay_cumulative_over_every_seam(
        bursts in prop::collection::vec(any::<[u8; 3]>(), 4..40),
        born in 0..3usize,
        steps in 2..400i64,
        seed in any::<u64>(),
        factors in prop::collection::vec(0.1..3.0f64, 24),
    ) {
        let mut text = String::from("hour,factor\n");
        for (hour, factor) in factors.iter().enumerate() {
            text.push_str(&format!("{hour},{factor}\n"));
        }
        let recording = recording(bursts.len(), histogram(&bursts, born));
        let plan = Plan {
            length: Span::from_secs(15 * steps),
            curve: Curve::parse(&text).expect("a curve"),
            seed,
            ..plan("1h")
        };
        let past = past(&recording, plan);
        for samples in past.values() {
            prop_assert_eq!(samples.len(), steps as usize);
            for pair in samples.windows(2) {
                prop_assert_eq!(pair[1].0 - pair[0].0, 15_000);
            }
            let (last_ms, _) = samples[samples.len() - 1];
            prop_assert!((NOON_MS - 45_000..=NOON_MS - 30_000).contains(&last_ms));
        }
        let row = |le| named(&past, "http_server_requests_seconds_bucket", le);
        for samples in [row("0.1"), row("1.0"), row("+Inf")] {
            prop_assert!(samples.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        }
        for at in 0..steps as usize {
            prop_assert!(row("0.1")[at].1 <= row("1.0")[at].1);
            prop_assert!(row("1.0")[at].1 <= row("+Inf")[at].1);
        }
        prop_assert_eq!(row("+Inf"), named(&past, "http_server_requests_seconds_count", ""));
    }

    #[test]
    fn a_recording_is_read_as_it_was_written(
        value in "[ -~é\n]{0,12}",
        values in prop::collection::vec(prop::option::of(-1e12..1e12f64), 2..12),
        first in any::<f64>(),
    ) {
        let mut values = values;
        values[0] = Some(if first.is_nan() { f64::INFINITY } else { first });
        let odd = series(Kind::Gauge, "jvm_gc_overhead", &[("uri", &value)], values.clone());
        let recording = recording(values.len(), vec![odd]);
        let mut text = Vec::new();
        recording.write_text(&mut text).expect("it is written");
        prop_assert_eq!(Recording::read_text(text.as_slice()).expect("it is read"), recording);
    }
}

#[test]
fn buckets_read_while_requests_went_on_are_put_right() {
    let row = |le, values: &[f64]| {
        series(
            Kind::Counter,
            "http_server_requests_seconds_bucket",
            &[("le", le)],
            values.iter().copied().map(Some).collect(),
        )
    };
    // The second scrape saw in the lower bucket what the higher one says a scrape later.
    let torn = vec![
        row("0.1", &[0.0, 50.0, 50.0, 60.0]),
        row("+Inf", &[0.0, 10.0, 50.0, 60.0]),
    ];
    let past = past(&recording(4, torn), plan("1h"));
    let of = |le| named(&past, "http_server_requests_seconds_bucket", le);
    for (low, high) in of("0.1").iter().zip(of("+Inf")) {
        assert!(low.1 <= high.1, "{low:?} {high:?}");
    }
}

#[test]
fn the_increase_over_a_seam_is_the_mean_increase() {
    let values = [0.0, 10.0, 40.0, 60.0].map(Some).to_vec();
    let errors = series(Kind::Counter, "logback_events_total", &[], values);
    let past = past(&recording(4, vec![errors]), plan("10m"));
    let samples = named(&past, "logback_events_total", "");
    let increases: Vec<f64> = samples
        .windows(2)
        .map(|pair| pair[1].1 - pair[0].1)
        .collect();
    for (at, increase) in increases.iter().enumerate() {
        // The length is ten whole tiles; the variation of the load is at most 6 %.
        let expected = [10.0, 30.0, 20.0, 20.0][at % 4];
        assert!(
            (increase / expected - 1.0).abs() < 0.061,
            "{at}: {increase}"
        );
    }
}

#[test]
fn the_last_tile_is_whole_and_the_first_begins_where_the_length_says() {
    let heap = gauge("jvm_memory_used_bytes", [1.0, 2.0, 3.0, 4.0]);
    let past = past(&recording(4, vec![heap]), plan("90s"));
    let values: Vec<f64> = named(&past, "jvm_memory_used_bytes", "")
        .iter()
        .map(|(_, value)| *value)
        .collect();
    assert_eq!(values, [3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn load_follows_the_curve_of_the_local_day_and_other_gauges_do_not() {
    let mut curve = String::from("# hour, factor\n");
    for hour in 0..24 {
        curve.push_str(&format!(
            "{hour},{}\n",
            if (4..=10).contains(&hour) { 0.5 } else { 1.0 }
        ));
    }
    let counts = (0..60).map(|at| Some(f64::from(at) * 100.0)).collect();
    let recording = recording(
        60,
        vec![
            series(
                Kind::Counter,
                "http_server_requests_seconds_count",
                &[],
                counts,
            ),
            gauge("process_cpu_usage", [0.2; 60]),
            gauge("jvm_threads_states_threads", [12.0; 60]),
            gauge("process_start_time_seconds", [1.7e9; 60]),
        ],
    );
    let plan = Plan {
        curve: Curve::parse(&curve).expect("a curve"),
        // 2026-11-22, one hour ahead of UTC.
        zone: TimeZone::get("Europe/Berlin").expect("a zone"),
        ..plan("12h")
    };
    let past = past(&recording, plan);
    let midnight_ms = NOON_MS - 12 * HOUR_MS;
    // From 5 to 9 local, and from 11 to 12, by samples of the same moments.
    let mean_of = |name: &str, from: i64, to: i64, of: fn(&[Sample]) -> f64| {
        let within = (midnight_ms + (from - 1) * HOUR_MS)..(midnight_ms + (to - 1) * HOUR_MS);
        let samples = named(&past, name, "").iter().copied();
        let samples: Vec<_> = samples.filter(|(t_ms, _)| within.contains(t_ms)).collect();
        assert!(samples.len() > 200, "{}", samples.len());
        of(&samples)
    };
    let rate: fn(&[Sample]) -> f64 = |samples| {
        let (first, last) = (samples[0], samples[samples.len() - 1]);
        (last.1 - first.1) / ((last.0 - first.0) as f64 / 1e3)
    };
    let mean: fn(&[Sample]) -> f64 =
        |samples| samples.iter().map(|(_, value)| value).sum::<f64>() / samples.len() as f64;
    let near = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.04;
    let requests = "http_server_requests_seconds_count";
    assert!(near(mean_of(requests, 5, 9, rate), 50.0 / 15.0));
    assert!(near(mean_of(requests, 11, 13, rate), 100.0 / 15.0));
    assert!(near(mean_of("process_cpu_usage", 5, 9, mean), 0.1));
    assert!(near(mean_of("process_cpu_usage", 11, 13, mean), 0.2));
    assert_eq!(mean_of("jvm_threads_states_threads", 5, 9, mean), 12.0);

    let (first_ms, started) = named(&past, "process_start_time_seconds", "")[0];
    assert!(
        started * 1e3 < (first_ms - HOUR_MS) as f64,
        "it began before"
    );
    let starts = named(&past, "process_start_time_seconds", "");
    assert!(starts.iter().all(|(_, value)| *value == started));
    assert!(
        named(&past, MARKER, "")
            .iter()
            .all(|(_, value)| *value == 1.0)
    );
}

#[test]
fn tiles_differ_a_little_and_the_same_seed_says_the_same() {
    let load = |seed| {
        let recording = recording(20, vec![gauge("process_cpu_usage", [0.2; 20])]);
        let past = past(&recording, Plan { seed, ..plan("2d") });
        let samples = named(&past, "process_cpu_usage", "");
        samples
            .iter()
            .map(|(_, value)| *value)
            .collect::<Vec<f64>>()
    };
    let values = load(1);
    assert_eq!(values, load(1));
    assert_ne!(values, load(2));
    let spread = |of: fn(f64, f64) -> f64| values.iter().copied().reduce(of).expect("samples");
    assert!(spread(f64::min) < 0.198 && spread(f64::min) >= 0.188);
    assert!(spread(f64::max) > 0.202 && spread(f64::max) <= 0.212);
}

#[test]
fn a_counter_that_is_born_in_the_recording_is_old_in_the_past() {
    let born = [None, None, Some(1.0), Some(3.0)].to_vec();
    let away = [Some(1.0), None, Some(1.0), Some(1.0)].to_vec();
    let recording = recording(
        4,
        vec![
            series(Kind::Counter, "logback_events_total", &[], born),
            series(Kind::Gauge, "executor_queued_tasks", &[], away),
        ],
    );
    let past = past(&recording, plan("1h"));
    assert_eq!(named(&past, "logback_events_total", "").len(), 240);
    assert_eq!(named(&past, "logback_events_total", "")[0].1, 0.0);
    let queue = named(&past, "executor_queued_tasks", "");
    assert_eq!(queue.len(), 180, "gaps of gauges stay gaps");
}

#[test]
fn a_length_beyond_what_is_sensible_is_refused() {
    let recording = recording(4, vec![]);
    for length in ["0s", "14s", "61d"] {
        let refused = Tiling::new(&recording, plan(length)).err();
        let told = refused.expect(length).to_string();
        assert!(told.starts_with("a past is from 15s to 60d long"), "{told}");
    }
}

const GOOD: &str = "bellwether recording 1
# comment
from 2026-11-23T14:00:00Z
length 1m
step 15s
job spring
factor 1
gauge +3127ms up{instance=\"a:1\",job=\"spring\"} 1 1 1 1
counter +3127ms logback_events_total{instance=\"a:1\",job=\"spring\",level=\"warn\"} - 1 1 4
";

#[test]
fn malformed_lines_are_refused_by_their_number() {
    let read =
        |text: &str| Recording::read_text(text.as_bytes()).map_err(|error| error.to_string());
    assert_eq!(read(GOOD).map(|recording| recording.series().len()), Ok(2));
    for (from, to, told) in [
        (
            "recording 1",
            "recording 2",
            "line 1: \"bellwether recording 2\" isn't",
        ),
        (
            "from 2026",
            "from then",
            "line 3: \"from then-11-23T14:00:00Z\" should be `from …`",
        ),
        (
            "length 1m",
            "length 15s",
            "line 5: a recording has 2 to 5760 scrapes",
        ),
        ("step 15s", "step 0s", "line 5: the step is longer than 0s"),
        (
            "step 15s",
            "steps 15s",
            "line 5: \"steps 15s\" should be `step …`",
        ),
        (
            "factor 1\n",
            "factor 0.5\n",
            "line 7: it was recorded at 0.5 times the load",
        ),
        ("gauge", "summary", "line 8: \"summary\" is neither"),
        ("+3127ms up", "3127 up", "line 8: \"3127\" isn't an offset"),
        (
            "+3127ms up",
            "+15000ms up",
            "scraped 15000 ms after the beginning",
        ),
        ("up{", "9up{", "line 8: \"9up\" is no name"),
        ("up{instance", "up{in-stance", "line 8: \"in-stance"),
        (
            "\"a:1\",job=\"spring\"} 1 1",
            "\"a:1,job=spring} 1 1",
            "line 8: the value of the label instance doesn't end",
        ),
        (
            "instance=\"a:1\",job=\"spring\"} 1",
            "job=\"a:1\",job=\"spring\"} 1",
            "line 8: the label job is there twice",
        ),
        (
            "1 1 1 1\n",
            "1 1 1\n",
            "has 3 values, and there are 4 scrapes",
        ),
        ("1 1 1 1\n", "1 x 1 1\n", "line 8: \"x\" is no value"),
        ("1 1 1 1\n", "1 1 0 1\n", "isn't 1 at scrape 3 of 4"),
        ("- 1 1 4", "- - - -", "line 9: logback_events_total{"),
        (
            "- 1 1 4",
            "- 4 1 4",
            "goes from 4 down to 1: the process restarted",
        ),
        ("- 1 1 4", "- NaN 1 4", "is NaN"),
        (
            "\"warn\"} - 1 1 4\n",
            "\"warn\"} - 1 1 4",
            "line 9: the text breaks off here",
        ),
        (
            "counter +3127ms logback_events_total{instance=\"a:1\",job=\"spring\",level=\"warn\"} - ",
            "gauge +3127ms up{job=\"spring\",instance=\"a:1\"} 1 ",
            "up{instance=\"a:1\",job=\"spring\"} is there twice",
        ),
        (
            "up{instance=\"a:1\"",
            "up{instance=\"b:1\"",
            "there is no up{instance=\"a:1\"",
        ),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let refused = read(&text).expect_err(to);
        assert!(refused.contains(told), "{to:?}: {refused}");
    }
}

#[test]
fn a_curve_is_read_by_the_hour_and_refused_by_the_line() {
    let hours =
        |count: usize| -> String { (0..count).map(|hour| format!("{hour},1.1\n")).collect() };
    let read = |text: String| Curve::parse(&text).map_err(|error| error.to_string());
    assert!(read(format!("hour,factor\n{}", hours(24))).is_ok());
    for (text, told) in [
        (
            format!("hour,factor\n{}", hours(23)),
            "line 24: the day ends before hour 23",
        ),
        (
            format!("hour,factor\n{}24,1\n", hours(24)),
            "line 26: \"24\" isn't the next hour",
        ),
        (hours(24), "line 2: \"1\" isn't the next hour"),
        ("hour,factor\n0;1\n".into(), "line 2: \"0;1\" has no comma"),
        (
            "hour,factor\n0,-1\n".into(),
            "line 2: factor \"-1\" isn't between 0 and 10",
        ),
        (
            "hour,factor\n0,NaN\n".into(),
            "line 2: factor \"NaN\" isn't between",
        ),
    ] {
        let refused = read(text).expect_err(told);
        assert!(refused.starts_with(told), "{refused}");
    }
}

/// What Bellwether reads by default of a service that speaks Micrometer must be in the past.
#[test]
fn every_name_that_the_catalogue_reads_is_recorded() {
    let real = include_str!("../fixtures/orders.g1.prom");
    let of_services = |name: &str| {
        name == "up"
            || real
                .lines()
                .any(|line| line.starts_with(&format!("{name}{{")))
    };
    let mut read = 0;
    let catalogues = [
        domain::Catalogue::default_three(),
        domain::Catalogue::spring_pack(),
    ];
    for spec in catalogues.iter().flat_map(|catalogue| catalogue.iter()) {
        let queries = [Some(spec.query.as_str()), spec.fallback.as_deref()];
        let words = queries
            .into_iter()
            .flatten()
            .flat_map(|query| query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        for word in words.filter(|word| of_services(word)) {
            assert!(RecordedFamily::of(word).is_some(), "{word} of {}", spec.id);
            read += 1;
        }
    }
    assert!(read > 20, "{read}");
    assert!(FAMILIES[0].name == "up", "record asks for it first");
}
