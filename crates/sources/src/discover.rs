//! The fleet: which services there are, whether they answer, how often they are scraped.

mod memory;
mod sighting;
mod spacing;

pub(crate) use memory::{Fleet, Known, SeriesMemory};
pub(crate) use sighting::{Places, Process, Sighting, Sightings};
pub(crate) use spacing::{Spacings, spacings};

use crate::identity::Identity;

/// The label in which a process says its version.
const VERSION_LABEL: &str = "version";

/// The three questions about the whole fleet.
#[derive(Clone, Debug)]
pub(crate) struct FleetQueries {
    /// When each instance was last scraped; as a range query also how often.
    pub scraped: String,
    /// When each process started, and as which version.
    pub started: String,
    /// When each target was last scraped, negative where it didn't answer.
    pub up: String,
}

impl FleetQueries {
    pub(crate) fn new(identity: &Identity) -> FleetQueries {
        let by = identity.labels_with(&["job", "instance"]);
        let with_version = identity.labels_with(&["job", "instance", VERSION_LABEL]);
        FleetQueries {
            scraped: format!("max by ({by}) (timestamp(process_start_time_seconds))"),
            started: format!("max by ({with_version}) (process_start_time_seconds)"),
            up: format!("max by ({by}) (timestamp(up) * (2 * up - 1))"),
        }
    }
}
