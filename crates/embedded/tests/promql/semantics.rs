//! The rules, one by one: each test is a few series and what comes of an expression.

use embedded::promql::{Expression, PromqlError, Value, instant, instant_json, range};

use crate::memory::Memory;

const MINUTE: i64 = 60_000;

/// Checks an answer as of a minute: a line for each series with its value, in order.
fn check_at(time_ms: i64, series: &str, expression: &str, expected: &str) {
    let memory = Memory::timeline(series);
    let parsed = Expression::parse(expression).unwrap();
    let found = match instant(&memory, &parsed, time_ms) {
        Ok(Value::Vector(values)) => {
            let lines = values
                .iter()
                .map(|(labels, value)| format!("{labels} {value}"));
            lines.collect::<Vec<_>>().join("\n")
        }
        Ok(Value::Scalar(value)) => value.to_string(),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("! {error}"),
    };
    let expected: Vec<&str> = expected
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    assert_eq!(found, expected.join("\n"), "{expression}");
}

/// As of minute ten.
fn check(series: &str, expression: &str, expected: &str) {
    check_at(10 * MINUTE, series, expression, expected);
}

#[test]
fn a_sample_counts_for_less_than_five_minutes() {
    let series = "x 1 2";
    check_at(6 * MINUTE - 1, series, "x", "x 2");
    check_at(6 * MINUTE, series, "x", "");
    check_at(MINUTE - 1, series, "x", "x 1");
    check_at(-1, series, "x", "");
    check_at(2 * MINUTE, "x 1 x", "x", "");
    check_at(2 * MINUTE, "x 1 x 3", "x", "x 3");
}

#[test]
fn offsets_shift_back_and_forth() {
    let series = "x 0 1 2 3 4 5 6 7 8 9 10 11 12";
    check(series, "x offset 3m", "x 7");
    check(series, "x offset -2m", "x 12");
    check(series, "count_over_time(x[2m] offset 3m)", "{} 2");
    check(series, "timestamp(x offset 3m)", "{} 420");
}

#[test]
fn ranges_are_open_on_the_left() {
    let series = "x 0 1 2 3 4 5 6 7 8 9 10 11";
    check(series, "count_over_time(x[5m])", "{} 5");
    check(series, "count_over_time(x[5m1s])", "{} 6");
    check(series, "rate(x[1m])", "");
    check(series, "sum_over_time(x[2m])", "{} 19");
    check("x 1 2 3 x", "count_over_time(x[1h])", "{} 3");
}

#[test]
fn rates_reach_to_the_edges_but_not_below_zero() {
    // Regular: both edges are as near as samples are to each other.
    check(
        "x 100 106 112 118 124 130 136 142 148 154 160",
        "rate(x[5m])",
        "{} 0.1",
    );
    check(
        "x 100 106 112 118 124 130 136 142 148 154 160",
        "increase(x[5m])",
        "{} 30",
    );
    // Born at zero within the range: nothing before it.
    check("x _ _ _ _ _ _ _ 0 6 12 18", "increase(x[10m])", "{} 18");
    // Born at six: half a distance between samples before it, and never more.
    check("x _ _ _ _ _ _ _ 60 66 72 78", "increase(x[10m])", "{} 21");
    check("x _ _ _ _ _ _ _ 6 12 18 24", "increase(x[10m])", "{} 21");
    check("x _ _ _ _ _ _ _ 2 8 14 20", "increase(x[10m])", "{} 20");
    // Ended within the range: half a distance after it.
    check("x 100 106 112 118 124 130", "delta(x[8m])", "{} 21");
    // A counter that falls begins anew at zero: 85 more in the nine minutes that are seen of ten.
    check(
        "x 0 10 20 30 5 15 25 35 45 55 65",
        "increase(x[10m])",
        "{} 94.44444444444444",
    );
    check("x 0 10 20 30 5 15 25 35 45 55 65", "resets(x[11m])", "{} 1");
    check("x 1 1 2 NaN NaN 2", "changes(x[11m])", "{} 3");
    check("x 0 10 4", "irate(x[11m])", "{} 0.06666666666666667");
    check("x 0 10 4", "idelta(x[11m])", "{} -6");
}

