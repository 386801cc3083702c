//! From the parser's tree to what can be evaluated; what isn't in the subset is refused by name.

mod calls;

use promql_parser::label as tree_label;
use promql_parser::parser::token::{self, TokenType};
use promql_parser::parser::{
    AggregateExpr, BinModifier, BinaryExpr, Expr, LabelModifier, Offset, VectorMatchCardinality,
    VectorSelector,
};

use super::error::PromqlError;
use super::plan::{
    AggregateOperator, Cardinality, EachFunction, Grouping, LOOKBACK_MS, Matching, Operator, Pair,
    Plan, Scalar, SetOperator, Source, Vector,
};
use crate::labels::NAME;
use crate::{MatchOperator, Matcher};

/// Of the tree; each level is a call when it is evaluated.
const DEPTH_MAX: usize = 200;
/// About a thousand years: times stay far from where milliseconds overflow.
const LENGTH_MAX_MS: i64 = 1_000 * 365 * 86_400_000;

const AGGREGATES: &str = "sum, avg, min, max, count, group, stddev, stdvar";

/// # Errors
/// What is not in the subset, or has the wrong type.
pub(super) fn check(tree: &Expr) -> Result<Plan, PromqlError> {
    plan(tree, 0)
}

/// What the parser says, with the function named that it doesn't know.
pub(super) fn unparsed(why: String) -> PromqlError {
    let unknown = why.strip_prefix("unknown function with name '");
    match unknown.and_then(|rest| rest.strip_suffix('\'')) {
        Some(name) => refused(format!("the function {name}"), calls::names()),
        None => PromqlError::Syntax(why),
    }
}

fn refused(construct: impl Into<String>, instead: impl Into<String>) -> PromqlError {
    PromqlError::Refused {
        construct: construct.into(),
        instead: instead.into(),
    }
}

fn plan(tree: &Expr, depth: usize) -> Result<Plan, PromqlError> {
    if depth > DEPTH_MAX {
        return Err(PromqlError::TooDeep { limit: DEPTH_MAX });
    }
    let below = depth + 1;
    Ok(match tree {
        Expr::NumberLiteral(number) => Plan::Scalar(Scalar::Number(number.val)),
        Expr::StringLiteral(text) => Plan::Text(text.val.clone()),
        Expr::Paren(inner) => plan(&inner.expr, below)?,
        Expr::VectorSelector(selector) => Plan::Vector(Vector::Select(source(selector, None)?)),
        Expr::MatrixSelector(selector) => {
            let span = milliseconds(selector.range.as_millis())?;
            Plan::Matrix(source(&selector.vs, Some(span))?)
        }
        Expr::Unary(unary) => match plan(&unary.expr, below)? {
            Plan::Scalar(scalar) => Plan::Scalar(Scalar::Negative(Box::new(scalar))),
            other => Plan::Vector(Vector::Each {
                function: EachFunction::Negative,
                input: Box::new(vector(other)?),
            }),
        },
        Expr::Aggregate(aggregate) => Plan::Vector(aggregation(aggregate, below)?),
        Expr::Binary(binary) => operation(binary, below)?,
        Expr::Call(call) => {
            let arguments = call.args.args.iter().map(|tree| plan(tree, below));
            let arguments = arguments.collect::<Result<Vec<Plan>, PromqlError>>()?;
            calls::call(call.func.name, arguments)?
        }
        Expr::Subquery(_) => {
            return Err(refused("a subquery", "a range of samples, as in x[5m]"));
        }
        Expr::Extension(_) => return Err(refused("an extension", "PromQL")),
    })
}

fn source(selector: &VectorSelector, span_ms: Option<i64>) -> Result<Source, PromqlError> {
    if selector.at.is_some() {
        return Err(refused("the modifier @", "offset"));
    }
    if !selector.matchers.or_matchers.is_empty() {
        return Err(refused(
            "or within braces",
            "the operator or, and =~\"a|b\"",
        ));
    }
    let offset_ms = match &selector.offset {
        None => 0,
        Some(Offset::Pos(offset)) => milliseconds(offset.as_millis())?,
        Some(Offset::Neg(offset)) => -milliseconds(offset.as_millis())?,
    };
    let name = selector.name.as_ref();
    let name = name.map(|name| Matcher::new(NAME, MatchOperator::Equal, name));
    let others = selector.matchers.matchers.iter().map(matcher);
    Ok(Source {
        matchers: name.into_iter().chain(others).collect::<Result<_, _>>()?,
        span_ms: span_ms.unwrap_or(LOOKBACK_MS),
        offset_ms,
    })
}

fn matcher(matcher: &tree_label::Matcher) -> Result<Matcher, crate::MatcherError> {
    let operator = match matcher.op {
        tree_label::MatchOp::Equal => MatchOperator::Equal,
        tree_label::MatchOp::NotEqual => MatchOperator::NotEqual,
        tree_label::MatchOp::Re(_) => MatchOperator::Regex,
        tree_label::MatchOp::NotRe(_) => MatchOperator::NotRegex,
    };
    Matcher::new(&matcher.name, operator, &matcher.value)
}

fn milliseconds(length: u128) -> Result<i64, PromqlError> {
    let within = i64::try_from(length).ok().filter(|ms| *ms <= LENGTH_MAX_MS);
    let within = within.filter(|ms| *ms > 0 || length == 0);
    within.ok_or_else(|| PromqlError::Syntax(format!("{length} ms are more than a thousand years")))
}

