//! Data directories as older programs wrote them, kept under `samples/`, are opened and migrated;
//! newer ones are refused and left alone. `examples/stored_sample.rs` writes the next one.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::path::{Path, PathBuf};

use domain::{IncidentId, MetricId, Part, SeriesId, ServiceId, Status, Timestamp};
use store::{
    DataDir, Database, Datasets, EngineState, IncidentFilter, Models, OpenError, Paths, RunAt,
};

const NOW: Timestamp = Timestamp::from_millis(1_795_400_000_000);

/// A copy of a sample, to be opened.
fn sample(name: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("data");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    copy(&from.join(name), &to);
    (dir, to)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &there),
            false => {
                fs::copy(entry.path(), there).unwrap();
            }
        }
    }
}

fn series() -> SeriesId {
    SeriesId::new(
        ServiceId::new("prod/pay").unwrap(),
        MetricId::new("cpu").unwrap(),
    )
}

async fn found_by(database: &Database, text: &str) -> Vec<u64> {
    let filter = IncidentFilter {
        text: Some(text.to_owned()),
        ..IncidentFilter::default()
    };
    let page = database.incidents(&filter).await.unwrap();
    page.incidents.iter().map(|found| found.id.0).collect()
}

/// What holds of each sample, whatever its version.
async fn opens_whole(name: &str, damaged: Option<&str>) -> (tempfile::TempDir, Database) {
    let (dir, root) = sample(name);
    let data_dir = DataDir::open(&root, NOW).unwrap();
    let paths = data_dir.paths().clone();

    let opened = Datasets::open(paths.clone()).unwrap();
    assert_eq!(opened.repairs, []);
    assert_eq!(opened.datasets.list().unwrap(), [series()]);
    let dataset = opened.datasets.read(&series(), Timestamp::EPOCH).unwrap();
    assert_eq!((dataset.rows.len(), dataset.skipped_total), (20, 0));
    let parts = dataset.rows.iter().map(|(_, part)| *part);
    let anomalies = parts.filter(|part| *part == Part::Anomaly).count();
    assert_eq!(anomalies, 5);
    assert_eq!(dataset.rows[19].0.value, 70.1 + 19.0 / 3.0);

    let models = Models::new(paths.clone());
    let stored = (models.load(&series()), models.load_state(&series()));
    assert_eq!(stored.0.unwrap().as_deref(), Some(&b"a model"[..]));
    assert_eq!(stored.1.unwrap().as_deref(), Some(&b"a state"[..]));

    let opened = Database::open(&paths).await.unwrap();
    assert_eq!(opened.quarantined, None);
    let rows = opened.damage.map(|damage| damage.rows);
    assert_eq!(rows, damaged.map(|row| vec![row.to_owned()]));
    let incident = opened.database.incident(IncidentId(12)).await.unwrap();
    let incident = incident.unwrap();
    assert_eq!(incident.members[0].worst, 96.500_000_000_000_01);
    assert_eq!(incident.status, Status::Resolved);
    assert_eq!(incident.timeline.len(), 1);
    // Found by words, which no older version knew.
    assert!(found_by(&opened.database, "PAY rolled").await.contains(&12));
    (dir, opened.database)
}

/// The copy that a migration leaves for going back.
fn version_of_copy(dir: &tempfile::TempDir, version: u32) -> u32 {
    let name = format!("data/bellwether.db.version-{version}");
    let bytes = fs::read(dir.path().join(name)).unwrap();
    // `user_version` in the header of SQLite's file format.
    u32::from_be_bytes(bytes[60..64].try_into().unwrap())
}

#[tokio::test]
async fn a_data_directory_with_a_database_of_version_1_is_migrated_after_a_copy() {
    let (dir, _database) = opens_whole("database-1", Some("incidents row 13")).await;
    assert_eq!(version_of_copy(&dir, 1), 1);
}

#[tokio::test]
async fn a_data_directory_with_a_database_of_version_2_is_migrated_after_a_copy() {
    let (dir, database) = opens_whole("database-2", None).await;
    assert_eq!(version_of_copy(&dir, 2), 2);
    let text = "no connection within";
    assert_eq!(found_by(&database, text).await, [13, 12]);
    let incident = database.incident(IncidentId(13)).await.unwrap().unwrap();
    assert_eq!(incident.evidence.failed, ["uri of lat: timed out"]);
    assert_eq!(incident.logs.as_ref().unwrap().lines.len(), 1);
    let state = database.engine_state(EngineState::ENGINE).await.unwrap();
    let state = state.unwrap();
    assert_eq!((state.version, state.bytes), (3, vec![0, 255, 7]));
    assert_eq!(database.engine_state("pager").await.unwrap(), None);
    let at = incident.opened + std::time::Duration::from_secs(60);
    let decision = database.decision_at(&series(), at).await.unwrap();
    assert_eq!(decision.unwrap().record.from, at);
    let run = database.run_at(at).await.unwrap();
    assert!(matches!(run, RunAt::Within(_)), "{run:?}");
    let events = database.recent_events(Timestamp::EPOCH).await.unwrap();
    assert_eq!(events[0].version.as_deref(), Some("1.2.3"));
    assert_eq!(database.jobs(9).await.unwrap()[0].id, "train-1");
    let meta = database.meta("schema").await.unwrap();
    assert_eq!(meta.as_deref(), Some("as it was"));
}

#[tokio::test]
async fn a_migrated_database_opens_again_without_another_copy() {
    let (dir, database) = opens_whole("database-2", None).await;
    database.close().await;
    let copy = dir.path().join("data/bellwether.db.version-2");
    fs::remove_file(&copy).unwrap();
    let paths = Paths::new(dir.path().join("data"));
    let opened = Database::open(&paths).await.unwrap();
    assert_eq!((opened.damage, copy.exists()), (None, false));
}

#[tokio::test]
async fn what_a_newer_program_wrote_is_refused_and_left_alone() {
    let (_dir, root) = sample("database-2");
    let database = root.join("bellwether.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&database, &bytes).unwrap();
    let error = Database::open(&Paths::new(&root)).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("its version is 99"), "{said}");
    assert!(said.contains("use a newer Bellwether"), "{said}");
    assert_eq!(fs::read(&database).unwrap(), bytes);

    fs::write(root.join("VERSION"), "2\n").unwrap();
    let error = DataDir::open(&root, NOW).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 2, .. }));
    let said = error.to_string();
    assert!(said.contains("layout version is 2"), "{said}");
    assert!(said.contains("use a newer Bellwether"), "{said}");
}
