//! What a week came to, as JSON and as a table.

use std::fmt::{self, Write as _};

use domain::Timestamp;
use serde::Serialize;
use simulator::{Span, TruthMetric};

use crate::judge::{Figures, JudgedFault, Judgement, OpenedIncident};
use crate::script::Script;

/// The least and the most that a week may come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bars {
    /// Of all faults that affect something.
    pub found_share_min: f64,
    pub incidents_per_fault_max: f64,
    pub false_incidents_max: usize,
    pub onset_error_samples_max: f64,
}

impl Bars {
    /// What Bellwether promises.
    pub const PROMISED: Bars = Bars {
        found_share_min: 28.0 / 30.0,
        incidents_per_fault_max: 1.2,
        false_incidents_max: 2,
        onset_error_samples_max: 2.0,
    };

    /// The fewest faults that must be found.
    fn found_min(&self, faults: usize) -> usize {
        (self.found_share_min * faults as f64 - 1e-9).ceil() as usize
    }
}

/// The whole report; its fields are the JSON's.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub seed: u64,
    pub from: Timestamp,
    pub to: Timestamp,
    pub services: usize,
    pub faults: usize,
    pub faults_found: usize,
    pub affected_services: usize,
    pub incidents_per_fault: f64,
    pub false_incidents: usize,
    /// Early warnings that began on services that no fault touched then, over the whole fleet.
    pub false_warnings_per_day: f64,
    /// Null where nothing was found.
    pub onset_error_samples_median: Option<f64>,
    pub faults_without_effect: usize,
    /// Opened in all.
    pub incidents: usize,
    pub remarks: Vec<String>,
    pub script: Vec<ReportedFault>,
    pub false_incidents_list: Vec<ReportedIncident>,
    /// On services that were touched without being affected; they count for neither side.
    pub other_incidents_list: Vec<ReportedIncident>,
}

/// One fault of the script and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedFault {
    pub kind: &'static str,
    pub service: String,
    pub magnitude: f64,
    pub from: Timestamp,
    pub to: Timestamp,
    /// When it first touches its own service.
    pub onset: Option<Timestamp>,
    pub has_effect: bool,
    /// What goes furthest on its own service, without noise.
    pub peak: Option<String>,
    pub affected: Vec<ReportedAffected>,
    pub found_by: Option<u64>,
    pub found_after_samples: Option<f64>,
    pub onset_error_samples: Option<f64>,
}

/// One affected service of a fault.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedAffected {
    pub service: String,
    pub metrics: Vec<&'static str>,
    pub incidents: Vec<u64>,
}

/// One incident.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedIncident {
    pub id: u64,
    pub service: String,
    pub onset: Timestamp,
    pub opened: Timestamp,
    pub summary: String,
}

impl Report {
    pub fn new(
        script: &Script,
        judgement: &Judgement,
        incidents: usize,
        remarks: Vec<String>,
    ) -> Report {
        let Figures {
            faults,
            faults_found,
            affected_services,
            incidents_per_fault,
            false_incidents,
            false_warnings,
            onset_error_samples_median,
        } = judgement.figures;
        let days = script.calendar.judged_days as f64;
        Report {
            seed: script.seed,
            from: Timestamp::from_millis(script.calendar.from_ms),
            to: Timestamp::from_millis(script.calendar.until_ms()),
            services: script.topology.services().len(),
            faults,
            faults_found,
            affected_services,
            incidents_per_fault: rounded(incidents_per_fault),
            false_incidents,
            false_warnings_per_day: rounded(false_warnings as f64 / days),
            onset_error_samples_median: onset_error_samples_median.map(rounded),
            faults_without_effect: judgement.faults.len() - faults,
            incidents,
            remarks,
            script: judgement.faults.iter().map(reported_fault).collect(),
            false_incidents_list: judgement.false_incidents.iter().map(reported).collect(),
            other_incidents_list: judgement.other_incidents.iter().map(reported).collect(),
        }
    }

    /// Which bars are missed, in words.
    pub fn missed(&self, bars: &Bars) -> Vec<String> {
        let mut missed = Vec::new();
        let found_min = bars.found_min(self.faults);
        if self.faults_found < found_min {
            missed.push(format!(
                "{} of {} faults found, at least {found_min} wanted",
                self.faults_found, self.faults
            ));
        }
        if self.incidents_per_fault > bars.incidents_per_fault_max {
            missed.push(format!(
                "{} incidents per fault and affected service, at most {} wanted",
                self.incidents_per_fault, bars.incidents_per_fault_max
            ));
        }
        if self.false_incidents > bars.false_incidents_max {
            missed.push(format!(
                "{} false incidents, at most {} wanted",
                self.false_incidents, bars.false_incidents_max
            ));
        }
        if let Some(median) = self.onset_error_samples_median
            && median > bars.onset_error_samples_max
        {
            missed.push(format!(
                "a median onset error of {median} samples, at most {} wanted",
                bars.onset_error_samples_max
            ));
        }
        missed
    }
}

