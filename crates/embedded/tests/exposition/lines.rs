//! What a line means, and what is said of a wrong one.

use embedded::exposition::{Entry, Format, LABELS_MAX, LINE_BYTES_MAX, Parser, samples};

/// A page, entry by entry, as text: what was read, or the error that ended it.
fn read(page: &str, format: Format) -> Vec<String> {
    let entries = Parser::new(page, format).map(|entry| match entry {
        Ok(Entry::Sample(line)) => {
            let labels = line
                .labels()
                .map(|(name, value)| format!(" {name}={value:?}"));
            let labels: String = labels.collect();
            let time = line
                .time_ms
                .map_or(String::new(), |time| format!(" @{time}"));
            let exemplar = if line.exemplar { " +" } else { "" };
            format!("{}{labels} {}{time}{exemplar}", line.name(), line.value)
        }
        Ok(Entry::Type { name, kind }) => format!("type {name} {}", kind.as_str()),
        Ok(Entry::Help { name, text }) => format!("help {name} {text:?}"),
        Ok(Entry::Unit { name, unit }) => format!("unit {name} {unit}"),
        Err(error) => error.to_string(),
    });
    entries.collect()
}

fn check_text(page: &str, expected: &[&str]) {
    assert_eq!(read(page, Format::Text), expected, "{page:?}");
}

fn check_open(page: &str, expected: &[&str]) {
    assert_eq!(read(page, Format::OpenMetrics), expected, "{page:?}");
}

