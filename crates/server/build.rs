//! The operator's pages (`make ui`) become part of the binary. Without them it builds as well, and
//! says under `/ui/` how to make them.

use std::path::Path;

fn main() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist");
    // Where it can't be made, the compiler says that it is missing.
    let _ = std::fs::create_dir_all(&pages);
    println!("cargo:rerun-if-changed={}", pages.display());
}
