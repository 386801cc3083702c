//! Columns of every kind return bit for bit, and cost what is said of them.

use proptest::prelude::*;

use super::*;

/// Encodes columns one after the other, as a block does, reads them back, and returns how many
/// bytes each takes.
fn check(columns: &[Vec<f64>]) -> Vec<usize> {
    let mut encoder = Encoder::default();
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for column in columns {
        encoder.encode(column, false, &mut bytes);
        ends.push(bytes.len());
    }
    let mut previous = Previous::default();
    let mut rows = Vec::new();
    let mut at = 0;
    let mut lengths = Vec::new();
    for (column, end) in columns.iter().zip(ends) {
        let next = decode(&bytes, at, column.len(), &mut previous, &mut rows);
        assert_eq!(next, Some(end), "{column:?}");
        let bits = |rows: &[f64]| rows.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&rows), bits(column));
        lengths.push(end - at);
        at = end;
    }
    lengths
}

/// Values as targets say them, and as they don't.
fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => Just(0.0),
        4 => (0_i64..2000).prop_map(|whole| whole as f64),
        2 => (0_i64..9_000_000_000_000).prop_map(|nanos| nanos as f64 / 1e9),
        1 => any::<u64>().prop_map(f64::from_bits).prop_map(|value| if is_hole(value) { 0.5 } else { value }),
        1 => any::<f64>(),
        1 => prop::sample::select(vec![
            -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, f64::MAX,
            9_007_199_254_740_992.0, -9_007_199_254_740_993.0, 0.1 + 0.2, 1e15 / 3.0,
        ]),
        2 => Just(stale_marker()),
        2 => Just(hole()),
    ]
}

fn walk(start: i64, steps: Vec<i64>, unit: f64) -> Vec<f64> {
    let mut at = start;
    let value = |step| {
        at += step;
        at as f64 / unit
    };
    steps.into_iter().map(value).collect()
}

proptest! {
    #[test]
    fn any_values_read_back(columns in prop::collection::vec(prop::collection::vec(any_value(), 1..40), 1..5)) {
        check(&columns);
    }

    #[test]
    fn walks_read_back(
        start in -1_000_000_000_i64..1_000_000_000,
        steps in prop::collection::vec(-1_000_000_i64..1_000_000, 1..120),
        places in 0_usize..10,
    ) {
        check(&[walk(start, steps, POWERS[places])]);
    }

    #[test]
    fn counters_with_resets_read_back(steps in prop::collection::vec((0_i64..500, 0_u8..20), 1..120)) {
        let mut total = 0;
        let values = steps.into_iter().map(|(step, reset)| {
            total = if reset == 0 { step } else { total + step };
            total as f64
        });
        check(&[values.collect()]);
    }

    #[test]
    fn histograms_read_back(
        observations in prop::collection::vec(prop::collection::vec(0_i64..4, 30), 1..80),
        holes in prop::collection::vec(0_u8..12, 80),
    ) {
        let mut columns = vec![Vec::new(); 30];
        let mut totals = [0; 30];
        for (row, observed) in observations.iter().enumerate() {
            let mut sum = 0;
            for (bucket, count) in observed.iter().enumerate() {
                totals[bucket] += count;
                sum += totals[bucket];
                let value = match holes[row] { 0 => hole(), 1 => stale_marker(), _ => sum as f64 };
                columns[bucket].push(value);
            }
        }
        check(&columns);
    }

    #[test]
    fn bytes_that_are_no_column_are_no_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        wholes in prop::collection::vec(any::<i64>(), 0..20),
        row_count in 1_usize..120,
    ) {
        let mut previous = Previous { wholes, scale: 0 };
        let mut rows = Vec::new();
        if decode(&bytes, 0, row_count, &mut previous, &mut rows).is_some() {
            prop_assert_eq!(rows.len(), row_count);
        }
    }
}

#[test]
fn a_constant_takes_a_few_bytes() {
    assert_eq!(
        check(&[vec![0.0; 80], vec![4096.0; 80], vec![0.25; 80]]),
        [2, 3, 2]
    );
}

#[test]
fn a_bucket_that_moves_as_the_one_before_is_as_cheap_as_a_constant() {
    let steps: Vec<i64> = (0..80).map(|row| row * 7919 % 13).collect();
    let lower = walk(1000, steps.clone(), 1.0);
    let upper: Vec<f64> = lower.iter().map(|value| value + 3.0).collect();
    let lengths = check(&[lower, upper]);
    assert!(lengths[0] > 30 && lengths[1] == 2, "{lengths:?}");
}

#[test]
fn a_rare_step_takes_two_bytes() {
    let mut steps = vec![0; 80];
    steps[40] = 1;
    let lengths = check(&[walk(7, steps, 1.0)]);
    assert!(lengths[0] <= 7, "{lengths:?}");
}

#[test]
fn nanoseconds_are_whole_numbers() {
    let values: Vec<f64> = (0..80)
        .map(|row| (12_345_678_901_i64 + row * 1_000_003) as f64 / 1e9)
        .collect();
    let lengths = check(&[values]);
    assert!(lengths[0] < 80 * 3 + 10, "{lengths:?}");
}
