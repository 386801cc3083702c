//! How unusual: a member's value in words with numbers.

use domain::{
    ComponentScore, Direction, FEATURE_NAMES, Finding, MetricSpec, Precedent, Prediction, Unusual,
};

use crate::summary::{amount, in_words, number, odds};

/// Features named of the forest's contributions.
const FEATURES_NAMED: usize = 3;

/// What is known of a finding by which a metric became a member; none without a sample.
pub(crate) fn of(finding: &Finding, spec: &MetricSpec) -> Option<Unusual> {
    let sample = finding.newest?;
    let mut unusual = Unusual {
        metric: finding.series.metric.clone(),
        title: spec.title.clone(),
        unit: spec.unit.clone(),
        at: sample.time,
        actual: sample.value,
        severity: finding.severity,
        thresholds: finding.thresholds,
        direction: spec.direction,
        minimum_deviation: spec.minimum_deviation,
        prediction: finding.prediction,
        reason: finding.reason,
        band: finding.band,
        score: finding.score,
        limit: finding.limit,
        components: finding.components.clone(),
        contributions: finding.contributions,
        model: finding.model.clone(),
        precedent: None,
        text: Vec::new(),
    };
    unusual.text = sentences(&unusual);
    Some(unusual)
}

/// The sentences, in the order of the questions: what, how often, why, what else it would have taken.
pub(crate) fn sentences(unusual: &Unusual) -> Vec<String> {
    let parts = [
        Some(against_expected(unusual)),
        Some(against_the_past(unusual)),
        week_before(unusual),
        Some(rule(unusual)),
        components(unusual),
        features(unusual),
        Some(otherwise(unusual)),
    ];
    parts.into_iter().flatten().collect()
}

fn against_expected(unusual: &Unusual) -> String {
    let amount = |value| amount(value, &unusual.unit);
    let actual = format!("{} was {}", unusual.title, amount(unusual.actual));
    match unusual.band {
        Some(band) => format!(
            "{actual}; expected {}, usually {} to {}",
            amount(band.expected),
            number(band.lower),
            amount(band.upper)
        ),
        None => format!("{actual}; no model says what to expect"),
    }
}

fn against_the_past(unusual: &Unusual) -> String {
    let Some(past) = &unusual.precedent else {
        return "how often the training window saw such a value is not known".to_owned();
    };
    let side = match unusual.direction {
        Direction::Down => ("low", "lowest"),
        Direction::Up => ("high", "highest"),
        Direction::Both => ("far from expected", "furthest"),
    };
    if past.rows == 0 {
        return "the training window has no rows to compare with".to_owned();
    }
    let Precedent {
        rows, as_extreme, ..
    } = past;
    let how_often = match as_extreme {
        0 => format!(
            "none of the {} rows since {} was so {}",
            whole(*rows),
            past.from,
            side.0
        ),
        _ => format!(
            "{} of the {} rows since {} were at least so {}, one in {}",
            whole(*as_extreme),
            whole(*rows),
            past.from,
            side.0,
            whole(rows / as_extreme)
        ),
    };
    match past.most_extreme {
        Some(most) => format!(
            "{how_often}; the {} was {} at {}",
            side.1,
            amount(most.value, &unusual.unit),
            most.time
        ),
        None => how_often,
    }
}

fn week_before(unusual: &Unusual) -> Option<String> {
    let past = unusual.precedent.as_ref()?;
    Some(match past.week_before {
        Some((median, samples)) => format!(
            "at the same hour a week before, the median of {samples} samples was {}",
            amount(median, &unusual.unit)
        ),
        None => "nothing is known of the same hour a week before".to_owned(),
    })
}

fn rule(unusual: &Unusual) -> String {
    match (unusual.prediction, unusual.reason) {
        (Prediction::Unknown, _) | (_, None) => {
            "threshold only: no model could judge it".to_owned()
        }
        (Prediction::Normal, Some(reason)) => format!(
            "threshold only: the model saw no anomaly; {}",
            in_words(reason, &unusual.unit)
        ),
        (Prediction::Anomaly, Some(reason)) => {
            format!("the rule that fired: {}", in_words(reason, &unusual.unit))
        }
    }
}

fn components(unusual: &Unusual) -> Option<String> {
    let said: Vec<String> = unusual.components.iter().map(component).collect();
    (!said.is_empty()).then(|| format!("components: {}", said.join("; ")))
}

fn component(one: &ComponentScore) -> String {
    let statistic = match one.threshold {
        Some(threshold) => format!(
            "{} (a raw anomaly above {})",
            number(one.statistic),
            number(threshold)
        ),
        None => format!("{} times the usual distance", number(one.statistic)),
    };
    format!(
        "{} {statistic}, seen {}",
        one.component.title(),
        odds(one.rarity)
    )
}

fn features(unusual: &Unusual) -> Option<String> {
    let contributions = unusual.contributions?;
    let mut named: Vec<(&str, f64)> = FEATURE_NAMES.into_iter().zip(contributions).collect();
    named.sort_by(|a, b| b.1.total_cmp(&a.1));
    let named: Vec<String> = named
        .into_iter()
        .take(FEATURES_NAMED)
        .filter(|(_, share)| *share > 0.0)
        .map(|(name, share)| format!("{name} (+{share:.3})"))
        .collect();
    (!named.is_empty()).then(|| format!("the forest points at {}", named.join(", ")))
}

/// What would have had to be lower (or higher) for it not to fire.
fn otherwise(unusual: &Unusual) -> String {
    let amount = |value| amount(value, &unusual.unit);
    let (side, sign) = match unusual.direction {
        Direction::Down => ("above", -1.0),
        Direction::Up | Direction::Both => ("below", 1.0),
    };
    let thresholds = unusual.thresholds;
    let by_model = unusual.prediction == Prediction::Anomaly;
    let threshold = match by_model {
        true => thresholds.high.map(|value| (value, "High")),
        false => None,
    }
    .or(thresholds.critical.map(|value| (value, "Critical")));
    let mut text = match threshold {
        Some((value, name)) => {
            format!("it would not have opened {side} {} ({name})", amount(value))
        }
        None => "it has no threshold".to_owned(),
    };
    if let (true, Some(band)) = (by_model, unusual.band) {
        let edge = band.expected + sign * unusual.minimum_deviation;
        text += &format!(
            ", nor {side} {}: less than {} from expected is never an anomaly",
            amount(edge),
            amount(unusual.minimum_deviation)
        );
    }
    text
}

fn whole(count: u64) -> String {
    crate::summary::grouped(count)
}
