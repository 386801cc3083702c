//! Aggregation over series: one accumulator for each group and step, whatever the number of series.

use std::collections::HashMap;

use super::{Evaluation, Visit};
use crate::Labels;
use crate::promql::error::PromqlError;
use crate::promql::plan::{AggregateOperator, Grouping, Vector};
use crate::promql::sum::{CompensatedSum, Mean};

impl Evaluation<'_> {
    pub(super) fn aggregate(
        &self,
        operator: AggregateOperator,
        grouping: &Grouping,
        input: &Vector,
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        match operator {
            AggregateOperator::Sum => self.accumulate::<CompensatedSum>(grouping, input, visit),
            AggregateOperator::Average => self.accumulate::<Mean>(grouping, input, visit),
            AggregateOperator::Smallest => self.accumulate::<Smallest>(grouping, input, visit),
            AggregateOperator::Largest => self.accumulate::<Largest>(grouping, input, visit),
            AggregateOperator::Count => self.accumulate::<Count>(grouping, input, visit),
            AggregateOperator::Group => self.accumulate::<Group>(grouping, input, visit),
            AggregateOperator::Deviation => self.accumulate::<Deviation>(grouping, input, visit),
            AggregateOperator::Variance => self.accumulate::<Variance>(grouping, input, visit),
        }
    }

    fn accumulate<A: Accumulator>(
        &self,
        grouping: &Grouping,
        input: &Vector,
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        let mut at: HashMap<Labels, usize> = HashMap::new();
        let mut groups: Vec<(Labels, Vec<Option<A>>)> = Vec::new();
        self.each_series(input, &mut |labels, points| {
            let group = grouping.of(labels);
            let group = match at.get(&group) {
                Some(&known) => known,
                None => {
                    let size = self.steps.count * size_of::<Option<A>>();
                    self.hold(size / size_of::<f64>())?;
                    at.insert(group.clone(), groups.len());
                    groups.push((group, vec![None; self.steps.count]));
                    groups.len() - 1
                }
            };
            let accumulators = &mut groups[group].1;
            for (step, value) in points.present() {
                match &mut accumulators[step] {
                    Some(accumulator) => accumulator.add(value),
                    none => *none = Some(A::of(value)),
                }
            }
            Ok(())
        })?;
        let mut points = self.no_points();
        for (labels, accumulators) in &groups {
            points.clear();
            for (step, accumulator) in accumulators.iter().enumerate() {
                if let Some(accumulator) = accumulator {
                    points.set(step, accumulator.result());
                }
            }
            visit(labels, &points)?;
        }
        Ok(())
    }
}

/// What is known of the values of a group so far.
trait Accumulator: Clone {
    fn of(first: f64) -> Self;
    fn add(&mut self, value: f64);
    fn result(&self) -> f64;
}

impl Accumulator for CompensatedSum {
    fn of(first: f64) -> Self {
        let mut sum = CompensatedSum::default();
        sum.add(first);
        sum
    }

    fn add(&mut self, value: f64) {
        CompensatedSum::add(self, value);
    }

    fn result(&self) -> f64 {
        self.total()
    }
}

impl Accumulator for Mean {
    fn of(first: f64) -> Self {
        let mut mean = Mean::default();
        mean.add(first);
        mean
    }

    fn add(&mut self, value: f64) {
        Mean::add(self, value);
    }

    fn result(&self) -> f64 {
        self.value()
    }
}

/// NaN only where all are.
#[derive(Clone)]
struct Smallest(f64);

impl Accumulator for Smallest {
    fn of(first: f64) -> Self {
        Smallest(first)
    }

    fn add(&mut self, value: f64) {
        if self.0 > value || self.0.is_nan() {
            self.0 = value;
        }
    }

    fn result(&self) -> f64 {
        self.0
    }
}

/// NaN only where all are.
#[derive(Clone)]
struct Largest(f64);

impl Accumulator for Largest {
    fn of(first: f64) -> Self {
        Largest(first)
    }

    fn add(&mut self, value: f64) {
        if self.0 < value || self.0.is_nan() {
            self.0 = value;
        }
    }

    fn result(&self) -> f64 {
        self.0
    }
}

#[derive(Clone)]
struct Count(u32);

impl Accumulator for Count {
    fn of(_: f64) -> Self {
        Count(1)
    }

    fn add(&mut self, _: f64) {
        self.0 += 1;
    }

    fn result(&self) -> f64 {
        f64::from(self.0)
    }
}

#[derive(Clone)]
struct Group;

impl Accumulator for Group {
    fn of(_: f64) -> Self {
        Group
    }

    fn add(&mut self, _: f64) {}

    fn result(&self) -> f64 {
        1.0
    }
}

/// Of the population, by Welford's method.
#[derive(Clone)]
struct Variance {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Accumulator for Variance {
    fn of(first: f64) -> Self {
        Variance {
            count: 1.0,
            mean: first,
            squares: if first.is_finite() { 0.0 } else { f64::NAN },
        }
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn result(&self) -> f64 {
        self.squares / self.count
    }
}

#[derive(Clone)]
struct Deviation(Variance);

impl Accumulator for Deviation {
    fn of(first: f64) -> Self {
        Deviation(Variance::of(first))
    }

    fn add(&mut self, value: f64) {
        self.0.add(value);
    }

    fn result(&self) -> f64 {
        self.0.result().sqrt()
    }
}