fn aggregation(aggregate: &AggregateExpr, depth: usize) -> Result<Vector, PromqlError> {
    let operator = match aggregate.op.id() {
        token::T_SUM => AggregateOperator::Sum,
        token::T_AVG => AggregateOperator::Average,
        token::T_MIN => AggregateOperator::Smallest,
        token::T_MAX => AggregateOperator::Largest,
        token::T_COUNT => AggregateOperator::Count,
        token::T_GROUP => AggregateOperator::Group,
        token::T_STDDEV => AggregateOperator::Deviation,
        token::T_STDVAR => AggregateOperator::Variance,
        _ => {
            return Err(refused(
                format!("the aggregation {}", aggregate.op),
                AGGREGATES,
            ));
        }
    };
    Ok(Vector::Aggregate {
        operator,
        grouping: match &aggregate.modifier {
            None => Grouping::By(Vec::new()),
            Some(LabelModifier::Include(labels)) => Grouping::By(labels.labels.clone()),
            Some(LabelModifier::Exclude(labels)) => Grouping::Without(labels.labels.clone()),
        },
        input: Box::new(vector(plan(&aggregate.expr, depth)?)?),
    })
}

fn operation(binary: &BinaryExpr, depth: usize) -> Result<Plan, PromqlError> {
    let left = plan(&binary.lhs, depth)?;
    let right = plan(&binary.rhs, depth)?;
    let modifier = binary.modifier.as_ref();
    let fill = modifier.map(|modifier| &modifier.fill_values);
    if fill.is_some_and(|fill| fill.lhs.is_some() || fill.rhs.is_some()) {
        return Err(refused(
            "the modifier fill",
            "the operator or, as in a + (b or 0 * a)",
        ));
    }
    if let Some(operator) = set_operator(binary.op) {
        return Ok(Plan::Vector(Vector::Set {
            operator,
            matching: matching(modifier),
            left: Box::new(vector(left)?),
            right: Box::new(vector(right)?),
        }));
    }
    let operator = operator(binary.op)?;
    let says_bool = binary.return_bool();
    Ok(match (left, right) {
        (Plan::Scalar(left), Plan::Scalar(right)) => {
            Plan::Scalar(Scalar::Pair(operator, Box::new(left), Box::new(right)))
        }
        (Plan::Scalar(scalar), input) => Plan::Vector(Vector::WithScalar {
            operator,
            input: Box::new(vector(input)?),
            scalar,
            scalar_first: true,
            says_bool,
        }),
        (input, Plan::Scalar(scalar)) => Plan::Vector(Vector::WithScalar {
            operator,
            input: Box::new(vector(input)?),
            scalar,
            scalar_first: false,
            says_bool,
        }),
        (left, right) => Plan::Vector(Vector::Pair(Box::new(Pair {
            operator,
            matching: matching(modifier),
            cardinality: cardinality(modifier),
            says_bool,
            left: vector(left)?,
            right: vector(right)?,
        }))),
    })
}

fn set_operator(operator: TokenType) -> Option<SetOperator> {
    match operator.id() {
        token::T_LAND => Some(SetOperator::And),
        token::T_LOR => Some(SetOperator::Or),
        token::T_LUNLESS => Some(SetOperator::Unless),
        _ => None,
    }
}

fn operator(operator: TokenType) -> Result<Operator, PromqlError> {
    Ok(match operator.id() {
        token::T_ADD => Operator::Add,
        token::T_SUB => Operator::Subtract,
        token::T_MUL => Operator::Multiply,
        token::T_DIV => Operator::Divide,
        token::T_MOD => Operator::Modulo,
        token::T_POW => Operator::Power,
        token::T_EQLC => Operator::Equal,
        token::T_NEQ => Operator::NotEqual,
        token::T_GTR => Operator::Above,
        token::T_LSS => Operator::Below,
        token::T_GTE => Operator::AtLeast,
        token::T_LTE => Operator::AtMost,
        _ => {
            let known = "+, -, *, /, %, ^, ==, !=, >, <, >=, <=, and, or, unless";
            return Err(refused(format!("the operator {operator}"), known));
        }
    })
}

fn matching(modifier: Option<&BinModifier>) -> Matching {
    match modifier.and_then(|modifier| modifier.matching.as_ref()) {
        None => Matching::Ignoring(Vec::new()),
        Some(LabelModifier::Include(labels)) => Matching::On(labels.labels.clone()),
        Some(LabelModifier::Exclude(labels)) => Matching::Ignoring(labels.labels.clone()),
    }
}

fn cardinality(modifier: Option<&BinModifier>) -> Cardinality {
    match modifier.map(|modifier| &modifier.card) {
        Some(VectorMatchCardinality::ManyToOne(labels)) => {
            Cardinality::ManyToOne(labels.labels.clone())
        }
        Some(VectorMatchCardinality::OneToMany(labels)) => {
            Cardinality::OneToMany(labels.labels.clone())
        }
        _ => Cardinality::OneToOne,
    }
}

fn vector(plan: Plan) -> Result<Vector, PromqlError> {
    match plan {
        Plan::Vector(vector) => Ok(vector),
        other => Err(mistyped("an instant vector", &other)),
    }
}

fn mistyped(wanted: &str, found: &Plan) -> PromqlError {
    let found = match found {
        Plan::Scalar(_) => "a scalar",
        Plan::Vector(_) => "an instant vector",
        Plan::Matrix(_) => "a range vector",
        Plan::Text(_) => "a string",
    };
    PromqlError::Syntax(format!("{found} stands where {wanted} belongs"))
}
