//! The data directory, opened: datasets, models and the database, shared by the tick, training and
//! the API. Files are written by one at a time, behind a lock that is never held across an await.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use domain::{SeriesId, Timestamp};
use incident::masked_from;
use store::{DataDir, Database, Datasets, Episode, Models};

/// Everything that is kept on disk.
pub struct Storage {
    datasets: RwLock<Datasets>,
    pub models: Models,
    pub database: Database,
    /// Holds the lock of the directory.
    pub data_dir: DataDir,
    /// What had to be put right when it was opened.
    pub remarks: Vec<String>,
}

impl Storage {
    /// # Errors
    /// A directory that can't be used, with the reason and what to do.
    pub async fn open(path: &Path, now: Timestamp) -> anyhow::Result<Storage> {
        let data_dir = DataDir::open(path, now)?;
        let paths = data_dir.paths().clone();
        let opened = Datasets::open(paths.clone())?;
        let database = Database::open(&paths).await?;
        let mut remarks: Vec<String> = opened.repairs.iter().map(ToString::to_string).collect();
        remarks.extend(database.quarantined.iter().map(|path| {
            format!(
                "the database was damaged and is set aside in {}; incidents begin anew",
                path.display()
            )
        }));
        remarks.extend(database.damage.iter().map(|damage| {
            format!(
                "damaged rows were taken out of the database: {}; a copy lies in {}",
                damage.rows.join(", "),
                damage.copy.display()
            )
        }));
        Ok(Storage {
            datasets: RwLock::new(opened.datasets),
            models: Models::new(paths),
            database: database.database,
            data_dir,
            remarks,
        })
    }

    pub fn datasets(&self) -> RwLockReadGuard<'_, Datasets> {
        self.datasets.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn datasets_mut(&self) -> RwLockWriteGuard<'_, Datasets> {
        self.datasets
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The intervals in which incidents mask the series of services, and which of them are anomalies.
#[derive(Clone, Debug, Default)]
pub struct Masks {
    episodes: Vec<Episode>,
    quiet_period: Duration,
}

/// How an episode touches a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// The series is a member: its rows lie in `anomaly/`.
    Member,
    /// Another metric of the service: its rows stay, and are masked from training.
    Bystander,
}

impl Masks {
    pub fn new(episodes: Vec<Episode>, quiet_period: Duration) -> Masks {
        Masks {
            episodes,
            quiet_period,
        }
    }

    /// Closed intervals of time in which the series is masked, with how.
    pub fn of(&self, series: &SeriesId, step: Duration) -> Vec<(Timestamp, Timestamp, Touch)> {
        self.episodes
            .iter()
            .filter(|episode| episode.service == series.service)
            .map(|episode| {
                let until = match episode.ended {
                    None => Timestamp::from_millis(i64::MAX),
                    Some(_) => episode.last_seen + self.quiet_period,
                };
                let member = episode.members.iter().find(|m| m.metric == series.metric);
                match member {
                    Some(m) => (
                        masked_from(m.onset, m.first_crossing, step),
                        until,
                        Touch::Member,
                    ),
                    None => (episode.onset, until, Touch::Bystander),
                }
            })
            .collect()
    }

    /// Moves that a crash may have left undone: all members of all episodes.
    pub fn moves(&self, tick: Duration) -> BTreeSet<(SeriesId, Timestamp, Timestamp)> {
        let members = self.episodes.iter().flat_map(|episode| {
            let member =
                |m: &store::EpisodeMember| SeriesId::new(episode.service.clone(), m.metric.clone());
            episode.members.iter().map(member)
        });
        let series: BTreeSet<SeriesId> = members.collect();
        let moves = |series: SeriesId| {
            let touched = self.of(&series, tick).into_iter();
            let member = touched.filter(|(_, _, touch)| *touch == Touch::Member);
            member
                .map(|(from, to, _)| (series.clone(), from, to))
                .collect::<Vec<_>>()
        };
        series.into_iter().flat_map(moves).collect()
    }
}
