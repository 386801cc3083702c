//! Walks the components forward over labelled files and writes what a detector made of them says.
//!
//! `detection DATA_ROOT OUT [CHOICES [DAYS]]`: a choice is a list such as
//! `level*0.5,seasonal,short,long,pattern,innovation,forest`, in which a number is a weight; `rms`
//! among them takes the root mean square of rarities instead of their mean, and `single*0.5` lets
//! one sample speak for itself at half the usual rate. Several lists have `;` between them and get a
//! folder each, named by number, under OUT. DAYS is the training window of a daily training (0: the
//! history before the scored rows, once).

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use detect::featurise::Featuriser;
use detect::{Components, Fitted, How, Season, TailCalibrator, keep_for_half_life, ln_of};
use domain::{Direction, FEATURE_NAMES, Sample, Timestamp};
use forest::{Forest, Parameters};

/// The components of [`detect::Statistics::as_array`] and the forest.
const COUNT: usize = 7;
const NAMES: [&str; COUNT] = [
    "level",
    "seasonal",
    "short",
    "long",
    "pattern",
    "innovation",
    "forest",
];
const HALF_LIFE_DAYS: f64 = 14.0;
const DAY_SECONDS: i64 = 86_400;

type Answer<T> = Result<T, Box<dyn Error>>;

struct Row {
    kind: String,
    ds: String,
    file: String,
    interval_s: u64,
    train_rows: usize,
}

fn main() -> Answer<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, out, rest @ ..] = arguments.as_slice() else {
        return Err("usage: detection DATA_ROOT OUT [CHOICE[;CHOICE] [DAYS]]".into());
    };
    let lists = rest
        .first()
        .map_or("seasonal,short,long,pattern", |list| list);
    let lists: Vec<&str> = lists.split(';').collect();
    let days: i64 = rest.get(1).map_or(Ok(0), |days| days.parse())?;
    let (mut samples, started) = (0, Instant::now());
    for row in index(Path::new(data))? {
        let columns: &[&str] = match (row.kind.as_str(), row.ds.as_str()) {
            ("series", _) => &["value"],
            ("entity", "SMD") => &["cpu_r", "disk_svc"],
            _ => continue,
        };
        for column in columns {
            let series = read(&Path::new(data).join(&row.file), column)?;
            samples += series.len();
            let rarities = rarities(&series, &row, days);
            let stem = row.file.trim_end_matches(".csv.gz");
            let path = match *column {
                "value" => format!("{stem}.csv"),
                metric => format!("{stem}/{metric}.csv"),
            };
            for (number, list) in lists.iter().enumerate() {
                let text = judged(&series, &rarities, list, row.interval_s);
                let path = Path::new(out).join(number.to_string()).join(&path);
                fs::create_dir_all(path.parent().ok_or("a file lies in a folder")?)?;
                fs::write(path, text)?;
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{samples} samples in {seconds:.1} s");
    Ok(())
}

fn index(data: &Path) -> Answer<Vec<Row>> {
    let text = fs::read_to_string(data.join("index.csv"))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let place = |name: &str| header.iter().position(|column| *column == name);
    let place = |name: &str| place(name).ok_or_else(|| format!("index.csv has no column {name}"));
    let (kind, ds, file) = (place("kind")?, place("ds")?, place("file")?);
    let (interval, train) = (place("interval_s")?, place("train_rows")?);
    let row = |line: &str| -> Answer<Row> {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |place: usize| cells.get(place).copied().unwrap_or_default();
        Ok(Row {
            kind: cell(kind).into(),
            ds: cell(ds).into(),
            file: cell(file).into(),
            interval_s: cell(interval).parse().unwrap_or(60),
            train_rows: cell(train).parse().unwrap_or(0),
        })
    };
    lines.map(row).collect()
}

fn read(path: &Path, column: &str) -> Answer<Vec<Sample>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(path)?).read_to_string(&mut text)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let place = header.iter().position(|name| *name == column);
    let place = place.ok_or_else(|| format!("{} has no column {column}", path.display()))?;
    let sample = |line: &str| -> Answer<Sample> {
        let cells: Vec<&str> = line.split(',').collect();
        Ok(Sample {
            time: cells[0].parse()?,
            value: cells[place].parse()?,
        })
    };
    lines.map(sample).collect()
}

