//! What training must know of an incident: when it was, and which series it touched.

use crate::{Incident, IncidentId, MetricId, ServiceId, Timestamp};

/// A stretch of trouble, for masks of training data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    pub incident: IncidentId,
    pub service: ServiceId,
    pub onset: Timestamp,
    pub last_seen: Timestamp,
    /// None while it fires.
    pub ended: Option<Timestamp>,
    pub members: Vec<EpisodeMember>,
}

/// One metric's part of an episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpisodeMember {
    pub metric: MetricId,
    pub onset: Timestamp,
    pub first_crossing: Timestamp,
    pub last_firing: Timestamp,
}

impl From<&Incident> for Episode {
    fn from(incident: &Incident) -> Episode {
        let members = incident.members.iter().map(|member| EpisodeMember {
            metric: member.metric.clone(),
            onset: member.onset,
            first_crossing: member.first_crossing,
            last_firing: member.last_firing,
        });
        Episode {
            incident: incident.id,
            service: incident.service.clone(),
            onset: incident.onset,
            last_seen: incident.last_seen,
            ended: incident.ended,
            members: members.collect(),
        }
    }
}