#[test]
fn functions_of_ranges_know_nan() {
    let series = "x NaN 3 1 NaN 2";
    check(series, "min_over_time(x[11m])", "{} 1");
    check(series, "max_over_time(x[11m])", "{} 3");
    check(series, "avg_over_time(x[11m])", "{} NaN");
    check("x 1 2 4", "quantile_over_time(0.75, x[11m])", "{} 3");
    check("x 1 2 4", "quantile_over_time(1.5, x[11m])", "{} inf");
    check("x 1 2 4 5", "stdvar_over_time(x[11m])", "{} 2.5");
    check("x 1e17 1 -1e17", "sum_over_time(x[11m])", "{} 1");
    check(
        "x 1e308 1e308 1e308",
        "avg_over_time(x[11m])",
        "{} 100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    );
    check("x 1", "last_over_time(x[11m])", "x 1");
    check("x 7", "present_over_time(x[11m])", "{} 1");
}

const LOAD: &str = "
    load{host=\"1\",zone=\"a\"} _ _ _ _ _ _ _ _ _ 1 1
    load{host=\"2\",zone=\"a\"} _ _ _ _ _ _ _ _ _ 2 2
    load{host=\"1\",zone=\"b\"} _ _ _ _ _ _ _ _ _ 4 4
    owner{zone=\"a\",name=\"ann\"} _ _ _ _ _ _ _ _ _ 10 10
    owner{zone=\"b\",name=\"bob\"} _ _ _ _ _ _ _ _ _ 20 20
    bad{zone=\"a\"} _ _ _ _ _ _ _ _ _ NaN NaN
";

#[test]
fn aggregations_group_by_what_they_are_told() {
    check(LOAD, "sum(load)", "{} 7");
    check(
        LOAD,
        "sum by (zone) (load)",
        "{zone=\"a\"} 3\n{zone=\"b\"} 4",
    );
    check(
        LOAD,
        "avg without (zone) (load)",
        "{host=\"1\"} 2.5\n{host=\"2\"} 2",
    );
    check(LOAD, "count by (none) (load)", "{} 3");
    check(
        LOAD,
        "max by (__name__) ({zone=\"a\",host!=\"\"})",
        "load 2",
    );
    check(LOAD, "min({__name__=~\"bad|load\"})", "{} 1");
    check(
        LOAD,
        "group by (zone) (load)",
        "{zone=\"a\"} 1\n{zone=\"b\"} 1",
    );
    check(LOAD, "stdvar(load{zone=\"a\"})", "{} 0.25");
    check(LOAD, "sum(nothing)", "");
}

#[test]
fn pairs_meet_by_the_labels_they_have_in_common() {
    check(
        LOAD,
        "load{host=\"1\"} + load",
        "{host=\"1\",zone=\"a\"} 2\n{host=\"1\",zone=\"b\"} 8",
    );
    check(
        LOAD,
        "load * on (zone) group_left (name) owner",
        "{host=\"1\",name=\"ann\",zone=\"a\"} 10
         {host=\"1\",name=\"bob\",zone=\"b\"} 80
         {host=\"2\",name=\"ann\",zone=\"a\"} 20",
    );
    check(
        LOAD,
        "owner - ignoring (name) sum by (zone) (load)",
        "{zone=\"a\"} 7\n{zone=\"b\"} 16",
    );
    check(
        LOAD,
        "owner / on (zone) group_right load{host=\"2\"}",
        "{host=\"2\",zone=\"a\"} 5",
    );
    check(
        LOAD,
        "load + on (zone) owner",
        "! multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
    );
    check(
        LOAD,
        "owner + on (zone) load",
        "! found duplicate series for the match group {zone=\"a\"} on the right hand-side of the \
         operation: [{__name__=\"load\", host=\"1\", zone=\"a\"}, {__name__=\"load\", host=\"2\", \
         zone=\"a\"}];many-to-many matching not allowed: matching labels must be unique on one side",
    );
    check(
        LOAD,
        "load * on (zone) group_left (host) owner",
        "! multiple matches for labels: grouping labels must ensure unique matches",
    );
    // Where the other side is empty, nothing is wrong with many of this.
    check(LOAD, "nothing + on (zone) load", "");
}

#[test]
fn comparisons_filter_and_keep_names_unless_they_say_bool() {
    check(
        LOAD,
        "load > 1",
        "load{host=\"1\",zone=\"b\"} 4\nload{host=\"2\",zone=\"a\"} 2",
    );
    check(LOAD, "3 < load", "load{host=\"1\",zone=\"b\"} 4");
    check(
        LOAD,
        "load{host=\"1\"} > bool 1",
        "{host=\"1\",zone=\"a\"} 0\n{host=\"1\",zone=\"b\"} 1",
    );
    check(
        LOAD,
        "load >= load * 1 and load == 4",
        "load{host=\"1\",zone=\"b\"} 4",
    );
    check(LOAD, "sum(load) < on () sum(owner)", "{} 7");
    check(LOAD, "1 == bool 1", "1");
    check(LOAD, "bad == bad", "");
}

#[test]
fn sets_keep_what_is_there_and_isnt() {
    check(
        LOAD,
        "load and on (zone) owner{name=\"bob\"}",
        "load{host=\"1\",zone=\"b\"} 4",
    );
    check(
        LOAD,
        "load unless ignoring (host) load{host=\"2\"}",
        "load{host=\"1\",zone=\"b\"} 4",
    );
    check(
        LOAD,
        "owner{name=\"bob\"} or on (zone) bad",
        "bad{zone=\"a\"} NaN\nowner{name=\"bob\",zone=\"b\"} 20",
    );
    check(
        LOAD,
        "owner or on () bad",
        "owner{name=\"ann\",zone=\"a\"} 10\nowner{name=\"bob\",zone=\"b\"} 20",
    );
    check(LOAD, "nothing or vector(0)", "{} 0");
}

#[test]
fn names_that_are_dropped_must_not_make_series_equal() {
    let twins = "a{x=\"1\"} 1 _ _ _ _ _ _ _ _ _ 1\nb{x=\"1\"} 2 _ _ _ _ _ _ _ _ _ 2";
    let both = "{__name__=~\"a|b\"}";
    let error = "! vector cannot contain metrics with the same labelset";
    check(twins, &format!("abs({both})"), error);
    check(twins, &format!("{both} * 2"), error);
    check(twins, &format!("count(increase({both}[20m]))"), error);
    check(twins, &format!("{both} > 0"), "a{x=\"1\"} 1\nb{x=\"1\"} 2");
    check(
        twins,
        "label_replace(a, \"x\", \"\", \"x\", \".*\") or b",
        "a 1\nb{x=\"1\"} 2",
    );
    check(
        twins,
        "abs(label_replace(a, \"__name__\", \"b\", \"\", \"\") or b)",
        "{x=\"1\"} 1",
    );
}

#[test]
fn quantiles_of_histograms_stay_within_what_buckets_say() {
    let buckets = |counts: [&str; 4]| {
        let line = |(le, count): (&str, &str)| {
            format!("b{{le=\"{le}\"}} _ _ _ _ _ _ _ _ _ {count} {count}\n")
        };
        ["1", "2", "4", "+Inf"]
            .into_iter()
            .zip(counts)
            .map(line)
            .collect::<String>()
    };
    let quantile = |q: &str, counts: [&str; 4], expected: &str| {
        check(
            &buckets(counts),
            &format!("histogram_quantile({q}, b)"),
            expected,
        );
    };
    quantile("0.5", ["10", "20", "40", "40"], "{} 2");
    quantile("0.25", ["10", "20", "40", "40"], "{} 1");
    quantile("0.05", ["10", "20", "40", "40"], "{} 0.2");
    // In the last bucket: its lower bound is all that is known.
    quantile("0.99", ["10", "20", "40", "50"], "{} 4");
    quantile("0.5", ["0", "0", "0", "0"], "{} NaN");
    quantile("0.5", ["20", "10", "40", "40"], "{} 1");
    quantile("0.75", ["20", "20.000000000000004", "40", "40"], "{} 3");
    quantile("-1", ["1", "1", "1", "1"], "{} -inf");
    quantile("2", ["1", "1", "1", "1"], "{} inf");
    quantile("NaN", ["1", "1", "1", "1"], "{} NaN");
    check(
        "b{le=\"1\"} 1\nb{le=\"2\"} 1",
        "histogram_quantile(0.5, last_over_time(b[1h]))",
        "{} NaN",
    );
    check(
        "b{le=\"+Inf\"} 1",
        "histogram_quantile(0.5, last_over_time(b[1h]))",
        "{} NaN",
    );
    check(
        "b{le=\"x\"} 1\nb 1",
        "histogram_quantile(0.5, last_over_time(b[1h]))",
        "",
    );
}

#[test]
fn values_are_changed_one_by_one() {
    let series = "v{k=\"a\"} _ _ _ _ _ _ _ _ _ _ -1.5\nv{k=\"b\"} _ _ _ _ _ _ _ _ _ _ NaN";
    let each = |function: &str, a: &str, b: &str| {
        check(
            series,
            function,
            &format!("{{k=\"a\"}} {a}\n{{k=\"b\"}} {b}"),
        );
    };
    each("abs(v)", "1.5", "NaN");
    each("round(v)", "-1", "NaN");
    each("round(v, 0.4)", "-1.6", "NaN");
    each("sgn(v)", "-1", "NaN");
    each("clamp(v, -1, 2)", "-1", "NaN");
    each("clamp_max(v, -3)", "-3", "NaN");
    each("clamp_min(v, Inf)", "inf", "inf");
    each("v % 1", "-0.5", "NaN");
    each("timestamp(-v)", "600", "600");
    check(series, "clamp(v, 2, 1)", "");
    check(series, "sort(v)", "v{k=\"a\"} -1.5\nv{k=\"b\"} NaN");
    check(series, "sort_desc(v)", "v{k=\"a\"} -1.5\nv{k=\"b\"} NaN");
}

#[test]
fn scalars_and_vectors_become_each_other() {
    check(LOAD, "scalar(sum(load)) + time()", "607");
    check(LOAD, "scalar(load)", "NaN");
    check(LOAD, "vector(2 ^ 3 ^ 2)", "{} 512");
    check(LOAD, "-2 ^ 2", "-4");
    check(LOAD, "absent(load)", "");
    check(
        LOAD,
        "absent(gone{a=\"1\",b=~\"2\",c=\"3\",c=\"4\"})",
        "{a=\"1\"} 1",
    );
    check(LOAD, "absent(sum(gone))", "{} 1");
}

#[test]
fn what_is_not_in_the_subset_is_refused_by_name() {
    let says = |text: &str| Expression::parse(text).unwrap_err().to_string();
    for (text, named) in [
        ("predict_linear(x[5m], 60)", "the function predict_linear "),
        ("frobnicate(x)", "the function frobnicate "),
        ("topk(3, x)", "the aggregation topk "),
        ("quantile(0.9, x)", "the aggregation quantile "),
        ("max_over_time(rate(x[5m])[1h:1m])", "a subquery "),
        ("x @ 1700000000", "the modifier @ "),
        ("x atan2 y", "the operator atan2 "),
        ("x + fill (0) y", "the modifier fill "),
    ] {
        let said = says(text);
        assert!(
            said.starts_with(named) && said.contains("; there is "),
            "{text}: {said}"
        );
    }
    assert!(
        says("deriv(x[5m])").contains("rate"),
        "a refusal says what there is"
    );
    for text in [
        "",
        "sum(",
        "x[",
        "rate(x)",
        "x + \"a\"",
        "exp(Inf)",
        "x{a=~\"(\"}",
        "1 > 2",
        "abs(1)",
    ] {
        assert!(!says(text).is_empty(), "{text}");
    }
}

#[test]
fn an_expression_says_what_it_reads() {
    let parsed =
        Expression::parse("rate(a{b=\"c\"}[10m] offset 5m) / on () (d offset -1m)").unwrap();
    let read: Vec<_> = parsed
        .selectors()
        .iter()
        .map(|s| (s.matchers.len(), s.reach.as_secs()))
        .collect();
    assert_eq!(read, [(2, 900), (1, 240)]);
    assert_eq!(parsed.reach().as_secs(), 900);
    assert_eq!(
        Expression::parse("1 + time()").unwrap().reach().as_secs(),
        0
    );
}

#[test]
fn ranges_of_time_are_bounded_and_forward() {
    let memory = Memory::timeline("x 1 2 3");
    let parsed = Expression::parse("x").unwrap();
    let ask = |start, end, step| range(&memory, &parsed, start, end, step);
    assert_eq!(ask(0, 11_000_000, 1_000).unwrap()[0].points.len(), 420);
    assert!(matches!(
        ask(0, 11_001_000, 1_000),
        Err(PromqlError::TooManySteps { .. })
    ));
    assert!(matches!(ask(0, 10, 0), Err(PromqlError::Step(0))));
    assert!(matches!(ask(10, 0, 1), Err(PromqlError::Backwards { .. })));
    assert!(matches!(
        ask(i64::MIN, i64::MAX, 1),
        Err(PromqlError::Time(_))
    ));
    let matrix = Expression::parse("x[5m]").unwrap();
    assert!(matches!(
        range(&memory, &matrix, 0, 1, 1),
        Err(PromqlError::NoRange { .. })
    ));
}

#[test]
fn samples_and_texts_are_answers_to_instant_queries() {
    let memory = Memory::timeline("x{a=\"q\\\"\"} 1 x 3");
    let json = |text: &str| {
        let value = instant(&memory, &Expression::parse(text).unwrap(), 2 * MINUTE).unwrap();
        instant_json(&value, 2 * MINUTE)
    };
    assert_eq!(
        json("x[5m]"),
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"x","a":"q\\"},"values":[[0,"1"],[120,"3"]]}]}}"#
    );
    assert_eq!(
        json("'so'"),
        r#"{"status":"success","data":{"resultType":"string","result":[120,"so"]}}"#
    );
    assert_eq!(
        json("x / 0"),
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"q\\"},"value":[120,"+Inf"]}]}}"#
    );
}
