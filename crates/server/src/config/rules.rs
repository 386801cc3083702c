//! From raw rules that resolve incidents to checked ones.

use domain::Severity;
use incident::{AutoResolve, ResolveWhen};

use super::duration::Span;
use super::keys::{Range, key};
use super::problem::quoted;
use super::raw::RawAutoResolve;
use super::resolve::Resolver;

impl Resolver<'_> {
    /// Rules that resolve incidents: each has a name of its own and one time.
    pub(super) fn auto_resolve(&mut self, raw: Vec<RawAutoResolve>) -> Vec<AutoResolve> {
        let mut rules: Vec<AutoResolve> = Vec::new();
        for (index, rule) in raw.into_iter().enumerate() {
            let index = index.to_string();
            let name = rule.name.unwrap_or_default();
            if name.trim().is_empty() || rules.iter().any(|known| known.name == name) {
                let what = format!(
                    "rule {index} of `auto_resolve` has the name {}",
                    quoted(&name)
                );
                let advice = "give each rule a name of its own, such as calm-nights";
                self.refuse(&["auto_resolve", &index, "name"], what, advice);
            }
            let severity_max = rule.severity_max.unwrap_or(Severity::Critical);
            if severity_max < Severity::High {
                let what = format!("`severity_max` of rule {} is {severity_max}", quoted(&name));
                let advice = "incidents are High or Critical";
                self.refuse(&["auto_resolve", &index, "severity_max"], what, advice);
            }
            let Some(when) = self.resolve_when(&index, &name, rule.quiet_for, rule.gone_for) else {
                continue;
            };
            rules.push(AutoResolve {
                name,
                services: rule.services.unwrap_or_default(),
                severity_max,
                when,
            });
        }
        rules
    }

    fn resolve_when(
        &mut self,
        index: &str,
        name: &str,
        quiet_for: Option<Span>,
        gone_for: Option<Span>,
    ) -> Option<ResolveWhen> {
        let (name_of_time, time) = match (quiet_for, gone_for) {
            (Some(time), None) => ("quiet_for", time),
            (None, Some(time)) => ("gone_for", time),
            _ => {
                let what = format!("rule {} of `auto_resolve` has no one time", quoted(name));
                let advice = "give it either quiet_for or gone_for, such as `quiet_for: 30m`";
                self.refuse(&["auto_resolve", index], what, advice);
                return None;
            }
        };
        let path = format!("auto_resolve[].{name_of_time}");
        if let Range::Duration(least, most) = key(&path).range
            && !(least..=most).contains(&time.0)
        {
            let what = format!("`{name_of_time}` of rule {} is `{time}`", quoted(name));
            let advice = format!("it must be {} to {}", Span(least), Span(most));
            self.refuse(&["auto_resolve", index, name_of_time], what, advice);
        }
        Some(match name_of_time {
            "quiet_for" => ResolveWhen::QuietFor(time.0),
            _ => ResolveWhen::GoneFor(time.0),
        })
    }
}
