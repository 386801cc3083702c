//! What fuzzing began with and what it has found.

use std::fs;
use std::path::Path;

use embedded::promql::Expression;

use crate::harm;

#[test]
fn the_corpus_does_no_harm() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/promql");
    let source = harm::small_source();
    let (mut count, mut parsed) = (0, 0);
    for entry in fs::read_dir(&corpus).unwrap() {
        let text = fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text);
        harm::evaluate(&source, &text);
        count += 1;
        parsed += usize::from(Expression::parse(&text).is_ok());
    }
    // Most lead into the evaluator, some to where the parser would fall over.
    assert!(
        count >= 30 && parsed >= 20 && parsed < count,
        "{parsed} of {count}"
    );
}
