//! What a backup promises, also while its original changes.

use std::fs;
use std::time::Duration;

use domain::{
    Band, Features, MetricId, Part, Prediction, Row, SeriesId, ServiceId, Severity, Timestamp,
};

use super::*;
use crate::{DataDir, Database, Datasets, EngineState, Models, TickCommit};

const NOW: Timestamp = Timestamp::from_millis(1_795_348_800_000);

fn series(number: u64) -> SeriesId {
    // One of them has a name that is hashed.
    let service = match number {
        0 => "x/".repeat(500),
        _ => format!("prod/pay-{number}"),
    };
    SeriesId::new(
        ServiceId::new(&service).unwrap(),
        MetricId::new("cpu").unwrap(),
    )
}

fn row(index: u64) -> Row {
    let value = index as f64 + 0.25;
    Row {
        timestamp: NOW + Duration::from_secs(15 * index),
        value,
        severity: Severity::Normal,
        prediction: Prediction::Normal,
        score: Some(value / 3.0),
        features: Some(Features {
            value,
            delta: 1.0,
            rolling_mean: value,
            rolling_std: 0.5,
            zscore: 0.1,
        }),
        band: Some(Band {
            expected: value,
            lower: value - 1.0,
            upper: value + 1.0,
        }),
    }
}

fn state(number: u64) -> TickCommit {
    TickCommit {
        engine_states: vec![EngineState {
            key: EngineState::ENGINE.to_owned(),
            version: 1,
            bytes: number.to_le_bytes().to_vec(),
        }],
        ..TickCommit::default()
    }
}

async fn state_of(database: &Database) -> u64 {
    let state = database.engine_state(EngineState::ENGINE).await.unwrap();
    u64::from_le_bytes(state.unwrap().bytes.try_into().unwrap())
}

/// A data directory with a bit of everything, and the datasets of it, opened.
async fn filled(root: &Path) -> (DataDir, Datasets, Database) {
    let data_dir = DataDir::open(root, NOW).unwrap();
    let paths = data_dir.paths().clone();
    let mut datasets = Datasets::open(paths.clone()).unwrap().datasets;
    let models = Models::new(paths.clone());
    for number in 0..3 {
        let rows = (0..50).map(|index| (series(number), Part::History, row(index)));
        assert_eq!(datasets.append(rows).rows, 50);
        models.save(&series(number), b"a model").unwrap();
        models.save_state(&series(number), b"a state").unwrap();
    }
    for (file, text) in [
        ("embedded/VERSION", "1\n"),
        ("embedded/0-1.block", "samples"),
        ("embedded/9-2.log", "newest"),
        ("embedded/9-3.block.new", "half"),
        ("log-index/one", "made anew"),
        ("quarantine/0001/why.txt", "damaged"),
        ("bellwether.db.version-1", "older"),
        ("models/prod%2Fpay-1/cpu.model.1-2.tmp", "half"),
    ] {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let database = Database::open(&paths).await.unwrap().database;
    database.commit_tick(state(7)).await.unwrap();
    (data_dir, datasets, database)
}

async fn silently(from: &Path, to: &Path) -> Result<Backup, BackupError> {
    backup(from, to, &mut |_| {}).await
}

fn rows_of(root: &Path, series: &SeriesId) -> Vec<u64> {
    let opened = Datasets::open(Paths::new(root)).unwrap();
    let dataset = opened.datasets.read(series, Timestamp::EPOCH).unwrap();
    assert_eq!(dataset.skipped_total, 0);
    let index = |(found, _): &(Row, Part)| {
        let index = found.timestamp.since(NOW).as_secs() / 15;
        assert_eq!(*found, row(index));
        index
    };
    dataset.rows.iter().map(index).collect()
}

#[tokio::test]
async fn a_copy_is_used_as_the_original_was() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("data"), dir.path().join("kept/one"));
    // All are open, as in a server.
    let (_data_dir, _datasets, _database) = filled(&from).await;
    let mut seen = Vec::new();
    let done = backup(&from, &to, &mut |progress| seen.push(progress)).await;
    let done = done.unwrap();
    assert!(seen.is_sorted_by_key(|seen: &BackupProgress| seen.bytes));
    let last = seen.last().unwrap();
    assert_eq!(last.bytes, done.bytes);
    assert!(last.bytes_expected >= done.bytes - done.database.unwrap());
    // Three datasets and three pairs of models, each with a name; three files of samples.
    assert_eq!((done.datasets, done.models, done.samples), (4, 7, 3));
    assert!(done.database > Some(0));
    for left_out in ["LOCK", "log-index", "quarantine", "bellwether.db.version-1"] {
        assert!(!to.join(left_out).exists(), "{left_out}");
    }
    assert!(!dir.path().join("kept/one.partial").exists());
    assert!(!to.join("embedded/9-3.block.new").exists());
    assert_eq!(fs::read(to.join("embedded/9-2.log")).unwrap(), b"newest");

    let data_dir = DataDir::open(&to, NOW).unwrap();
    assert_eq!(data_dir.swept(), 0);
    let opened = Datasets::open(data_dir.paths().clone()).unwrap();
    assert_eq!(opened.repairs, []);
    for number in 0..3 {
        assert!(rows_of(&to, &series(number)).into_iter().eq(0..50));
        let models = Models::new(data_dir.paths().clone());
        let model = models.load(&series(number)).unwrap();
        assert_eq!(model.as_deref(), Some(&b"a model"[..]));
    }
    let opened = Database::open(data_dir.paths()).await.unwrap();
    assert_eq!((opened.quarantined, opened.damage), (None, None));
    assert_eq!(state_of(&opened.database).await, 7);
}