/// The rarity of each sample by each component.
fn rarities(series: &[Sample], row: &Row, days: i64) -> Vec<[Option<f64>; COUNT]> {
    let step = Duration::from_secs(row.interval_s);
    let season = Season::utc();
    let keep = keep_for_half_life(HALF_LIFE_DAYS * samples_a_day(row.interval_s));
    let (mut components, mut featuriser) = (Components::default(), Featuriser::default());
    let mut calibrators: [TailCalibrator; COUNT] = Default::default();
    let all: Vec<Option<[f64; 5]>> = {
        let mut featuriser = Featuriser::default();
        let row = |s: &Sample| featuriser.push(*s, step).map(|f| f.as_array());
        series.iter().map(row).collect()
    };
    let first = row.train_rows.min(series.len());
    let (mut fitted, mut forest) = fit(&series[..first], &all[..first], step);
    let mut trained_at = series.get(first).map_or(Timestamp::EPOCH, |s| s.time);
    let mut judge = |(index, sample): (usize, &Sample)| {
        let is_old = sample.time.since(trained_at).as_secs() >= DAY_SECONDS.unsigned_abs();
        if days > 0 && index > first && is_old {
            let window = Duration::from_secs((days * DAY_SECONDS).unsigned_abs());
            let from = series.partition_point(|s| s.time < sample.time - window);
            let from = from.min(index.saturating_sub(600));
            (fitted, forest) = fit(&series[from..index], &all[from..index], step);
            trained_at = sample.time;
        }
        let how = How {
            season: &season,
            step,
            direction: Direction::Both,
            masked: false,
        };
        let mut ln = [None; COUNT];
        let statistics = components.step(*sample, &fitted, how).as_array();
        for (ln, statistic) in ln.iter_mut().zip(statistics) {
            *ln = statistic.map(ln_of);
        }
        let features = featuriser.push(*sample, step);
        ln[COUNT - 1] = features
            .zip(forest.as_ref())
            .map(|(features, forest)| 20.0 * (forest.score(&features.as_array()) - 0.5));
        std::array::from_fn(|i| calibrators[i].observe(ln[i]?, keep))
    };
    series.iter().enumerate().map(&mut judge).collect()
}

fn fit(samples: &[Sample], rows: &[Option<[f64; 5]>], step: Duration) -> (Fitted, Option<Forest>) {
    let rows: Vec<f64> = rows.iter().flatten().flatten().copied().collect();
    let forest = Forest::fit(&rows, FEATURE_NAMES.len(), &Parameters::default()).ok();
    (Fitted::fit(samples, |_| true, step), forest)
}

/// The mean of the named components' rarities, calibrated again, and the decision on it.
fn judged(
    series: &[Sample],
    rarities: &[[Option<f64>; COUNT]],
    list: &str,
    interval_s: u64,
) -> String {
    let choice = Choice::of(list);
    let a_day = samples_a_day(interval_s);
    let keep = keep_for_half_life(HALF_LIFE_DAYS * a_day);
    let rarity = |share: f64| -libm::log10(share);
    let persistent = rarity((10.0 / a_day).min(0.02));
    let single = rarity((choice.single_a_day / a_day).min(0.005));
    let mut combined = TailCalibrator::default();
    let mut hits = [false; 6];
    let mut text = String::from("timestamp,score,is_anomaly\n");
    for (sample, rarities) in series.iter().zip(rarities) {
        let mean = choice.mean(rarities);
        let score = mean.map(|mean| combined.observe(mean, keep));
        let score = score.flatten().unwrap_or(0.0);
        hits.rotate_left(1);
        hits[5] = score >= persistent;
        let is_persistent = hits[5] && hits.iter().filter(|hit| **hit).count() >= 4;
        let is_anomaly = u8::from(is_persistent || score >= single);
        let seconds = sample.time.as_millis() / 1_000;
        let _ = writeln!(text, "{seconds},{score:.5},{is_anomaly}");
    }
    text
}

/// How rarities become one.
struct Choice {
    weights: [f64; COUNT],
    power: f64,
    single_a_day: f64,
}

impl Choice {
    fn of(list: &str) -> Choice {
        let mut choice = Choice {
            weights: [0.0; COUNT],
            power: 1.0,
            single_a_day: 1.0,
        };
        for entry in list.split(',') {
            let (name, amount) = entry.split_once('*').unwrap_or((entry, "1"));
            let amount = amount.parse().unwrap_or(1.0);
            match name {
                "rms" => choice.power = 2.0,
                "single" => choice.single_a_day = amount,
                _ => NAMES
                    .iter()
                    .position(|known| *known == name)
                    .into_iter()
                    .for_each(|place| choice.weights[place] = amount),
            }
        }
        choice
    }

    /// The weighted mean of those that speak; none if none does.
    fn mean(&self, rarities: &[Option<f64>; COUNT]) -> Option<f64> {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (rarity, weight) in rarities.iter().zip(self.weights) {
            if let Some(rarity) = rarity {
                sum += weight * libm::pow(*rarity, self.power);
                weights += weight;
            }
        }
        (weights > 0.0).then(|| libm::pow(sum / weights, 1.0 / self.power))
    }
}

fn samples_a_day(interval_s: u64) -> f64 {
    DAY_SECONDS as f64 / interval_s as f64
}
