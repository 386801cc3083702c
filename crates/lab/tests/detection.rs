//! The detector over a small data root: what is found, and that nothing but the values matters.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use lab::detection::{Kind, Progress, Selection, Walked, run};
use tempfile::TempDir;

const ROWS: usize = 2_880;
const HISTORY: usize = 1_440;
/// The first row of the spike, and how long it is.
const SPIKE: usize = 2_200;
const SPIKE_ROWS: usize = 12;
const EPOCH: i64 = 1_700_006_400;

struct Root(TempDir);

impl Root {
    /// A data root with these files beside `index.csv`; those that end in `.gz` are gzipped.
    fn new(index: &str, files: &[(&str, String)]) -> Root {
        let root = Root(tempfile::tempdir().unwrap());
        let heading = "kind,ds,name,file,group,interval_s,rows,train_rows\n";
        root.write("index.csv", &format!("{heading}{index}"));
        for (name, text) in files {
            root.write(name, text);
        }
        root
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = fs::File::create(path).unwrap();
        if name.ends_with(".gz") {
            let mut gzip = GzEncoder::new(file, Compression::fast());
            gzip.write_all(text.as_bytes()).unwrap();
            gzip.finish().unwrap();
        } else {
            file.write_all(text.as_bytes()).unwrap();
        }
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("answers/out")
    }

    fn run(&self) -> Walked {
        let progress = |_: Progress| {};
        run(self.0.path(), &self.out(), &Selection::default(), &progress).unwrap()
    }

    /// What is said to be wrong, with its causes.
    fn refused(&self) -> String {
        let error = run(
            self.0.path(),
            &self.out(),
            &Selection::default(),
            &|_: Progress| {},
        )
        .unwrap_err();
        assert!(!self.out().exists(), "nothing is written");
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text += &format!(": {cause}");
            source = cause.source();
        }
        text
    }

    /// The rows of an answer: timestamp, score, whether it is an anomaly.
    fn rows(&self, file: &str) -> Vec<(String, f64, bool)> {
        let text = fs::read_to_string(self.out().join(file)).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("timestamp,score,is_anomaly"));
        let row = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            let &[time, score, anomaly] = fields.as_slice() else {
                panic!("{line}")
            };
            (time.to_owned(), score.parse().unwrap(), anomaly == "1")
        };
        lines.map(row).collect()
    }

    fn incidents(&self) -> Vec<String> {
        let text = fs::read_to_string(self.out().join("incidents.csv")).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    /// Everything that was written, by path.
    fn answer(&self) -> BTreeMap<PathBuf, String> {
        fn walk(folder: &Path, into: &mut BTreeMap<PathBuf, String>, root: &Path) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, into, root);
                } else {
                    let text = fs::read_to_string(&path).unwrap();
                    into.insert(path.strip_prefix(root).unwrap().to_owned(), text);
                }
            }
        }
        let mut all = BTreeMap::new();
        walk(&self.out(), &mut all, &self.out());
        all
    }
}

/// Noise between −0.5 and 0.5, the same for the same number and row.
fn noise(number: u64, row: usize) -> f64 {
    let mut x = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 32);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 32;
    (x >> 11) as f64 / (1u64 << 53) as f64 - 0.5
}

fn is_spike(row: usize) -> bool {
    (SPIKE..SPIKE + SPIKE_ROWS).contains(&row)
}

/// Two days of minutes, the second with a spike of `height`.
fn value(number: u64, row: usize, height: f64) -> f64 {
    let day = (row as f64 / 1_440.0 * std::f64::consts::TAU).sin();
    let spike = if is_spike(row) { height } else { 0.0 };
    50.0 + 5.0 * day + 2.0 * noise(number, row) + spike
}

fn csv(heading: &str, row: impl Fn(usize) -> String) -> String {
    let line = |i: usize| format!("{},{}\n", EPOCH + 60 * i as i64, row(i));
    format!("{heading}\n{}", (0..ROWS).map(line).collect::<String>())
}

fn series(index_name: &str, file: &str) -> (String, String) {
    let index = format!("series,any,{index_name},{file},,60,{ROWS},{HISTORY}\n");
    let label = |i| u8::from(is_spike(i));
    let text = csv("timestamp,value,label", |i| {
        format!("{},{}", value(1, i, 40.0), label(i))
    });
    (index, text)
}

fn entity_text() -> String {
    csv("timestamp,a,b,c,d", |i| {
        let heights = [0.0, 30.0, 60.0, 0.0];
        let values = (0..4).map(|n| value(n as u64, i, heights[n]).to_string());
        values.collect::<Vec<_>>().join(",")
    })
}

