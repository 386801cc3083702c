//! Datasets, models and incidents on disk: every path in one file, atomic writes, retention.
//!
//! [`DataDir`] locks the directory and says where everything lies ([`Paths`]); [`Datasets`],
//! [`Models`] and [`Database`] each keep one kind of thing in it. Whatever is damaged is set aside
//! under `quarantine/` and said; nothing from outside is ever deleted for being odd. Times are
//! passed in. All but the database is synchronous.

mod backup;
mod data_dir;
mod database;
mod datasets;
mod models;
mod usage;

mod atomic;
mod escape;
mod paths;
mod quarantine;

pub use atomic::WriteError;
pub use backup::{Backup, BackupError, BackupProgress, backup};
pub use data_dir::{DataDir, LAYOUT_VERSION, OpenError};
pub use database::{
    Added, AuditEntry, AuditFilter, AuditPage, Batch, Cursor, CursorError, Damage, Database,
    DatabaseError, Decision, DecisionFilter, DecisionPage, EngineState, Evaluated, EventFilter,
    EventPage, IncidentFilter, IncidentPage, Job, JobState, LedgerRecord, Mute, MuteFilter,
    MutePage, NewAudit, NewMute, NewNotice, Notice, NoticeFilter, NoticePage, NoticeState,
    OpenedDatabase, OwnerFilter, PAGE_MAX, PENDING_MAX, RECENT_EVENTS_MAX, ReceiverState, Run,
    RunAt, SEARCH_WORDS_MAX, Session, Sort, SortBy, TickCommit,
};
pub use datasets::{
    Appended, BadRow, COLUMNS, Dataset, DatasetError, Datasets, Fix, OpenedDatasets, PartSummary,
    Pruned, Repair, Rows, SkippedLine, csv_header, write_csv,
};
pub use models::{ModelError, Models};
pub use paths::Paths;
pub use usage::Usage;
