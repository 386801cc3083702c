//! Compares the incidents that were opened with the truth that was known before.

use std::collections::BTreeSet;

use domain::Incident;
use simulator::TruthMetric;

use crate::truth::{FaultTruth, ServiceTruth, Truth};

/// What is judged of an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedIncident {
    pub id: u64,
    pub service: String,
    pub opened_ms: i64,
    pub onset_ms: i64,
    pub summary: String,
}

impl From<&Incident> for OpenedIncident {
    fn from(incident: &Incident) -> OpenedIncident {
        OpenedIncident {
            id: incident.id.0,
            service: incident.service.as_str().to_owned(),
            opened_ms: incident.opened.as_millis(),
            onset_ms: incident.onset.as_millis(),
            summary: incident.summary.clone(),
        }
    }
}

/// The figures that have bars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Faults that affect something; the others count for neither side.
    pub faults: usize,
    pub faults_found: usize,
    /// Pairs of a fault and a service that it affects.
    pub affected_services: usize,
    /// Incidents for each of these pairs.
    pub incidents_per_fault: f64,
    /// Incidents on a service while no fault touched it.
    pub false_incidents: usize,
    /// Early warnings that began on a service while no fault touched it.
    pub false_warnings: usize,
    /// None where nothing was found.
    pub onset_error_samples_median: Option<f64>,
}

/// The incident by which a fault was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBy {
    pub incident: u64,
    /// From the onset to the opening, in samples.
    pub after_samples: f64,
    /// Positive where the estimate is late.
    pub onset_error_samples: f64,
}

/// A fault with what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedFault {
    pub truth: FaultTruth,
    pub affected: Vec<AffectedService>,
    pub found: Option<FoundBy>,
}

/// A service that a fault affects, and the incidents opened there meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct AffectedService {
    pub service: String,
    pub metrics: Vec<TruthMetric>,
    pub incidents: Vec<u64>,
}

/// All that was judged of a week.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    pub figures: Figures,
    pub faults: Vec<JudgedFault>,
    pub false_incidents: Vec<OpenedIncident>,
    /// On services that a fault touches without affecting them, or found after its end.
    pub other_incidents: Vec<OpenedIncident>,
}

/// Judges the incidents of a week, ordered by number, and the beginnings of its early warnings.
pub fn judge(
    truth: &Truth,
    incidents: &[OpenedIncident],
    warnings: &[(i64, &str)],
    quiet_ms: i64,
    step_ms: i64,
) -> Judgement {
    let faults: Vec<JudgedFault> = truth
        .faults
        .iter()
        .map(|fault| judge_fault(fault, incidents, quiet_ms, step_ms))
        .collect();
    let (false_incidents, rest): (Vec<_>, Vec<_>) = incidents
        .iter()
        .cloned()
        .partition(|i| !truth.is_touched(&i.service, i.opened_ms, quiet_ms));
    let pairs = || faults.iter().flat_map(|fault| &fault.affected);
    let counted: BTreeSet<u64> = pairs().flat_map(|pair| &pair.incidents).copied().collect();
    let is_false = |(at_ms, service): &&(i64, &str)| !truth.is_touched(service, *at_ms, quiet_ms);
    let false_warnings = warnings.iter().filter(is_false).count();
    Judgement {
        figures: figures(&faults, false_incidents.len(), false_warnings),
        other_incidents: rest
            .into_iter()
            .filter(|incident| !counted.contains(&incident.id))
            .collect(),
        false_incidents,
        faults,
    }
}

fn judge_fault(
    fault: &FaultTruth,
    incidents: &[OpenedIncident],
    quiet_ms: i64,
    step_ms: i64,
) -> JudgedFault {
    let during = |service: &str, truth: &ServiceTruth| -> Vec<&OpenedIncident> {
        let window = truth.onset_ms..=truth.until_ms + quiet_ms;
        incidents
            .iter()
            .filter(|i| i.service == service && window.contains(&i.opened_ms))
            .collect()
    };
    let affected = fault.affected().map(|(service, truth)| AffectedService {
        service: service.clone(),
        metrics: truth.affected.clone(),
        incidents: during(service, truth).iter().map(|i| i.id).collect(),
    });
    let own = fault.services.get_key_value(&fault.fault.service);
    let found = own
        .filter(|_| fault.has_effect())
        .and_then(|(service, truth)| {
            let first = during(service, truth).first().copied()?;
            let samples = |ms: i64| ms as f64 / step_ms as f64;
            Some(FoundBy {
                incident: first.id,
                after_samples: samples(first.opened_ms - truth.onset_ms),
                onset_error_samples: samples(first.onset_ms - truth.onset_ms),
            })
        });
    JudgedFault {
        affected: affected.collect(),
        found,
        truth: fault.clone(),
    }
}