#[test]
fn a_spike_is_found_and_every_row_has_its_score() {
    let (index, text) = series("web latency", "series/any/web.csv.gz");
    let root = Root::new(&index, &[("series/any/web.csv.gz", text)]);
    let walked = root.run();
    assert_eq!((walked.files, walked.series, walked.samples), (1, 1, ROWS));
    let rows = root.rows("series/any/web.csv");
    assert_eq!(rows.len(), ROWS);
    for (i, (time, score, is_anomaly)) in rows.iter().enumerate() {
        assert_eq!(*time, (EPOCH + 60 * i as i64).to_string());
        assert!((0.0..=8.0).contains(score), "{score}");
        if i < HISTORY {
            assert_eq!((*score, *is_anomaly), (0.0, false), "row {i} is history");
        }
    }
    let spike = &rows[SPIKE..SPIKE + SPIKE_ROWS];
    assert!(spike.iter().any(|(_, _, is_anomaly)| *is_anomaly));
    let incidents = root.incidents();
    let at_spike = incidents.iter().filter(|line| {
        let opened: i64 = line.split(',').nth(1).unwrap().parse().unwrap();
        is_spike(((opened - EPOCH) / 60) as usize)
    });
    assert_eq!(at_spike.count(), 1, "{incidents:?}");
    assert!(
        incidents
            .iter()
            .all(|line| line.starts_with("web latency,") && line.ends_with(",value,web latency")),
        "{incidents:?}"
    );
}

#[test]
fn an_entity_is_judged_as_a_whole_and_by_metric() {
    let index = format!("entity,any,host-1,e/host.csv,,60,{ROWS},{HISTORY}\n");
    let root = Root::new(&index, &[("e/host.csv", entity_text())]);
    assert_eq!(root.run().series, 4);
    for file in [
        "e/host.csv",
        "e/host/a.csv",
        "e/host/b.csv",
        "e/host/c.csv",
        "e/host/d.csv",
    ] {
        assert_eq!(root.rows(file).len(), ROWS, "{file}");
    }
    let whole = root.rows("e/host.csv");
    assert!(
        whole[SPIKE..SPIKE + SPIKE_ROWS]
            .iter()
            .any(|(_, _, is_anomaly)| *is_anomaly)
    );
    let incidents = root.incidents();
    let found = incidents.iter().any(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let opened: i64 = fields[1].parse().unwrap();
        is_spike(((opened - EPOCH) / 60) as usize)
            && fields[0] == "host-1"
            && ["b", "c"].contains(&fields[2])
            && fields[3] == "host-1"
    });
    assert!(found, "{incidents:?}");
}

#[test]
fn a_pod_is_named_with_its_system_and_is_the_suspect() {
    let index = format!(
        "pod,any,shop/pay-1,p/pay-1.csv,shop,60,{ROWS},{HISTORY}\n\
         pod,any,pay-2,p/pay-2.csv,shop,60,{ROWS},{HISTORY}\n"
    );
    let text = entity_text().replacen("timestamp,a,b,c,d", "timestamp,train,b,c,d", 1);
    let files = [("p/pay-1.csv", text.clone()), ("p/pay-2.csv", text)];
    let root = Root::new(&index, &files);
    assert_eq!(root.run().series, 6, "train is no metric");
    for pod in ["pay-1", "pay-2"] {
        let of_pod = |line: &String| {
            line.starts_with(&format!("shop/{pod},")) && line.ends_with(&format!(",{pod}"))
        };
        assert!(root.incidents().iter().any(of_pod), "{pod}");
    }
}

#[test]
fn names_and_labels_change_nothing() {
    let (index, text) = series("web", "series/web.csv");
    let first = Root::new(&index, &[("series/web.csv", text)]);
    first.run();
    let unlabelled = csv("timestamp,other", |i| value(1, i, 40.0).to_string());
    let index = format!("series,else,renamed,x/y.csv.gz,,60,{ROWS},{HISTORY}\n");
    let second = Root::new(&index, &[("x/y.csv.gz", unlabelled)]);
    second.run();
    assert_eq!(first.rows("series/web.csv"), second.rows("x/y.csv"));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (mut index, text) = series("web", "web.csv");
    index += &format!("entity,any,host,e/host.csv,,60,{ROWS},{HISTORY}\n");
    let files = [("web.csv", text), ("e/host.csv", entity_text())];
    let answer = |threads| {
        let root = Root::new(&index, &files);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| root.run());
        root.answer()
    };
    assert_eq!(answer(1), answer(3));
}

#[test]
fn an_earlier_answer_is_replaced_and_other_files_stay() {
    let (index, text) = series("web", "web.csv");
    let root = Root::new(&index, &[("web.csv", text)]);
    fs::create_dir_all(root.out()).unwrap();
    fs::write(root.out().join("web.csv"), "old").unwrap();
    fs::write(root.out().join("mine.txt"), "mine").unwrap();
    root.run();
    let files: Vec<PathBuf> = root.answer().into_keys().collect();
    assert_eq!(
        files,
        ["incidents.csv", "mine.txt", "web.csv"].map(PathBuf::from)
    );
    assert_eq!(root.rows("web.csv").len(), ROWS);
}

