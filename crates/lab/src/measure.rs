//! From what the simulated fleet shows to what a look at the source brings.

use std::sync::Arc;

use domain::{
    Catalogue, Collection, Gap, Presence, Sample, SeriesId, SeriesObservation, ServiceId,
    ServiceObservation, SourceState, Timestamp,
};
use simulator::{Measured, Observation, TruthMetric};

use crate::settings::{Settings, metric_id};

/// What a healthy Prometheus answers about the fleet at an instant.
pub(crate) fn collection(
    observations: &[Observation],
    at: Timestamp,
    settings: &Settings,
) -> Collection {
    let mut services = Vec::with_capacity(observations.len());
    let mut series = Vec::new();
    for observation in observations {
        let id = ServiceId::new(&observation.service).expect("names of the topology are checked");
        services.push(service(observation, id.clone(), settings));
        let measured = observation.measured.iter();
        series.extend(measured.filter_map(|(metric, measured)| {
            one(&id, *metric, measured, at, &settings.engine.catalogue)
        }));
    }
    services.sort_by(|a, b| a.id.cmp(&b.id));
    series.sort_by(|a, b| a.series.cmp(&b.series));
    Collection {
        at,
        source: SourceState::Healthy,
        services,
        series,
        remarks: Vec::new(),
    }
}

fn service(observation: &Observation, id: ServiceId, settings: &Settings) -> ServiceObservation {
    let presence = if observation.instances > 0 {
        Presence::Up
    } else {
        Presence::Gone
    };
    ServiceObservation {
        id,
        presence,
        instances: u32::try_from(observation.instances).unwrap_or(u32::MAX),
        started: observation.started_ms.map(Timestamp::from_millis),
        version: observation.version.as_deref().map(Arc::from),
        step: settings.engine.tick,
    }
}

/// One series; None where the catalogue doesn't have its metric.
fn one(
    service: &ServiceId,
    metric: TruthMetric,
    measured: &Measured,
    at: Timestamp,
    catalogue: &Catalogue,
) -> Option<SeriesObservation> {
    let spec = catalogue.get(&metric_id(metric))?;
    let (outcome, instance) = match measured {
        Measured::Value { value, instance } => {
            (Sample::admit(at, *value, spec.valid), instance.as_deref())
        }
        Measured::Idle => (Err(Gap::Idle), None),
        Measured::Nothing => (Err(Gap::NoData), None),
    };
    Some(SeriesObservation {
        series: SeriesId::new(service.clone(), spec.id.clone()),
        instance: instance.filter(|_| outcome.is_ok()).map(Arc::from),
        outcome,
        proxy: false,
    })
}
