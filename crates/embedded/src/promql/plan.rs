//! An expression that has been checked: only what can be evaluated, with the types that hold.

use regex::Regex;

use crate::{Labels, MatchOperator, Matcher, labels::NAME};

/// How far back a sample counts as a series' present value, as in Prometheus.
pub(super) const LOOKBACK_MS: i64 = 300_000;

#[derive(Debug)]
pub(super) enum Plan {
    Scalar(Scalar),
    Vector(Vector),
    /// Samples as they are.
    Matrix(Source),
    Text(String),
}

/// One number at each step.
#[derive(Debug)]
pub(super) enum Scalar {
    Number(f64),
    /// The time of evaluation in seconds.
    Time,
    /// The value of the only series; NaN where there isn't exactly one.
    Single(Box<Vector>),
    Negative(Box<Scalar>),
    Pair(Operator, Box<Scalar>, Box<Scalar>),
}

/// Series with at most one value at each step.
#[derive(Debug)]
pub(super) enum Vector {
    Select(Source),
    /// When the newest sample is from, in seconds.
    SampleTime(Source),
    Window {
        function: WindowFunction,
        source: Source,
    },
    Each {
        function: EachFunction,
        input: Box<Vector>,
    },
    Constant(Scalar),
    Absent {
        labels: Labels,
        input: Box<Vector>,
    },
    HistogramQuantile {
        quantile: Scalar,
        input: Box<Vector>,
    },
    LabelReplace {
        input: Box<Vector>,
        target: String,
        replacement: String,
        label: String,
        pattern: Regex,
    },
    /// By value. It matters to an instant query that asks for nothing else.
    Sorted {
        input: Box<Vector>,
        descending: bool,
    },
    Aggregate {
        operator: AggregateOperator,
        grouping: Grouping,
        input: Box<Vector>,
    },
    WithScalar {
        operator: Operator,
        input: Box<Vector>,
        scalar: Scalar,
        /// Whether the scalar is written before the vector.
        scalar_first: bool,
        /// Whether a comparison says 0 or 1 instead of filtering.
        says_bool: bool,
    },
    Pair(Box<Pair>),
    Set {
        operator: SetOperator,
        matching: Matching,
        left: Box<Vector>,
        right: Box<Vector>,
    },
}

/// An operation between the series of two sides.
#[derive(Debug)]
pub(super) struct Pair {
    pub operator: Operator,
    pub matching: Matching,
    pub cardinality: Cardinality,
    pub says_bool: bool,
    pub left: Vector,
    pub right: Vector,
}

/// What a selector reads: samples in `(t - offset - span, t - offset]`.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub matchers: Vec<Matcher>,
    pub span_ms: i64,
    pub offset_ms: i64,
}

impl Source {
    /// Whether all its series have one name.
    pub(super) fn has_one_name(&self) -> bool {
        let of_name = |m: &Matcher| m.name == NAME && m.operator == MatchOperator::Equal;
        self.matchers.iter().any(of_name)
    }
}

/// Of the samples of a range.
#[derive(Debug)]
pub(super) enum WindowFunction {
    Rate,
    Increase,
    Delta,
    InstantRate,
    InstantDelta,
    Changes,
    Resets,
    Last,
    Average,
    Smallest,
    Largest,
    Sum,
    Count,
    Present,
    Quantile(Scalar),
    Deviation,
    Variance,
}

