//! Prints hashes of a forest and of what it says about rows of the tests, which must be the same in
//! every build: `scripts/check_builds.sh` compares them.

#[path = "../tests/all/hashes.rs"]
mod hashes;
#[path = "../tests/all/series.rs"]
#[expect(dead_code, reason = "labels are for the tests")]
mod series;

fn main() {
    for (name, hash) in hashes::hashes() {
        println!("{name} {hash:016x}");
    }
}
