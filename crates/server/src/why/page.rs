//! The answer of the server as a page: what was decided first, then every number with its unit.

use std::fmt;
use std::time::Duration;

use domain::Timestamp;
use incident::{amount, length, number};
use serde::Deserialize;

/// What the page needs of the answer; what else it holds is passed over.
#[derive(Debug, Deserialize)]
pub struct Answer {
    service: String,
    metric: String,
    #[serde(default)]
    unit: String,
    at: Timestamp,
    evaluated_at: Option<Timestamp>,
    answer: String,
    decision: Option<Decision>,
    row: Option<Row>,
}

#[derive(Debug, Deserialize)]
struct Decision {
    from: Timestamp,
    to: Option<Timestamp>,
    incident: Option<u64>,
    notification: Option<String>,
    severity: String,
    prediction: String,
    gap: Option<String>,
    value: Option<f64>,
    sample_ts: Option<Timestamp>,
    high: Option<f64>,
    critical: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    score: Option<f64>,
    score_limit: Option<f64>,
    components: Vec<Component>,
    components_ts: Option<Timestamp>,
    model: Option<String>,
    model_trained_at: Option<Timestamp>,
    model_age_seconds: Option<u64>,
    learning_held: bool,
    why: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Component {
    name: String,
    statistic: f64,
    rarity: f64,
    speaks: bool,
}

#[derive(Debug, Deserialize)]
struct Row {
    timestamp: Timestamp,
    part: String,
    features: Option<Features>,
}

#[derive(Debug, Deserialize)]
struct Features {
    delta: f64,
    rolling_mean: f64,
    rolling_std: f64,
    zscore: f64,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {} at {}", self.service, self.metric, self.at)?;
        writeln!(f, "{}", self.answer)?;
        let Some(decision) = &self.decision else {
            return Ok(());
        };
        writeln!(f)?;
        let lines = [
            ("decided", Some(decision.stretch(self.evaluated_at))),
            ("value", decision.value(&self.unit)),
            ("thresholds", decision.thresholds(&self.unit)),
            ("band", decision.band(&self.unit)),
            ("prediction", Some(decision.prediction.clone())),
            ("score", decision.score()),
            ("components", decision.components()),
            ("model", decision.model()),
            ("learning", decision.learning()),
            ("incident", decision.incident.map(|id| format!("#{id}"))),
            ("notification", decision.notification.clone()),
            ("row", self.row.as_ref().map(|row| row.line(&self.unit))),
        ];
        for (name, line) in lines {
            if let Some(line) = line {
                writeln!(f, "  {name:<13}{line}")?;
            }
        }
        writeln!(f, "\nwhy:")?;
        for sentence in &decision.why {
            writeln!(f, "  - {sentence}")?;
        }
        Ok(())
    }
}

impl Decision {
    fn stretch(&self, evaluated_at: Option<Timestamp>) -> String {
        let tick = evaluated_at.unwrap_or(self.from);
        let end = match self.to {
            Some(to) => format!("until {to}"),
            None => "and still".to_owned(),
        };
        format!("at {tick}; the same since {} {end}", self.from)
    }

    fn value(&self, unit: &str) -> Option<String> {
        match (self.value, self.sample_ts, &self.gap) {
            (Some(value), Some(time), _) => {
                Some(format!("{}, measured at {time}", amount(value, unit)))
            }
            (_, _, Some(gap)) => Some(format!("none: {gap}")),
            _ => None,
        }
    }

    fn thresholds(&self, unit: &str) -> Option<String> {
        let named = [("High", self.high), ("Critical", self.critical)];
        let limits = named
            .iter()
            .filter_map(|(name, limit)| Some(format!("{name} {}", amount((*limit)?, unit))));
        let limits: Vec<String> = limits.collect();
        (!limits.is_empty()).then(|| format!("{}: {}", limits.join(", "), self.severity))
    }

    fn band(&self, unit: &str) -> Option<String> {
        Some(format!(
            "expected {}, usually {} to {}",
            amount(self.expected?, unit),
            amount(self.lower?, unit),
            amount(self.upper?, unit)
        ))
    }

    fn score(&self) -> Option<String> {
        let mut line = format!("{} of 8", number(self.score?));
        if let Some(limit) = self.score_limit {
            line += &format!("; {} makes an anomaly", number(limit));
        }
        Some(line)
    }

    fn components(&self) -> Option<String> {
        let line = |one: &Component| {
            let names = domain::Component::ALL.into_iter();
            let named = names.map(|known| (known.as_str(), known.title()));
            let name = named.into_iter().find(|(name, _)| *name == one.name);
            let name = name.map_or(one.name.as_str(), |(_, title)| title);
            let spoke = if one.speaks { "spoke up" } else { "silent" };
            format!(
                "{name} {}, rarity {}: {spoke}",
                number(one.statistic),
                number(one.rarity)
            )
        };
        let mut lines: Vec<String> = self.components.iter().map(line).collect();
        if self.components_ts != self.sample_ts
            && let Some(time) = self.components_ts
        {
            lines.push(format!(
                "(statistics and rarities of {time}; who spoke up has been the same since)"
            ));
        }
        let indented = format!("\n  {:<13}", "");
        (!self.components.is_empty()).then(|| lines.join(&indented))
    }