/// Of one value, for each series.
#[derive(Debug)]
pub(super) enum EachFunction {
    Absolute,
    Ceiling,
    Floor,
    Exponential,
    Ln,
    Log2,
    Log10,
    Root,
    Sign,
    Negative,
    Round(Scalar),
    Clamp(Scalar, Scalar),
    /// The time of evaluation, in seconds.
    EvaluationTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AggregateOperator {
    Sum,
    Average,
    Smallest,
    Largest,
    Count,
    Group,
    Deviation,
    Variance,
}

/// Which labels the groups of an aggregation have.
#[derive(Debug)]
pub(super) enum Grouping {
    By(Vec<String>),
    /// The name is dropped as well.
    Without(Vec<String>),
}

/// Which labels two series must have in common to meet.
#[derive(Debug)]
pub(super) enum Matching {
    On(Vec<String>),
    /// All but these and the name.
    Ignoring(Vec<String>),
}

/// How many series of a side may meet one of the other; with the labels taken over from that one.
#[derive(Debug)]
pub(super) enum Cardinality {
    OneToOne,
    ManyToOne(Vec<String>),
    OneToMany(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetOperator {
    And,
    Or,
    Unless,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Equal,
    NotEqual,
    Above,
    Below,
    AtLeast,
    AtMost,
}

impl Operator {
    pub(super) fn compares(self) -> bool {
        self.holds(0.0, 0.0).is_some()
    }

    /// Whether a comparison holds; none for arithmetic.
    pub(super) fn holds(self, left: f64, right: f64) -> Option<bool> {
        Some(match self {
            Operator::Equal => left == right,
            Operator::NotEqual => left != right,
            Operator::Above => left > right,
            Operator::Below => left < right,
            Operator::AtLeast => left >= right,
            Operator::AtMost => left <= right,
            _ => return None,
        })
    }

    /// The result of arithmetic, or 0 or 1 of a comparison.
    pub(super) fn number(self, left: f64, right: f64) -> f64 {
        match self {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            Operator::Modulo => left % right,
            Operator::Power => left.powf(right),
            _ => f64::from(u8::from(self.holds(left, right) == Some(true))),
        }
    }
}

impl Grouping {
    pub(super) fn of(&self, labels: &Labels) -> Labels {
        match self {
            Grouping::By(names) => labels.filtered(|name| has(names, name)),
            Grouping::Without(names) => labels.filtered(|name| name != NAME && !has(names, name)),
        }
    }
}

impl Matching {
    /// What a series must have in common with another.
    pub(super) fn of(&self, labels: &Labels) -> Labels {
        match self {
            Matching::On(names) => labels.filtered(|name| has(names, name)),
            Matching::Ignoring(names) => labels.filtered(|name| name != NAME && !has(names, name)),
        }
    }
}

pub(super) fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

impl Vector {
    /// Whether no two of its series differ in nothing but the name, so that dropping it is harmless.
    pub(super) fn has_settled_names(&self) -> bool {
        match self {
            Vector::Select(source) => source.has_one_name(),
            Vector::Window { function, source } => {
                !matches!(function, WindowFunction::Last) || source.has_one_name()
            }
            Vector::Sorted { input, .. } => input.has_settled_names(),
            Vector::WithScalar {
                operator,
                input,
                says_bool,
                ..
            } => !operator.compares() || *says_bool || input.has_settled_names(),
            Vector::Set { operator, left, .. } => {
                *operator != SetOperator::Or && left.has_settled_names()
            }
            Vector::Aggregate { grouping, .. } => match grouping {
                Grouping::By(names) => !has(names, NAME),
                Grouping::Without(_) => true,
            },
            Vector::LabelReplace { .. } | Vector::Pair(_) => false,
            Vector::SampleTime(_)
            | Vector::Each { .. }
            | Vector::Constant(_)
            | Vector::Absent { .. }
            | Vector::HistogramQuantile { .. } => true,
        }
    }

    /// Each selector in it.
    pub(super) fn visit_sources<'p>(&'p self, visit: &mut dyn FnMut(&'p Source)) {
        match self {
            Vector::Select(source) | Vector::SampleTime(source) => visit(source),
            Vector::Window { function, source } => {
                if let WindowFunction::Quantile(scalar) = function {
                    scalar.visit_sources(visit);
                }
                visit(source);
            }
            Vector::Each { function, input } => {
                match function {
                    EachFunction::Round(scalar) => scalar.visit_sources(visit),
                    EachFunction::Clamp(low, high) => {
                        low.visit_sources(visit);
                        high.visit_sources(visit);
                    }
                    _ => {}
                }
                input.visit_sources(visit);
            }
            Vector::Constant(scalar) => scalar.visit_sources(visit),
            Vector::HistogramQuantile { quantile, input } => {
                quantile.visit_sources(visit);
                input.visit_sources(visit);
            }
            Vector::WithScalar { scalar, input, .. } => {
                scalar.visit_sources(visit);
                input.visit_sources(visit);
            }
            Vector::Absent { input, .. }
            | Vector::LabelReplace { input, .. }
            | Vector::Sorted { input, .. }
            | Vector::Aggregate { input, .. } => input.visit_sources(visit),
            Vector::Pair(pair) => {
                pair.left.visit_sources(visit);
                pair.right.visit_sources(visit);
            }
            Vector::Set { left, right, .. } => {
                left.visit_sources(visit);
                right.visit_sources(visit);
            }
        }
    }
}

impl Scalar {
    fn visit_sources<'p>(&'p self, visit: &mut dyn FnMut(&'p Source)) {
        match self {
            Scalar::Number(_) | Scalar::Time => {}
            Scalar::Single(vector) => vector.visit_sources(visit),
            Scalar::Negative(scalar) => scalar.visit_sources(visit),
            Scalar::Pair(_, left, right) => {
                left.visit_sources(visit);
                right.visit_sources(visit);
            }
        }
    }
}

impl Plan {
    pub(super) fn sources(&self) -> Vec<&Source> {
        let mut sources = Vec::new();
        let mut visit = |source| sources.push(source);
        match self {
            Plan::Scalar(scalar) => scalar.visit_sources(&mut visit),
            Plan::Vector(vector) => vector.visit_sources(&mut visit),
            Plan::Matrix(source) => visit(source),
            Plan::Text(_) => {}
        }
        sources
    }
}