/// After each file that is copied rows come, and go from one file to the other.
#[tokio::test]
async fn no_row_is_missed_or_mixed_while_rows_come_and_move() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("data");
    let (_data_dir, mut datasets, database) = filled(&from).await;
    let mut next = 50;
    for number in 0..6_u64 {
        let to = dir.path().join(format!("copy-{number}"));
        let before = next;
        // Then it is calm, as it is between two ticks.
        let mut busy = 9;
        database.commit_tick(state(number)).await.unwrap();
        let mut meanwhile = |_| {
            if busy == 0 {
                return;
            }
            busy -= 1;
            let rows = (1..3).map(|number| (series(number), Part::History, row(next)));
            assert_eq!(datasets.append(rows).rows, 2);
            if next % 3 == number % 3 {
                let (first, last) = (row(next - 2).timestamp, row(next).timestamp);
                let moved = datasets.move_rows(&series(1), first, last).unwrap();
                assert!(moved > 0);
            }
            next += 1;
        };
        backup(&from, &to, &mut meanwhile).await.unwrap();
        assert!(next >= before + 9);
        let copy = Database::open(&Paths::new(&to)).await.unwrap().database;
        assert_eq!(state_of(&copy).await, number);
        for number in 1..3 {
            let rows = rows_of(&to, &series(number));
            let last = rows.last().map_or(0, |last| last + 1);
            assert!(last >= before, "{last} of {before}");
            assert!(rows.into_iter().eq(0..last), "copy {number}");
        }
    }
}

/// A series that never rests is copied all the same; rows that were there before are all in it.
#[tokio::test]
async fn a_series_that_never_rests_is_copied_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("data"), dir.path().join("copy"));
    let (_data_dir, mut datasets, _database) = filled(&from).await;
    let mut next = 50;
    let mut meanwhile = |_| {
        let rows = (0..3).map(|number| (series(number), Part::History, row(next)));
        assert_eq!(datasets.append(rows).rows, 3);
        let at = row(next).timestamp;
        datasets.move_rows(&series(1), at, at).unwrap();
        next += 1;
    };
    backup(&from, &to, &mut meanwhile).await.unwrap();
    for number in 0..3 {
        let rows = rows_of(&to, &series(number));
        assert!(rows.iter().take(50).copied().eq(0..50));
    }
}

#[tokio::test]
async fn an_unfinished_last_line_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("data"), dir.path().join("copy"));
    let (data_dir, _datasets, _database) = filled(&from).await;
    let path = data_dir.paths().dataset(&series(1), Part::History);
    let whole = fs::read(&path).unwrap();
    for torn in ["2026-11-22T12:99", &"9".repeat(9000)] {
        fs::write(&path, [&whole, torn.as_bytes()].concat()).unwrap();
        silently(&from, &to).await.unwrap();
        let copied = Paths::new(&to).dataset(&series(1), Part::History);
        assert!(fs::read(copied).unwrap() == whole);
        fs::remove_dir_all(&to).unwrap();
    }
}

#[tokio::test]
async fn what_can_not_be_backed_up_is_said_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("data");
    let check = async |from: &Path, to: PathBuf, said: &str| {
        let error = silently(from, &to).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        let mut partial = to.into_os_string();
        partial.push(".partial");
        assert!(!Path::new(&partial).exists(), "{said}");
    };
    let copy = || dir.path().join("copy");
    check(&from, copy(), "no data directory").await;
    fs::create_dir(&from).unwrap();
    check(&from, copy(), "no data directory").await;
    for (version, said) in [("2", "version is 2"), ("", "version is ,"), ("x", "is x,")] {
        fs::write(from.join("VERSION"), version).unwrap();
        check(&from, copy(), said).await;
    }
    fs::write(from.join("VERSION"), "1\n").unwrap();
    check(&from, from.join("copy"), "lies in").await;
    check(&from, from.clone(), "lies in").await;
    check(&from, from.join("../data/deep/copy"), "lies in").await;
    check(&from, dir.path().join(".."), "something is there").await;
    fs::write(copy(), "a file").unwrap();
    check(&from, copy(), "something is there").await;
    fs::remove_file(copy()).unwrap();
    fs::create_dir(copy()).unwrap();
    fs::write(copy().join("thesis.doc"), "…").unwrap();
    check(&from, copy(), "something is there").await;
    fs::write(from.join("bellwether.db"), "no database").unwrap();
    check(&from, dir.path().join("other"), "database").await;
    fs::remove_file(from.join("bellwether.db")).unwrap();

    fs::create_dir(dir.path().join("third.partial")).unwrap();
    let error = silently(&from, &dir.path().join("third")).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("third.partial is left of a backup"),
        "{error}"
    );
    // Only that was in the way; an empty folder isn't.
    fs::remove_dir(dir.path().join("third.partial")).unwrap();
    fs::create_dir(dir.path().join("third")).unwrap();
    let done = silently(&from, &dir.path().join("third")).await.unwrap();
    assert_eq!((done.files, done.database), (1, None));
}