    fn model(&self) -> Option<String> {
        let age = Duration::from_secs(self.model_age_seconds?);
        Some(format!(
            "{} of {}, {} old",
            self.model.as_ref()?,
            self.model_trained_at?,
            length(age)
        ))
    }

    fn learning(&self) -> Option<String> {
        self.learning_held
            .then(|| "held: nothing was learnt from this sample".to_owned())
    }
}

impl Row {
    fn line(&self, unit: &str) -> String {
        let mut line = format!("{} in {}/", self.timestamp, self.part);
        if let Some(features) = &self.features {
            line += &format!(
                ": delta {}, rolling mean {}, rolling std {}, zscore {}",
                amount(features.delta, unit),
                amount(features.rolling_mean, unit),
                amount(features.rolling_std, unit),
                number(features.zscore)
            );
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"service":"search","metric":"lat","unit":"ms","at":"2026-11-22T15:50:07.000Z",
        "evaluated":true,"evaluated_at":"2026-11-22T15:50:00.000Z",
        "answer":"nothing opened: past its threshold since 2026-11-22T15:00:00.000Z, but the model saw no anomaly",
        "decision":{"from":"2026-11-22T15:00:00.000Z","to":null,"verdict":"crossing_without_anomaly",
          "since":"2026-11-22T15:00:00.000Z","incident":null,"notification":null,"severity":"High",
          "prediction":"Normal","gap":null,"value":1084.2,"sample_ts":"2026-11-22T15:49:58.000Z",
          "high":1000,"critical":3000,"expected":1050.5,"lower":950,"upper":1150,"score":0.42,
          "score_limit":2.34,
          "components":[{"name":"forest","statistic":0.41,"threshold":0.61,"rarity":0.2,"speaks":false},
                        {"name":"season","statistic":0.33,"threshold":null,"rarity":0.5,"speaks":false}],
          "components_ts":"2026-11-22T14:59:58.000Z","model":"7843a09588ee17ce",
          "model_trained_at":"2026-11-22T12:50:00.000Z","model_age_seconds":10800,"learning_held":false,
          "why":["nothing opened","the value 1,084 ms is High"]},
        "row":{"timestamp":"2026-11-22T15:49:58.000Z","part":"history","value":1084.2,"severity":"High",
          "prediction":"Normal","score":0.42,"features":{"delta":3.5,"rolling_mean":1051,"rolling_std":12.25,"zscore":2.71},
          "expected":1050.5,"lower":950,"upper":1150}}"#;

    #[test]
    fn the_answer_comes_first_and_numbers_have_units() {
        let answer: Answer = serde_json::from_str(WHOLE).unwrap();
        let expected = "\
search lat at 2026-11-22T15:50:07.000Z
nothing opened: past its threshold since 2026-11-22T15:00:00.000Z, but the model saw no anomaly

  decided      at 2026-11-22T15:50:00.000Z; the same since 2026-11-22T15:00:00.000Z and still
  value        1,084 ms, measured at 2026-11-22T15:49:58.000Z
  thresholds   High 1,000 ms, Critical 3,000 ms: High
  band         expected 1,051 ms, usually 950 ms to 1,150 ms
  prediction   Normal
  score        0.42 of 8; 2.34 makes an anomaly
  components   isolation forest 0.41, rarity 0.20: silent
               time of day 0.33, rarity 0.50: silent
               (statistics and rarities of 2026-11-22T14:59:58.000Z; who spoke up has been the same since)
  model        7843a09588ee17ce of 2026-11-22T12:50:00.000Z, 3 h old
  row          2026-11-22T15:49:58.000Z in history/: delta 3.50 ms, rolling mean 1,051 ms, rolling std 12.2 ms, zscore 2.71

why:
  - nothing opened
  - the value 1,084 ms is High
";
        assert_eq!(answer.to_string(), expected);
    }

    #[test]
    fn without_a_decision_the_answer_is_all() {
        let text = r#"{"service":"a","metric":"b","unit":"","at":"2026-11-22T15:50:07.000Z","evaluated":false,
            "evaluated_at":null,"answer":"no tick was evaluated at that time","decision":null,"row":null}"#;
        let answer: Answer = serde_json::from_str(text).unwrap();
        assert_eq!(
            answer.to_string(),
            "a b at 2026-11-22T15:50:07.000Z\nno tick was evaluated at that time\n"
        );
    }
}
