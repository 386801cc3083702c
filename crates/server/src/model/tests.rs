use std::time::Duration;

use clap::Parser;
use detect::{Outcome, Settings as Training, TrainingSet};
use domain::{Catalogue, Sample, Timestamp};

use super::*;
use crate::cli::{Cli, Command, ModelCommand};

const STEP: Duration = Duration::from_secs(300);

fn series(service: &str, metric: &str) -> SeriesId {
    SeriesId::new(
        ServiceId::new(service).unwrap(),
        MetricId::new(metric).unwrap(),
    )
}

/// Three days: 40 by day, 10 by night, with a little on top.
fn trained(series: &SeriesId) -> Vec<u8> {
    let sample = |number: u32| {
        let by_day = (number / 12 % 24) >= 8;
        let value = if by_day { 40.0 } else { 10.0 } + f64::from(number * 7 % 11) / 10.0;
        let time = Timestamp::from_millis(1_795_305_600_000) + STEP * number;
        Sample { time, value }
    };
    let samples: Vec<Sample> = (0..3 * 288).map(sample).collect();
    let set = TrainingSet {
        series,
        samples: &samples,
        masks: &[(samples[100].time, samples[111].time)],
        step: STEP,
    };
    let settings = Training {
        window: Duration::from_secs(7 * 86_400),
        window_min_samples: 240,
        min_samples: 240,
        contamination: 0.01,
        max_age: Duration::from_secs(7 * 86_400),
        trees: 10,
        sample_size: 64,
        seed: 3,
        alarm_budget: 1.0,
    };
    let catalogue = Catalogue::default_three();
    let spec = catalogue.get(&series.metric).unwrap();
    let now = samples[samples.len() - 1].time;
    let outcome = detect::train(set, spec, &settings, &Season::utc(), now, None);
    let Outcome::Trained(trained) = outcome else {
        panic!("{outcome:?}")
    };
    trained.model.encode()
}

/// A data directory with models of these series.
fn data_dir(all: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let models = Models::new(Paths::new(dir.path()));
    for (service, metric) in all {
        let series = series(service, metric);
        models.save(&series, &trained(&series)).unwrap();
    }
    dir
}

fn asked(dir: &Path, service: &str, metric: &str) -> (Config, ModelShow) {
    let dir = dir.to_str().unwrap();
    let line = [
        "bellwether",
        "model",
        "show",
        service,
        metric,
        "--data-dir",
        dir,
    ];
    let Command::Model(asked) = Cli::parse_from(line).command else {
        panic!("not model")
    };
    let ModelCommand::Show(show) = asked.command;
    let loaded = Config::load(None, std::iter::empty(), &show.settings.overrides());
    (loaded.unwrap().config, show)
}

fn read_of(dir: &Path, service: &str, metric: &str) -> anyhow::Result<ModelView> {
    let (config, show) = asked(dir, service, metric);
    read(&config, &show)
}

#[track_caller]
fn check_refused(dir: &Path, service: &str, metric: &str, expected: &str) {
    let error = read_of(dir, service, metric).err().unwrap();
    assert!(error.is::<ModelShowError>(), "{error:#}");
    assert!(error.to_string().ends_with(expected), "{error:#}");
}

#[test]
fn a_model_is_told_as_it_was_trained() {
    let dir = data_dir(&[("pay", "cpu")]);
    let view = read_of(dir.path(), "pay", "cpu").unwrap();
    let parameters = &view.parameters;
    assert_eq!((parameters.trees, parameters.sample_size), (10, 64));
    assert_eq!((parameters.seed, view.features_version), (3, 1));
    assert_eq!((view.rows, view.masked_rows), (864 - 5 - 12, 12));
    assert_eq!((view.value_min, view.value_max), (10.0, 41.0));
    assert_eq!(view.forest.trees.len(), 10);
    let splits: usize = view.features.iter().map(|feature| feature.splits).sum();
    assert_eq!(splits, view.forest.splits);
    for tree in &view.forest.trees {
        assert_eq!(tree.nodes.len(), tree.splits + tree.leaves);
    }
    assert_eq!(view.band.hours.len(), 24);
    assert!(view.band.hours[3].expected < 12.0 && view.band.hours[15].expected > 39.0);
}

#[test]
fn the_page_says_numbers_with_units() {
    let dir = data_dir(&[("pay", "cpu")]);
    let page = read_of(dir.path(), "pay", "cpu").unwrap().to_string();
    for line in [
        "pay cpu\n  model        ",
        "  trained at   2026-11-24T23:55:00.000Z\n",
        "  rows         847 learnt from, 12 left out for an incident\n",
        "  parameters   10 trees of 64 rows, seed 3, contamination 0.01, a step of 300 s\n",
        "  values       10 % to 41 %\n",
        " %  x - previous\n",
        "  splits on the longest way           6       6       6\n",
        "\nexpected by the time of day in UTC, one deviation is ",
        "\n  03:00    10.",
    ] {
        assert!(page.contains(line), "{line:?} is missing in\n{page}");
    }
}

#[test]
fn json_has_every_node() {
    let dir = data_dir(&[("pay", "cpu")]);
    let view = read_of(dir.path(), "pay", "cpu").unwrap();
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["trained_at"], "2026-11-24T23:55:00.000Z");
    assert_eq!(json["features"][4]["name"], "zscore");
    let nodes = json["forest"]["trees"][0]["nodes"].as_array().unwrap();
    assert_eq!(nodes[0]["depth"], 0);
    assert!(nodes[0]["below"].is_f64() && nodes[0]["feature"].is_string());
    let rows = nodes.iter().filter_map(|node| node["rows"].as_u64());
    assert_eq!(rows.sum::<u64>(), 64);
}

#[test]
fn what_is_not_there_is_told_with_what_there_is() {
    let dir = data_dir(&[("eu/pay", "cpu"), ("pay", "cpu"), ("eu/search", "mem")]);
    let by_name = read_of(dir.path(), "search", "mem").unwrap();
    assert_eq!(by_name.service, "eu/search");
    assert_eq!(read_of(dir.path(), "pay", "cpu").unwrap().service, "pay");
    check_refused(
        dir.path(),
        "shop",
        "cpu",
        r#"there are those of "eu/pay", "eu/search", "pay""#,
    );
    check_refused(dir.path(), "pay", "lat", r#"there are "cpu""#);
    let empty = tempfile::tempdir().unwrap();
    check_refused(
        empty.path(),
        "pay",
        "cpu",
        "`bellwether serve` and `bellwether train` make them",
    );
}

#[test]
fn a_damaged_model_is_named_with_the_damage() {
    let dir = data_dir(&[("pay", "cpu")]);
    let file = Paths::new(dir.path()).model(&series("pay", "cpu"));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = read_of(dir.path(), "pay", "cpu").err().unwrap();
    assert!(!error.is::<ModelShowError>());
    let said = format!("{error:#}");
    assert!(
        said.contains("cpu.model: its checksum does not match"),
        "{said}"
    );
}
