use clap::Parser;
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;
use crate::cli::{Cli, Command, LabCommand};

const LINES: &str = "orders\to.S\tINFO\t[place][order: 17]\norders\to.S\tINFO\t[place][order: 18]\norders\t\tWARN\tgone\\nat last\n";
const TRUTH: &str = "place\nplace\ngone\n";

/// A folder with these files; those that end in `.gz` are gzipped.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = File::create(folder.path().join(name)).unwrap();
        if name.ends_with(".gz") {
            let mut gzip = GzEncoder::new(file, Compression::fast());
            gzip.write_all(text.as_bytes()).unwrap();
            gzip.finish().unwrap();
        } else {
            (&file).write_all(text.as_bytes()).unwrap();
        }
    }
    folder
}

fn run(folder: &Path, more: &[&str]) -> anyhow::Result<()> {
    let folder = folder.display().to_string();
    let words = ["bellwether", "lab", "logs", folder.as_str()];
    let cli = Cli::parse_from(words.iter().chain(more));
    let Command::Lab(asked) = cli.command else {
        panic!("not lab")
    };
    let LabCommand::Logs(asked) = asked.command else {
        panic!("not logs")
    };
    logs(&asked).map(|_| ())
}

/// What is said to have gone wrong, with its cause.
fn refused(folder: &Path, more: &[&str]) -> String {
    let error = run(folder, more).unwrap_err();
    assert!(error.is::<LogsError>(), "{error:#}");
    format!("{error:#}")
}

#[test]
fn lines_are_read_gzipped_or_not() {
    let all = [
        ("lines.tsv.gz", LINES),
        ("truth.txt.gz", TRUTH),
        ("lines.tsv", LINES),
        ("truth.txt", TRUTH),
    ];
    for files in [&all[..2], &all[2..], &all[1..3], &all[2..3]] {
        let folder = folder(files);
        let read = lines(folder.path()).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[2].message, "gone\nat last");
        let truth = truth(folder.path(), 3).unwrap();
        assert_eq!(
            truth.map(|truth| truth.join(" ")),
            (files.len() > 1).then(|| "place place gone".into())
        );
        run(folder.path(), &["--json"]).unwrap();
    }
}

#[test]
fn ids_are_written_one_for_each_line() {
    let folder = folder(&[("lines.tsv", LINES)]);
    let path = folder.path().join("ids.txt");
    run(folder.path(), &["--ids", path.to_str().unwrap()]).unwrap();
    let ids = std::fs::read_to_string(&path).unwrap();
    let ids: Vec<&str> = ids.lines().collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    let nowhere = folder.path().join("not/there");
    let error = refused(folder.path(), &["--ids", nowhere.to_str().unwrap()]);
    assert!(error.starts_with("write "), "{error}");
}

#[test]
fn what_cannot_be_used_is_said() {
    let check = |files: &[(&str, &str)], expected: &str| {
        let folder = folder(files);
        let error = refused(folder.path(), &[]);
        assert!(error.contains(expected), "{error}");
    };
    check(&[], "has neither lines.tsv.gz nor lines.tsv");
    check(&[("lines.tsv", "")], "lines.tsv has no lines");
    check(
        &[("lines.tsv", "a\tb\tINFO\tc\na\tb\n")],
        "line 2: expected service, logger, level and message with tabs between, found 2 fields",
    );
    check(
        &[("lines.tsv", LINES), ("truth.txt", "place\n")],
        "truth.txt has 1 lines, but there are 3 log lines",
    );
    let missing = refused(Path::new("not/there"), &[]);
    assert!(missing.contains("not/there is no folder"), "{missing}");
}