#[test]
fn missing_values_are_gaps_with_a_row() {
    let index = format!("series,any,web,web.csv,,60,{ROWS},{HISTORY}\n");
    let missing = |i: usize| (2_000..2_010).contains(&i);
    let text = csv("timestamp,value", |i| match i {
        2_000..2_004 => String::new(),
        2_004..2_007 => "NaN".into(),
        2_007..2_010 => "inf".into(),
        _ => value(1, i, 40.0).to_string(),
    });
    let root = Root::new(&index, &[("web.csv", text)]);
    assert_eq!(root.run().samples, ROWS - 10);
    let rows = root.rows("web.csv");
    assert_eq!(rows.len(), ROWS);
    for (i, (_, score, is_anomaly)) in rows.iter().enumerate() {
        if missing(i) {
            assert_eq!((*score, *is_anomaly), (0.0, false), "row {i}");
        }
    }
}

#[test]
fn a_history_too_short_for_a_model_is_silent_until_the_next_training() {
    let index = format!("series,any,web,web.csv,,60,{ROWS},50\n");
    let text = csv("timestamp,value", |i| value(1, i, 40.0).to_string());
    let root = Root::new(&index, &[("web.csv", text)]);
    root.run();
    let rows = root.rows("web.csv");
    assert!(rows[..50 + 1_440].iter().all(|(_, score, _)| *score == 0.0));
    assert!(rows[50 + 1_440..].iter().any(|(_, score, _)| *score > 0.0));
}

#[test]
fn bad_input_is_named() {
    let check = |index: &str, file: &str, text: &str, said: &[&str]| {
        let root = Root::new(index, &[(file, text.to_owned())]);
        let refused = root.refused();
        for said in said {
            assert!(refused.contains(said), "{refused}: {said}");
        }
    };
    let good = "timestamp,value\n0,1\n60,2\n";
    let index = "series,any,web,web.csv,,60,2,1\n";
    let number = "timestamp,value\n0,1\n60,two\n";
    check(
        index,
        "web.csv",
        number,
        &["web.csv", "line 3", "value", "two"],
    );
    let time = "timestamp,value\nyesterday,1\n";
    check(
        index,
        "web.csv",
        time,
        &["line 2", "timestamp", "yesterday"],
    );
    check(
        index,
        "web.csv",
        "time,value\n0,1\n",
        &["web.csv", "timestamp"],
    );
    check(index, "web.csv", "timestamp,label\n0,1\n", &["no metric"]);
    check(
        index,
        "web.csv",
        "timestamp,a,b\n0,1,1\n",
        &["2 metrics", "entity"],
    );
    check(index, "web.csv", "timestamp,value\n", &["no rows"]);
    check(
        index,
        "web.csv",
        "timestamp,a,a\n0,1,1\n",
        &["2 times", "a"],
    );
    check(
        index,
        "web.csv",
        "timestamp,value\n0,1,2\n",
        &["web.csv", "line: 2"],
    );
    check(index, "other.csv", good, &["web.csv", "No such file"]);
    check(index, "web.csv", "timestamp,../x\n0,1\n", &["../x"]);
    let of = |row: &str, said: &[&str]| check(row, "web.csv", good, said);
    of(
        "machine,any,web,web.csv,,60,2,1\n",
        &["index.csv", "line 2", "kind", "machine"],
    );
    of(
        "series,any,web,../web.csv,,60,2,1\n",
        &["line 2", "file", "../web.csv"],
    );
    of("series,any,web,web.csv,,0,2,1\n", &["interval_s", "\"0\""]);
    of("series,any,web,web.csv,,60,2,-1\n", &["train_rows", "-1"]);
    of("", &["index.csv", "no file"]);
    of(&index.repeat(2), &["web.csv", "twice"]);
}

#[test]
fn what_is_selected_is_walked() {
    let (mut index, text) = series("web", "web.csv");
    index += &format!("entity,more,host,e/host.csv,,60,{ROWS},{HISTORY}\n");
    let root = Root::new(&index, &[("web.csv", text)]);
    let select = |data_sets: &[&str], kind| Selection {
        data_sets: data_sets.iter().map(|name| (*name).to_owned()).collect(),
        kind,
    };
    let run = |selection: Selection| run(root.0.path(), &root.out(), &selection, &|_| {});
    // The file of the other one isn't there.
    assert_eq!(run(select(&["any"], None)).unwrap().files, 1);
    assert_eq!(run(select(&[], Some(Kind::Series))).unwrap().files, 1);
    let error = run(select(&["none"], None)).unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    let error = run(select(&["any"], Some(Kind::Entity))).unwrap_err();
    assert!(error.to_string().contains("index.csv"), "{error}");
}
