//! Configurations that the fuzzer kept, read again.

use std::fs;
use std::path::Path;

use crate::harm::read_all;

#[test]
fn the_corpus_does_no_harm() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/scrape_config");
    let mut count = 0;
    for entry in fs::read_dir(&corpus).expect("the corpus lies there") {
        let path = entry.expect("a readable folder").path();
        read_all(&fs::read(&path).expect("a readable file"));
        count += 1;
    }
    assert!(count >= 5, "{count} files in {}", corpus.display());
}
