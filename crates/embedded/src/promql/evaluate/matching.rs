//! Operations between two vectors: which series meet, and with which labels they go on.
//!
//! Source: Prometheus 3, vector matching and its errors.

use std::collections::{BTreeMap, HashMap};

use super::{Evaluation, Visit};
use crate::Labels;
use crate::labels::NAME;
use crate::promql::error::PromqlError;
use crate::promql::plan::{Cardinality, Matching, Pair, SetOperator, Vector};
use crate::promql::points::{Collected, Points, StepSet};

impl Evaluation<'_> {
    pub(super) fn set(
        &self,
        operator: SetOperator,
        matching: &Matching,
        (left, right): (&Vector, &Vector),
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        if operator == SetOperator::Or {
            let mut seen = Presence::default();
            self.each_series(left, &mut |labels, points| {
                self.note(&mut seen, matching.of(labels), points)?;
                visit(labels, points)
            })?;
            return self.filtered(matching, right, |known| !known, &seen, visit);
        }
        let mut seen = Presence::default();
        self.each_series(right, &mut |labels, points| {
            self.note(&mut seen, matching.of(labels), points)
        })?;
        let keeps_known = operator == SetOperator::And;
        self.filtered(matching, left, |known| known == keeps_known, &seen, visit)
    }

    /// Shows the values whose match group is in `seen` at their step, or isn't.
    fn filtered(
        &self,
        matching: &Matching,
        input: &Vector,
        keeps: impl Fn(bool) -> bool,
        seen: &Presence,
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        let mut kept = self.no_points();
        self.each_series(input, &mut |labels, points| {
            let steps = seen.get(&matching.of(labels));
            kept.clone_from(points);
            kept.change(|step, value| {
                keeps(steps.is_some_and(|steps| steps.has(step))).then_some(value)
            });
            match kept.is_empty() {
                true => Ok(()),
                false => visit(labels, &kept),
            }
        })
    }

    fn note(&self, seen: &mut Presence, group: Labels, points: &Points) -> Result<(), PromqlError> {
        let steps = match seen.entry(group) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => {
                self.hold(self.steps.count.div_ceil(64))?;
                new.insert(StepSet::none(self.steps.count))
            }
        };
        steps.add_present(points);
        Ok(())
    }

    /// Arithmetic and comparison.
    pub(super) fn pair(&self, pair: &Pair, visit: &mut Visit) -> Result<(), PromqlError> {
        let (many, one) = match pair.cardinality {
            Cardinality::OneToMany(_) => (&pair.right, &pair.left),
            _ => (&pair.left, &pair.right),
        };
        let many = self.collect(many)?;
        let one = self.collect(one)?;
        let mut joined = Joined::new(pair, &one, self.steps.count);
        joined.refuse_duplicates(&many)?;
        let mut out = Collected::default();
        for (labels, points) in many.iter() {
            for (result, points) in joined.of(labels, points)? {
                self.keep(&mut out, &result, &points)?;
            }
        }
        out.iter()
            .try_for_each(|(labels, points)| visit(labels, points))
    }
}

/// At which steps a match group has a value.
type Presence = HashMap<Labels, StepSet>;

/// The side of which each match group has at most one series at a step, and who met it already.
struct Joined<'p> {
    pair: &'p Pair,
    steps: usize,
    /// In order, so that the same is always refused first.
    groups: BTreeMap<Labels, Vec<&'p (Labels, Points)>>,
    /// Of one-to-one, by group; of the others by group and resulting labels.
    met: HashMap<(Labels, Option<Labels>), StepSet>,
}

