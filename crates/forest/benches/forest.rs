//! Fit, one row, a thousand rows: 100 trees of 256 rows, 5 features, one thread.

use divan::{Bencher, black_box};
use forest::{Forest, Parameters};

#[path = "../tests/all/series.rs"]
#[expect(dead_code, reason = "labels are for the tests")]
mod series;

fn main() {
    divan::main();
}

fn fitted() -> Forest {
    Forest::fit(
        &series::training().rows,
        series::FEATURES,
        &Parameters::default(),
    )
    .expect("generated rows can be fitted")
}

#[divan::bench]
fn fit_5760_rows(bencher: Bencher) {
    let rows = series::training().rows;
    bencher.bench(|| Forest::fit(black_box(&rows), series::FEATURES, &Parameters::default()));
}

#[divan::bench]
fn score_one_row(bencher: Bencher) {
    let forest = fitted();
    let rows = series::labelled(1000).rows;
    let mut next = rows.chunks(series::FEATURES).cycle();
    bencher.bench_local(|| next.next().map(|row| forest.score(black_box(row))));
}

#[divan::bench]
fn score_1000_rows(bencher: Bencher) {
    let forest = fitted();
    let rows = series::labelled(1000).rows;
    bencher.bench(|| {
        let mut scores = Vec::new();
        forest.score_batch(black_box(&rows), &mut scores);
        scores
    });
}

#[divan::bench]
fn contributions_of_one_row(bencher: Bencher) {
    let forest = fitted();
    let row = &series::labelled(1000).rows[..series::FEATURES];
    bencher.bench(|| forest.contributions(black_box(row)));
}

#[divan::bench]
fn encode(bencher: Bencher) {
    let forest = fitted();
    bencher.bench(|| black_box(&forest).encode());
}

#[divan::bench]
fn decode(bencher: Bencher) {
    let bytes = fitted().encode();
    bencher.bench(|| Forest::decode(black_box(&bytes)));
}