/// To three decimals, so that a reader isn't given digits that mean nothing.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn reported_fault(judged: &JudgedFault) -> ReportedFault {
    let truth = &judged.truth;
    let own = truth.services.get(&truth.fault.service);
    let found = judged.found.as_ref();
    ReportedFault {
        kind: truth.fault.kind.name(),
        service: truth.fault.service.clone(),
        magnitude: truth.fault.magnitude,
        from: Timestamp::from_millis(truth.fault.from_ms),
        to: Timestamp::from_millis(truth.fault.until_ms),
        onset: own.map(|own| Timestamp::from_millis(own.onset_ms)),
        has_effect: truth.has_effect(),
        peak: own.map(|own| peak_in_words(own.peak)),
        affected: judged
            .affected
            .iter()
            .map(|affected| ReportedAffected {
                service: affected.service.clone(),
                metrics: affected.metrics.iter().map(|metric| metric.id()).collect(),
                incidents: affected.incidents.clone(),
            })
            .collect(),
        found_by: found.map(|found| found.incident),
        found_after_samples: found.map(|found| rounded(found.after_samples)),
        onset_error_samples: found.map(|found| rounded(found.onset_error_samples)),
    }
}

fn peak_in_words((metric, value): (TruthMetric, f64)) -> String {
    match metric {
        TruthMetric::Up => "gone".into(),
        _ => format!("{metric} {value:.1}"),
    }
}

fn reported(incident: &OpenedIncident) -> ReportedIncident {
    ReportedIncident {
        id: incident.id,
        service: incident.service.clone(),
        onset: Timestamp::from_millis(incident.onset_ms),
        opened: Timestamp::from_millis(incident.opened_ms),
        summary: incident.summary.clone(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_script(f)?;
        let lists = [
            (
                "false incidents, on services that no fault touched",
                &self.false_incidents_list,
            ),
            (
                "incidents on services that were touched, not affected",
                &self.other_incidents_list,
            ),
        ];
        for (title, incidents) in lists {
            if !incidents.is_empty() {
                writeln!(f, "\n{title}:")?;
            }
            for incident in incidents {
                writeln!(
                    f,
                    "  #{} opened {}: {}",
                    incident.id, incident.opened, incident.summary
                )?;
            }
        }
        for remark in &self.remarks {
            writeln!(f, "\n{remark}")?;
        }
        self.write_figures(f)
    }
}

impl Report {
    fn write_script(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}, {} services, {} to {}\n\n{:<16} {:<18} {:>5}  {:<11} {:>8}  {:<22} {:<29} affected services",
            self.seed,
            self.services,
            self.from,
            self.to,
            "fault",
            "service",
            "mag.",
            "at",
            "for",
            "without noise",
            "found"
        )?;
        for fault in &self.script {
            writeln!(
                f,
                "{:<16} {:<18} {:>5.2}  {:<11} {:>8}  {:<22} {:<29} {}",
                fault.kind,
                fault.service,
                fault.magnitude,
                span(self.from, fault.from).to_string(),
                span(fault.from, fault.to).to_string(),
                fault.peak.as_deref().unwrap_or("untouched"),
                fault.found(),
                fault.affected_in_words()
            )?;
        }
        Ok(())
    }

    fn write_figures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bars = Bars::PROMISED;
        let median = self
            .onset_error_samples_median
            .map_or_else(|| "none".to_owned(), |median| format!("{median}"));
        writeln!(
            f,
            "\n{:<52} {:>6}  (at least {} of {}; {} without effect)",
            "faults found",
            self.faults_found,
            bars.found_min(self.faults),
            self.faults,
            self.faults_without_effect
        )?;
        writeln!(
            f,
            "{:<52} {:>6}  (at most {}; {} such pairs)",
            "incidents per fault and affected service",
            self.incidents_per_fault,
            bars.incidents_per_fault_max,
            self.affected_services
        )?;
        writeln!(
            f,
            "{:<52} {:>6}  (at most {}; {} in all)",
            "incidents on services never touched",
            self.false_incidents,
            bars.false_incidents_max,
            self.incidents
        )?;
        writeln!(
            f,
            "{:<52} {median:>6}  (at most {})",
            "median onset error, in samples", bars.onset_error_samples_max
        )?;
        writeln!(
            f,
            "{:<52} {:>6}",
            "early warnings a day on services not touched", self.false_warnings_per_day
        )
    }
}

fn span(from: Timestamp, to: Timestamp) -> Span {
    Span::from_millis(to.as_millis() - from.as_millis())
}

impl ReportedFault {
    fn found(&self) -> String {
        match (
            self.found_by,
            self.found_after_samples,
            self.onset_error_samples,
        ) {
            (Some(id), Some(after), Some(error)) => {
                format!("#{id} after {after:.1}, onset {error:+.1}")
            }
            _ if self.has_effect => "NOT FOUND".into(),
            _ => "no effect".into(),
        }
    }

    fn affected_in_words(&self) -> String {
        let mut text = String::new();
        for affected in &self.affected {
            let ids: Vec<String> = affected
                .incidents
                .iter()
                .map(|id| format!("#{id}"))
                .collect();
            let ids = if ids.is_empty() {
                "no incident".into()
            } else {
                ids.join(" ")
            };
            // Writing into a String cannot fail.
            let _ = write!(
                text,
                "{} ({}: {ids})  ",
                affected.service,
                affected.metrics.join(" ")
            );
        }
        text.trim_end().to_owned()
    }
}
