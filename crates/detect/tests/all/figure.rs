//! Figures of `make show-detector`.

use std::fs::File;
use std::io::Write;

/// Prints a figure with its bar, and whether it keeps it; and writes it down where that is asked for.
pub fn figure(line: u32, what: &str, figure: impl std::fmt::Display, bar: &str, pass: bool) {
    let verdict = if pass { "pass" } else { "short" };
    println!("FIGURE detector {line} | {what} | {figure} | {bar} | {verdict}");
    if let Some(path) = std::env::var_os("BELLWETHER_FIGURES") {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        writeln!(file, "detector {line}\t{what}\t{figure}\t{bar}\t{verdict}").unwrap();
    }
}