#[test]
fn samples_of_the_text_format() {
    check_text("up 1\n", &["up 1"]);
    check_text("up 1", &["up 1"]);
    check_text(
        "a:b_c1{} 2.5 1795352197293\n",
        &["a:b_c1 2.5 @1795352197293"],
    );
    check_text(
        "\n \t a { b = \"c\" , d=\"\" , } \t -Inf -7 \n\n",
        &["a b=\"c\" d=\"\" -inf @-7"],
    );
    check_text(
        r#"a{b="\\ \" \n \t ü"} NaN"#,
        &[r#"a b="\\ \" \n \\t ü" NaN"#],
    );
    check_text(
        "a{le=\"+Inf\",uri=\"/x?a={b},c\"} 3",
        &["a le=\"+Inf\" uri=\"/x?a={b},c\" 3"],
    );
    // Without labels, a blank before the value is enough; after a brace none is needed.
    check_text("a{b=\"c\"}1", &["a b=\"c\" 1"]);
    check_text("", &[]);
}

#[test]
fn names_of_any_letters_are_quoted() {
    check_text(
        r#"{"my.metric",a="b","c d"="e"} 1"#,
        &[r#"my.metric a="b" c d="e" 1"#],
    );
    check_text(r#"{"my \"metric\\"} 1"#, &[r#"my "metric\ 1"#]);
    check_text("# TYPE \"my.metric\" gauge", &["type my.metric gauge"]);
    check_text(
        "# HELP \"my.metric\" of mine",
        &[r#"help my.metric "of mine""#],
    );
}

#[test]
fn comments_describe_or_say_nothing() {
    check_text("# TYPE a counter", &["type a counter"]);
    check_text("#\tTYPE\ta   untyped ", &["type a unknown"]);
    check_text(
        "# HELP a  two\\nlines \\\\ ",
        &[r#"help a " two\nlines \\ ""#],
    );
    check_text("# HELP a", &[r#"help a """#]);
    check_text("#TYPE a no_type\n#\n# EOF\n# anything {\n# UNIT a b", &[]);
}

#[test]
fn samples_of_openmetrics() {
    check_open(
        "# TYPE a counter\n# UNIT a seconds\na_total 1 1.5\n# EOF\n",
        &["type a counter", "unit a seconds", "a_total 1 @1500"],
    );
    check_open(
        "a_bucket{le=\"1\"} 1 # {trace_id=\"x\"} 0.5 1.25\n# EOF",
        &["a_bucket le=\"1\" 1 +"],
    );
    check_open(
        "a 1 2 # {} 3\na_created 5\n# EOF",
        &["a 1 @2000 +", "a_created 5"],
    );
}

#[test]
fn a_wrong_line_is_named_with_what_would_be_right() {
    for (line, problem) in [
        (
            "1a 2",
            "\"1a 2\" begins no sample: write e.g. name{label=\"value\"} 1",
        ),
        (
            "{} 1",
            "the braces hold no name of a metric, and none stands before them",
        ),
        (
            "a{\"b\"} 1",
            "the name of the metric is given twice, \"a\" and \"b\"",
        ),
        (
            "{\"a\",\"b\"} 1",
            "the name of the metric is given twice, \"a\" and \"b\"",
        ),
        (
            "a-b 1",
            "\"a-b\" begins no sample: write e.g. name{label=\"value\"} 1",
        ),
        ("a", "\"a\" has no value"),
        ("a{b=\"c\"}", "\"a{b=\\\"c\\\"}\" has no value"),
        (
            "a{b=\"c\" 1",
            "\"1\" is no label: write label=\"value\", separated by commas",
        ),
        (
            "a{b=\"c\"",
            "the braces of \"a{b=\\\"c\\\"\" are not closed",
        ),
        (
            "a{b=c} 1",
            "the label \"b\" needs = and a value in double quotes, not \"c} 1\"",
        ),
        (
            "a{b} 1",
            "the label \"b\" needs = and a value in double quotes, not \"} 1\"",
        ),
        (
            "a{b=\"c} 1",
            "the value of the label \"b\" isn't closed by a double quote",
        ),
        (
            "a{b=\"c\\\"} 1",
            "the value of the label \"b\" isn't closed by a double quote",
        ),
        (
            "a{,b=\"c\"} 1",
            "\",b=\\\"c\\\"} 1\" is no label: write label=\"value\", separated by commas",
        ),
        (
            "a{b=\"\",c=\"\",b=\"\"} 1",
            "the label \"b\" is given twice",
        ),
        (
            "a{b=\"\",a=\"\",b=\"\"} 1",
            "the label \"b\" is given twice",
        ),
        (
            "a{__name__=\"b\"} 1",
            "the label __name__ is the name of the metric, which stands before the braces",
        ),
        (
            "a b",
            "\"b\" is no number: write e.g. 1, 2.5e-3, NaN, +Inf or -Inf",
        ),
        (
            "a 0x1F",
            "\"0x1F\" is no number: write e.g. 1, 2.5e-3, NaN, +Inf or -Inf",
        ),
        (
            "a 1\r",
            "it ends with a carriage return; lines end with a line feed alone",
        ),
        (
            "a 1 1.5",
            "\"1.5\" is no time: write milliseconds since 1970 as a whole number",
        ),
        (
            "a 1 2 3",
            "\"3\" follows the sample: a value and a time is all there may be",
        ),
        (
            "a 1 # {b=\"c\"} 1",
            "an exemplar follows the sample; only OpenMetrics has them, and the page is plain text",
        ),
        (
            "# TYPE a b",
            "\"b\" is no type of a metric: counter, gauge, histogram, gaugehistogram, summary, info, stateset, unknown or untyped",
        ),
        ("# TYPE", "the comment TYPE names no metric"),
        ("# HELP 1a b", "the comment HELP names no metric"),
    ] {
        let expected = format!("line 2: {problem}");
        check_text(&format!("up 1\n{line}\ndown 0\n"), &["up 1", &expected]);
    }
}

#[test]
fn openmetrics_must_end_with_its_mark() {
    check_open(
        "a 1\n",
        &[
            "a 1",
            "line 1: the page ends without # EOF: it was cut off, or isn't OpenMetrics",
        ],
    );
    check_open("# EOF\na 1\n", &["line 2: something follows # EOF"]);
    check_open(
        "a 1\n\n# EOF\n",
        &[
            "a 1",
            "line 2: it is blank, which OpenMetrics doesn't allow",
        ],
    );
    check_open(
        "a 1 # x\n# EOF\n",
        &["line 1: \"# x\" is no exemplar: write # {label=\"value\"} 1"],
    );
    check_open(
        "a 1 # {b=\"c\"}\n# EOF\n",
        &["line 1: \"\" is no number: write e.g. 1, 2.5e-3, NaN, +Inf or -Inf"],
    );
    check_open(
        "a 1 NaN\n# EOF\n",
        &["line 1: \"NaN\" is no time: write seconds since 1970"],
    );
}

#[test]
fn lines_are_bounded() {
    let ends = |page: &str, end: &str| {
        let last = read(page, Format::Text).pop().expect("an error");
        assert!(last.ends_with(end), "{last}");
    };
    let label = |i: usize| format!("l{i}=\"\",");
    let labels = |count: usize| format!("a{{{}}} 1", (0..count).map(label).collect::<String>());
    assert!(read(&labels(LABELS_MAX), Format::Text)[0].ends_with(" 1"));
    ends(&labels(LABELS_MAX + 1), "more than 128 labels");
    ends(&format!("{} 1", "a".repeat(1025)), "longer than 1024 bytes");
    ends(
        &format!("a{{{}=\"\"}} 1", "a".repeat(1025)),
        "longer than 1024 bytes",
    );
    ends(
        &format!("a{{b=\"{}\"}} 1", "ü".repeat(33_000)),
        "longer than 65536 bytes",
    );
    ends(
        &format!("# {}", "x".repeat(LINE_BYTES_MAX)),
        "a line may have 262144",
    );
}

#[test]
fn bytes_that_are_no_text_are_named_by_their_place() {
    let page = b"up 1\na{b=\"\xff\"} 1\n";
    let error = Parser::of_bytes(page, Format::Text).err().expect("no text");
    assert_eq!(
        error.to_string(),
        "line 2: the bytes from column 6 on are not UTF-8"
    );
}

#[test]
fn a_file_of_samples_needs_their_times() {
    let file = "a{b=\"1\"} 1 10\na{b=\"1\"} 2 20.5\na{b=\"2\"} 3\n# EOF\n";
    let read = samples(file).map(|sample| match sample {
        Ok((labels, sample)) => format!("{labels} {} @{}", sample.value, sample.time_ms),
        Err(error) => error.to_string(),
    });
    let expected = [
        "a{b=\"1\"} 1 @10000",
        "a{b=\"1\"} 2 @20500",
        "line 3: the sample of \"a{b=\\\"2\\\"}\" has no time",
    ];
    assert_eq!(read.collect::<Vec<_>>(), expected);
}
