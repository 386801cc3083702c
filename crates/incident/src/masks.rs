//! What of a series is masked from training: the stretches in which incidents touch it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Episode, EpisodeMember, SeriesId, Timestamp};

use crate::onset::masked_from;

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
                |m: &EpisodeMember| SeriesId::new(episode.service.clone(), m.metric.clone());
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