fn figures(faults: &[JudgedFault], false_incidents: usize, false_warnings: usize) -> Figures {
    let pairs = || faults.iter().flat_map(|fault| &fault.affected);
    let affected_services = pairs().count();
    let incidents: usize = pairs().map(|pair| pair.incidents.len()).sum();
    let found = || faults.iter().filter_map(|fault| fault.found.as_ref());
    Figures {
        faults: faults.iter().filter(|f| f.truth.has_effect()).count(),
        faults_found: found().count(),
        affected_services,
        incidents_per_fault: incidents as f64 / affected_services.max(1) as f64,
        false_incidents,
        false_warnings,
        onset_error_samples_median: median(found().map(|f| f.onset_error_samples.abs()).collect()),
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use simulator::{FaultKind, ScheduledFault};

    use super::*;
    use crate::truth::Stretch;

    const MINUTE: i64 = 60_000;

    /// A fault on `orders` from minute 100 to 120 that touches these services; those marked are
    /// affected.
    fn truth(services: &[(&str, bool)]) -> Truth {
        let of = |affected: bool| ServiceTruth {
            onset_ms: 100 * MINUTE,
            until_ms: 120 * MINUTE,
            affected: if affected {
                vec![TruthMetric::Cpu]
            } else {
                vec![]
            },
            peak: (TruthMetric::Cpu, 90.0),
        };
        let fault = ScheduledFault {
            id: 1,
            service: "orders".into(),
            kind: FaultKind::CpuBurn,
            magnitude: 1.2,
            from_ms: 100 * MINUTE,
            until_ms: 120 * MINUTE,
            planned_until_ms: 120 * MINUTE,
        };
        let stretch = Stretch {
            from_ms: 100 * MINUTE,
            until_ms: 120 * MINUTE,
        };
        Truth {
            faults: vec![FaultTruth {
                fault,
                services: services
                    .iter()
                    .map(|(name, affected)| ((*name).to_owned(), of(*affected)))
                    .collect(),
            }],
            touched: services
                .iter()
                .map(|(name, _)| ((*name).to_owned(), vec![stretch]))
                .collect::<BTreeMap<_, _>>(),
        }
    }

    fn judged(truth: &Truth, incidents: &[(&str, i64, i64)]) -> Judgement {
        let incidents: Vec<OpenedIncident> = incidents
            .iter()
            .zip(1..)
            .map(|((service, opened, onset), id)| OpenedIncident {
                id,
                service: (*service).to_owned(),
                opened_ms: opened * MINUTE,
                onset_ms: onset * MINUTE,
                summary: String::new(),
            })
            .collect();
        judge(truth, &incidents, &[], 5 * MINUTE, MINUTE)
    }

    #[test]
    fn one_incident_in_time_finds_the_fault() {
        let judged = judged(&truth(&[("orders", true)]), &[("orders", 103, 101)]);
        let expected = Figures {
            faults: 1,
            faults_found: 1,
            affected_services: 1,
            incidents_per_fault: 1.0,
            false_incidents: 0,
            false_warnings: 0,
            onset_error_samples_median: Some(1.0),
        };
        assert_eq!(judged.figures, expected);
        assert_eq!(judged.faults[0].found.as_ref().unwrap().after_samples, 3.0);
    }

    #[test]
    fn a_fault_that_affects_nothing_counts_for_neither_side() {
        let judged = judged(&truth(&[("orders", false)]), &[("orders", 103, 101)]);
        assert_eq!((judged.figures.faults, judged.figures.faults_found), (0, 0));
        assert_eq!(judged.figures.affected_services, 0);
        assert_eq!(judged.figures.false_incidents, 0);
        assert_eq!(judged.other_incidents.len(), 1);
        assert_eq!(judged.figures.onset_error_samples_median, None);
    }

    #[test]
    fn two_incidents_on_one_service_count_two() {
        let incidents = [("orders", 103, 101), ("orders", 115, 114)];
        let judged = judged(&truth(&[("orders", true)]), &incidents);
        assert_eq!(judged.figures.incidents_per_fault, 2.0);
        assert_eq!(judged.figures.faults_found, 1);
        assert_eq!(judged.faults[0].found.as_ref().unwrap().incident, 1);
    }

    #[test]
    fn callers_that_are_affected_are_pairs_of_their_own() {
        let incidents = [("orders", 103, 101), ("gateway", 104, 101)];
        let judged = judged(&truth(&[("orders", true), ("gateway", true)]), &incidents);
        assert_eq!(judged.figures.affected_services, 2);
        assert_eq!(judged.figures.incidents_per_fault, 1.0);
    }

    #[test]
    fn an_incident_before_the_onset_finds_nothing_and_is_false() {
        let judged = judged(&truth(&[("orders", true)]), &[("orders", 99, 98)]);
        assert_eq!(judged.figures.faults_found, 0);
        assert_eq!(judged.figures.incidents_per_fault, 0.0);
        assert_eq!(judged.figures.false_incidents, 1);
    }

    #[test]
    fn it_may_be_found_until_a_quiet_period_after_its_end() {
        let truth = truth(&[("orders", true)]);
        assert_eq!(
            judged(&truth, &[("orders", 125, 110)]).figures.faults_found,
            1
        );
        let late = judged(&truth, &[("orders", 126, 110)]);
        assert_eq!(late.figures.faults_found, 0);
        assert_eq!(late.figures.false_incidents, 1);
    }

    #[test]
    fn an_incident_on_a_service_never_touched_is_false() {
        let judged = judged(&truth(&[("orders", true)]), &[("ledger", 103, 101)]);
        assert_eq!(judged.figures.false_incidents, 1);
        assert_eq!(judged.false_incidents[0].service, "ledger");
    }

    #[test]
    fn a_warning_is_false_where_no_fault_touches_the_service() {
        let warnings = [
            (103 * MINUTE, "orders"),
            (99 * MINUTE, "orders"),
            (103 * MINUTE, "ledger"),
        ];
        let truth = truth(&[("orders", true)]);
        let judged = judge(&truth, &[], &warnings, 5 * MINUTE, MINUTE);
        assert_eq!(judged.figures.false_warnings, 2);
    }

    #[test]
    fn an_incident_on_a_caller_does_not_find_the_fault() {
        let judged = judged(
            &truth(&[("orders", true), ("gateway", true)]),
            &[("gateway", 103, 101)],
        );
        assert_eq!(judged.figures.faults_found, 0);
    }

    #[test]
    fn the_median_of_two_lies_between_them() {
        assert_eq!(median(vec![3.0, 1.0]), Some(2.0));
        assert_eq!(median(vec![3.0, 1.0, 9.0]), Some(3.0));
    }
}