impl<'p> Joined<'p> {
    fn new(pair: &'p Pair, one: &'p Collected, steps: usize) -> Joined<'p> {
        let mut groups: BTreeMap<Labels, Vec<&(Labels, Points)>> = BTreeMap::new();
        let mut all: Vec<&(Labels, Points)> = one.iter().collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        for series in all {
            groups
                .entry(pair.matching.of(&series.0))
                .or_default()
                .push(series);
        }
        Joined {
            pair,
            steps,
            groups,
            met: HashMap::new(),
        }
    }

    /// # Errors
    /// Two series of a group at a step at which the other side has any.
    fn refuse_duplicates(&self, many: &Collected) -> Result<(), PromqlError> {
        let mut matters = StepSet::none(self.steps);
        many.iter()
            .for_each(|(_, points)| matters.add_present(points));
        for (group, series) in self.groups.iter().filter(|(_, series)| series.len() > 1) {
            let mut owner: Vec<Option<&Labels>> = vec![None; self.steps];
            for (labels, points) in series {
                for (step, _) in points.present().filter(|(step, _)| matters.has(*step)) {
                    if let Some(other) = owner[step].replace(labels) {
                        return Err(self.many_to_many(group, other, labels));
                    }
                }
            }
        }
        Ok(())
    }

    fn many_to_many(&self, group: &Labels, one: &Labels, other: &Labels) -> PromqlError {
        let (one, other) = (one.min(other), one.max(other));
        PromqlError::ManyToMany {
            group: braced(group),
            side: match self.pair.cardinality {
                Cardinality::OneToMany(_) => "left",
                _ => "right",
            },
            one: braced(one),
            other: braced(other),
        }
    }

    /// What comes of one series of the other side.
    ///
    /// # Errors
    /// A group that was met already, or labels that it has given already.
    fn of(
        &mut self,
        labels: &Labels,
        points: &Points,
    ) -> Result<Vec<(Labels, Points)>, PromqlError> {
        let group = self.pair.matching.of(labels);
        let Some(partners) = self.groups.get(&group) else {
            return Ok(Vec::new());
        };
        let mut results = Vec::new();
        for (partner, values) in partners {
            let result = self.pair.result_labels(labels, partner);
            let is_single = matches!(self.pair.cardinality, Cardinality::OneToOne);
            let key = (group.clone(), (!is_single).then(|| result.clone()));
            let met = self
                .met
                .entry(key)
                .or_insert_with(|| StepSet::none(self.steps));
            let mut made = Points::none(self.steps);
            for (step, value) in points.present() {
                let Some(other) = values.get(step) else {
                    continue;
                };
                if !met.add(step) {
                    return Err(match is_single {
                        true => PromqlError::ManyToOne,
                        false => PromqlError::Grouping,
                    });
                }
                if let Some(value) = self.pair.value(value, other) {
                    made.set(step, value);
                }
            }
            if !made.is_empty() {
                results.push((result, made));
            }
        }
        Ok(results)
    }
}

impl Pair {
    /// Of a value of the side that may have many, and of its partner; none where a comparison
    /// doesn't hold.
    fn value(&self, many: f64, one: f64) -> Option<f64> {
        let (left, right) = match self.cardinality {
            Cardinality::OneToMany(_) => (one, many),
            _ => (many, one),
        };
        match self.operator.compares() && !self.says_bool {
            true => (self.operator.holds(left, right) == Some(true)).then_some(left),
            false => Some(self.operator.number(left, right)),
        }
    }

    fn result_labels(&self, many: &Labels, one: &Labels) -> Labels {
        let drops_name = !self.operator.compares() || self.says_bool;
        let kept = many.filtered(|name| !(drops_name && name == NAME));
        match (&self.cardinality, &self.matching) {
            (Cardinality::OneToOne, Matching::On(_)) => self.matching.of(&kept),
            (Cardinality::OneToOne, Matching::Ignoring(ignored)) => {
                kept.filtered(|name| !crate::promql::plan::has(ignored, name))
            }
            (Cardinality::ManyToOne(taken) | Cardinality::OneToMany(taken), _) => {
                let taken = taken.iter();
                taken.fold(kept, |labels, name| {
                    labels.with(name, one.get(name).unwrap_or_default())
                })
            }
        }
    }
}

/// As Prometheus writes labels in its errors, the name among them.
fn braced(labels: &Labels) -> String {
    let all = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"));
    format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
}
