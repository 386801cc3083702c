//! The data directory, opened: datasets, models and the database, shared by the tick, training and
//! the API. Files are written by one at a time, behind a lock that is never held across an await.

use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::Timestamp;
use store::{DataDir, Database, Datasets, Models};

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
