//! Writes the samples and queries that PromQL is compared with a real Prometheus by:
//! `cargo run -p embedded --example promql_fixture FOLDER` makes `samples.om`, `queries.txt` and, of
//! what only Prometheus 3 answers likewise, `queries_of_three.txt`.

#[path = "../tests/promql/expressions.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod expressions;
#[path = "../tests/promql/samples.rs"]
#[expect(clippy::unwrap_used, reason = "the tests need more of it")]
mod samples;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .ok_or("the folder to write to is missing")?;
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    let samples = samples::openmetrics(&samples::all());
    std::fs::write(folder.join("samples.om"), samples)?;
    std::fs::write(folder.join("queries.txt"), expressions::queries())?;
    std::fs::write(
        folder.join("queries_of_three.txt"),
        expressions::queries_of_three(),
    )?;
    Ok(())
}
