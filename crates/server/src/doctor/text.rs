//! The report for people: worst first, what can be mended alike said once.

use std::fmt::{self, Write};

use domain::ServiceId;

use super::observed::{Observed, Origin, Reading, ServiceSeen};
use super::report::{Cure, Finding, Level, Report};
use crate::config::{Config, Span};
use sources::prometheus::TargetHealth;

/// Findings of one kind beyond these are only counted.
const SHOWN: usize = 20;
const NAME_CHARS: usize = 40;

/// The whole report as text.
pub(super) struct Page<'a> {
    pub observed: &'a Observed,
    pub report: &'a Report,
    pub config: &'a Config,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f)?;
        for group in groups(&self.report.findings) {
            writeln!(f)?;
            write_group(f, &group)?;
        }
        self.services(f)
    }
}

impl Page<'_> {
    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.observed.origin {
            Origin::Prometheus {
                address,
                version,
                application,
            } => {
                let name = application.as_deref().unwrap_or("Prometheus");
                let version = version
                    .as_deref()
                    .map(|v| format!(" {v}"))
                    .unwrap_or_default();
                writeln!(f, "{name}{version} at {address}, as of {}", self.report.at)?;
            }
            Origin::Pages { file } => {
                writeln!(f, "The targets of {file}, as of {}", self.report.at)?;
            }
        }
        let targets = &self.observed.targets;
        let down = targets
            .iter()
            .filter(|t| t.target.health == TargetHealth::Down)
            .count();
        let counts = self.report.counts();
        let count = |level| match counts.get(&level).copied().unwrap_or(0) {
            1 => format!("1 {}", level.as_str()),
            n => format!("{n} {}s", level.as_str()),
        };
        let [problems, warnings, notes] = Level::ALL.map(count);
        writeln!(
            f,
            "services: {}, targets: {} ({down} down); {problems}, {warnings}, {notes}",
            self.observed.services.len(),
            targets.len()
        )
    }

    fn services(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.observed.services.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nSERVICES")?;
        for (id, seen) in &self.observed.services {
            writeln!(f, "  {}", self.service(id, seen))?;
            let mut line = String::from("   ");
            for spec in self.config.metrics.iter() {
                if let Some(reading) = seen.readings.get(&spec.id) {
                    write!(line, " {} {};", spec.id, shown(reading, &spec.unit))?;
                }
            }
            writeln!(f, "{}", line.trim_end_matches(';'))?;
        }
        Ok(())
    }

    fn service(&self, id: &ServiceId, seen: &ServiceSeen) -> String {
        let name = sources::excerpt(id.as_str(), NAME_CHARS);
        let every = seen
            .interval()
            .map(|interval| format!(", every {}", Span(interval)));
        let by: Vec<&str> = seen.named_by.iter().map(String::as_str).collect();
        let by = match by.len() {
            0 => String::new(),
            _ => format!(", named by {}", by.join(" and ")),
        };
        let instances = match seen.instances() {
            1 => "1 instance".to_owned(),
            n => format!("{n} instances"),
        };
        format!("{name}: {instances}{}{by}", every.unwrap_or_default())
    }
}

fn shown(reading: &Reading, unit: &str) -> String {
    match reading {
        Reading::Value(value) => format!("{value:.1} {unit}"),
        Reading::Proxy(value) => format!("{value:.1} {unit} (proxy)"),
        Reading::Idle => "idle".into(),
        Reading::Odd(value) => format!("odd ({value})"),
        Reading::Missing => "missing".into(),
        Reading::NotAsked(_) => "not asked".into(),
    }
}

/// Findings of one kind and metric that the same cures mend.
fn groups(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let alike = |group: &Vec<&Finding>| {
            let first = group[0];
            (first.level, first.kind, &first.metric, &first.cures)
                == (finding.level, finding.kind, &finding.metric, &finding.cures)
        };
        match groups.iter_mut().find(|group| alike(group)) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

fn write_group(f: &mut fmt::Formatter<'_>, group: &[&Finding]) -> fmt::Result {
    let first = group[0];
    writeln!(
        f,
        "{} {}",
        first.level.as_str().to_uppercase(),
        first.kind.as_str()
    )?;
    for finding in group.iter().take(SHOWN) {
        match &finding.service {
            Some(id) => {
                writeln!(
                    f,
                    "  {}: {}",
                    sources::excerpt(id.as_str(), NAME_CHARS),
                    finding.what
                )?;
            }
            None => writeln!(f, "  {}", finding.what)?,
        }
        for line in &finding.evidence {
            writeln!(f, "    {line}")?;
        }
    }
    if group.len() > SHOWN {
        writeln!(f, "  and {} more, which --json lists", group.len() - SHOWN)?;
    }
    writeln!(f, "  why: {}", first.kind.why())?;
    for cure in &first.cures {
        write_cure(f, cure)?;
    }
    Ok(())
}

fn write_cure(f: &mut fmt::Formatter<'_>, cure: &Cure) -> fmt::Result {
    match &cure.snippet {
        None => writeln!(f, "  do: {}", cure.text),
        Some(snippet) => {
            writeln!(f, "  do: {} ({}):", cure.text, snippet.file)?;
            for line in snippet.text.lines() {
                writeln!(f, "      {line}")?;
            }
            Ok(())
        }
    }
}
