//! `bellwether lab log-shift`: the log patterns around real faults, ranked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use domain::{LogLevel, LogLine, ServiceId, Timestamp};
use flate2::read::MultiGzDecoder;
use lab::log_shift::{Case, Fault, FleetLine, Ranking, Score, Suspect, rank, score};
use serde::Deserialize;
use serde_json::json;

use crate::cli::LabLogShift;
use crate::offline::progress_bar;

/// The folder of the cases within ROOT.
const SYSTEM: &str = "nezha-tt";
/// Faults in code; others say little in logs.
const CODE_FAULTS: [&str; 2] = ["return", "exception"];
/// Suspects that are printed of a case.
const PRINTED: usize = 3;

/// What is wrong with the files that were given.
#[derive(Debug, thiserror::Error)]
pub enum LogShiftError {
    #[error("read {}: name a file or folder that can be read", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}, line {line}: {what}", path.display())]
    Line {
        path: PathBuf,
        line: usize,
        what: String,
    },
    #[error("{}: {what}", path.display())]
    Content { path: PathBuf, what: String },
    #[error("write {}", path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Ranks every case that is asked for and prints what comes of it.
///
/// # Errors
/// [`LogShiftError`] for a file that is missing or can't be understood.
pub fn log_shift(asked: &LabLogShift) -> anyhow::Result<ExitCode> {
    let system = asked.root.join(SYSTEM);
    let wanted = match &asked.asks {
        Some(file) => asks(file)?,
        None => code_faults(&system)?,
    };
    let bar = progress_bar(wanted.len() as u64).with_message("ranking");
    let mut days: BTreeMap<String, Vec<FleetLine>> = BTreeMap::new();
    let mut rankings = Vec::with_capacity(wanted.len());
    for ask in &wanted {
        let case = read_case(&system, ask, &wanted)?;
        let day = case.injected.to_string()[..10].to_owned();
        if !days.contains_key(&day) {
            let file = system.join("baseline-logs").join(format!("{day}.jsonl.gz"));
            days.insert(day.clone(), read_lines(&file)?);
        }
        rankings.push(rank(&case, &days[&day]));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(file) = &asked.out {
        write(file, &rankings)?;
    }
    print(&rankings, asked.json)?;
    Ok(ExitCode::SUCCESS)
}

/// A case that is to be ranked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Ask {
    case: String,
    #[serde(rename = "inject_ts", deserialize_with = "instant")]
    injected: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Truth {
    #[serde(deserialize_with = "instant")]
    inject_ts: Timestamp,
    root_cause_service: String,
    fault_type: String,
    root_cause_detail: Vec<String>,
    #[serde(default)]
    earlier_faults_ts: Vec<f64>,
}

/// Epoch seconds or RFC 3339.
fn instant<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Instant {
        Seconds(f64),
        Text(String),
    }
    let refused = |what: String| serde::de::Error::custom(what);
    match Instant::deserialize(deserializer)? {
        Instant::Seconds(seconds) => Timestamp::from_seconds(seconds)
            .ok_or_else(|| refused(format!("{seconds} is not a time in epoch seconds"))),
        Instant::Text(text) => text
            .trim()
            .parse()
            .map_err(|error| refused(format!("{error}"))),
    }
}

/// The cases of a folder whose truth is a fault in code, by name.
fn code_faults(system: &Path) -> Result<Vec<Ask>, LogShiftError> {
    let failed = |source| LogShiftError::Read {
        path: system.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(system).map_err(failed)? {
        let folder = entry.map_err(failed)?.path();
        let Some(truth) = read_truth(&folder)? else {
            continue;
        };
        if CODE_FAULTS.contains(&truth.fault_type.as_str()) {
            let name = folder.file_name().unwrap_or_default();
            found.push(Ask {
                case: name.to_string_lossy().into_owned(),
                injected: truth.inject_ts,
            });
        }
    }
    if found.is_empty() {
        return Err(LogShiftError::Content {
            path: system.to_owned(),
            what: "no case has a truth.json with a fault in code; name cases with --asks".into(),
        });
    }
    found.sort_by(|a, b| a.case.cmp(&b.case));
    Ok(found)
}

/// What a folder's truth.json says, where there is one.
fn read_truth(folder: &Path) -> Result<Option<Truth>, LogShiftError> {
    let path = folder.join("truth.json");
    if !path.is_file() {
        return Ok(None);
    }
    let text = read(&path)?;
    let truth = serde_json::from_str(&text).map_err(|error| not_json(&path, 0, &error))?;
    Ok(Some(truth))
}

fn read_case(system: &Path, ask: &Ask, all: &[Ask]) -> Result<Case, LogShiftError> {
    let folder = system.join(&ask.case);
    let lines = read_lines(&folder.join("logs.jsonl.gz"))?;
    let truth = read_truth(&folder)?;
    let known = truth.iter().flat_map(|truth| &truth.earlier_faults_ts);
    let known = known.filter_map(|seconds| Timestamp::from_seconds(*seconds));
    let mut earlier: Vec<Timestamp> = known
        .chain(all.iter().map(|ask| ask.injected))
        .filter(|time| *time < ask.injected)
        .collect();
    earlier.sort_unstable();
    earlier.dedup();
    Ok(Case {
        name: ask.case.clone(),
        injected: ask.injected,
        earlier,
        truth: truth
            .filter(|truth| CODE_FAULTS.contains(&truth.fault_type.as_str()))
            .map(fault),
        lines,
    })
}

/// A statement at fault is given as `class#line`; what isn't so is what was logged, not where.
fn fault(truth: Truth) -> Fault {
    let statements = truth.root_cause_detail.iter();
    let mut classes: Vec<String> = statements
        .filter_map(|statement| Some(statement.split_once('#')?.0.to_owned()))
        .collect();
    classes.dedup();
    Fault {
        service: truth.root_cause_service,
        classes,
    }
}

/// The cases of a file: CSV, or JSON that begins with a bracket.
fn asks(path: &Path) -> Result<Vec<Ask>, LogShiftError> {
    let text = read(path)?;
    let text = text.trim_start_matches('\u{feff}');
    let asks = match text.trim_start().chars().next() {
        Some('[' | '{') => asks_of_json(path, text)?,
        _ => asks_of_csv(path, text)?,
    };
    let refused = |what: String| LogShiftError::Content {
        path: path.to_owned(),
        what,
    };
    if asks.is_empty() {
        return Err(refused("no case is named".into()));
    }
    let is_inside = |case: &str| !case.is_empty() && !case.contains(['/', '\\']) && case != "..";
    if let Some(ask) = asks.iter().find(|ask| !is_inside(&ask.case)) {
        return Err(refused(format!(
            "{:?} is not the name of a case's folder",
            ask.case
        )));
    }
    Ok(asks)
}

fn asks_of_json(path: &Path, text: &str) -> Result<Vec<Ask>, LogShiftError> {
    #[derive(Deserialize)]
    struct At(#[serde(deserialize_with = "instant")] Timestamp);
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|error| not_json(path, 0, &error));
    }
    let by_name: BTreeMap<String, At> =
        serde_json::from_str(text).map_err(|error| not_json(path, 0, &error))?;
    let ask = |(case, At(injected))| Ask { case, injected };
    Ok(by_name.into_iter().map(ask).collect())
}

fn asks_of_csv(path: &Path, text: &str) -> Result<Vec<Ask>, LogShiftError> {
    let (mut case_at, mut time_at) = (0, 1);
    let mut asks = Vec::new();
    for (index, row) in text.lines().enumerate() {
        if row.trim().is_empty() {
            continue;
        }
        let fields: Vec<&str> = row.split(',').map(|f| f.trim().trim_matches('"')).collect();
        let column = |name: &str| fields.iter().position(|field| *field == name);
        if let (true, Some(case), Some(time)) =
            (asks.is_empty(), column("case"), column("inject_ts"))
        {
            (case_at, time_at) = (case, time);
            continue;
        }
        let refused = |what: String| LogShiftError::Line {
            path: path.to_owned(),
            line: index + 1,
            what,
        };
        let (Some(case), Some(time)) = (fields.get(case_at), fields.get(time_at)) else {
            return Err(refused(format!("{row:?} is not `case,inject_ts`")));
        };
        asks.push(Ask {
            case: (*case).to_owned(),
            injected: time.parse().map_err(|error| refused(format!("{error}")))?,
        });
    }
    Ok(asks)
}

#[derive(Deserialize)]
struct RawLine {
    #[serde(deserialize_with = "instant")]
    ts: Timestamp,
    service: String,
    #[serde(default)]
    level: String,
    logger: Option<String>,
    message: String,
    trace_id: Option<String>,
    span_id: Option<String>,
}

fn read_lines(path: &Path) -> Result<Vec<FleetLine>, LogShiftError> {
    let failed = |source| LogShiftError::Read {
        path: path.to_owned(),
        source,
    };
    let file = BufReader::new(MultiGzDecoder::new(File::open(path).map_err(failed)?));
    let mut services: BTreeMap<String, ServiceId> = BTreeMap::new();
    let mut lines = Vec::new();
    for (index, line) in file.lines().enumerate() {
        let line = line.map_err(failed)?;
        if line.trim().is_empty() {
            continue;
        }
        let raw: RawLine =
            serde_json::from_str(&line).map_err(|error| not_json(path, index, &error))?;
        if !services.contains_key(&raw.service) {
            let id = ServiceId::new(&raw.service).map_err(|error| LogShiftError::Line {
                path: path.to_owned(),
                line: index + 1,
                what: error.to_string(),
            })?;
            services.insert(raw.service.clone(), id);
        }
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let line = LogLine {
            time: raw.ts,
            level: LogLevel::of(&raw.level),
            logger: some(raw.logger),
            message: raw.message,
            exception: None,
            stack_trace: None,
            trace_id: some(raw.trace_id),
            span_id: some(raw.span_id),
            cut: false,
        };
        lines.push((services[&raw.service].clone(), line));
    }
    Ok(lines)
}

fn read(path: &Path) -> Result<String, LogShiftError> {
    std::fs::read_to_string(path).map_err(|source| LogShiftError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Of a text that begins after so many lines of the file.
fn not_json(path: &Path, lines_before: usize, error: &serde_json::Error) -> LogShiftError {
    LogShiftError::Line {
        path: path.to_owned(),
        line: lines_before + error.line().max(1),
        what: error.to_string(),
    }
}

fn write(path: &Path, rankings: &[Ranking]) -> anyhow::Result<()> {
    let names =
        |ranking: &Ranking| -> Vec<String> { ranking.suspects.iter().map(Suspect::name).collect() };
    let by_case: BTreeMap<&str, Vec<String>> = rankings
        .iter()
        .map(|ranking| (ranking.case.as_str(), names(ranking)))
        .collect();
    let mut text = serde_json::to_string_pretty(&by_case)?;
    text.push('\n');
    std::fs::write(path, text).map_err(|source| LogShiftError::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(())
}

fn print(rankings: &[Ranking], as_json: bool) -> anyhow::Result<()> {
    let Score {
        cases,
        judged,
        top1,
        top3,
    } = score(rankings);
    if as_json {
        let object = match judged {
            0 => json!({ "cases": cases }),
            _ if judged < cases => {
                json!({ "cases": cases, "judged": judged, "top1": top1, "top3": top3 })
            }
            _ => json!({ "cases": cases, "top1": top1, "top3": top3 }),
        };
        println!("{object}");
        return Ok(());
    }
    for ranking in rankings {
        print!("{}", table(ranking));
    }
    if judged > 0 {
        println!(
            "right service and class: first in {top1} of {judged}, in the first three in {top3}"
        );
    } else {
        println!("{cases} cases ranked; none has a truth to judge by");
    }
    Ok(())
}

fn table(ranking: &Ranking) -> String {
    let verdict = match (ranking.is_judged, ranking.position) {
        (false, _) => "not judged".to_owned(),
        (true, Some(position)) => format!("right at {position}"),
        (true, None) => "right one not found".to_owned(),
    };
    let later = match ranking.took_later {
        true => ", also of later in the day, as there are too few before",
        false => "",
    };
    let mut text = format!(
        "{}: {verdict}; {} lines around the fault, {} of baseline{later}\n",
        ranking.case, ranking.lines_during, ranking.lines_before
    );
    for (index, suspect) in ranking.suspects.iter().take(PRINTED).enumerate() {
        let pattern = &suspect.pattern;
        text += &format!(
            "  {}. {} {}  {} {:+.1}\n     {}\n     {}\n",
            index + 1,
            suspect.service,
            suspect.class,
            pattern.level.as_str(),
            pattern.effect,
            pattern.template,
            pattern.text
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gz(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = File::create(path).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap();
    }

    /// `stock` logs what it reserved in each call, but not in calls between two seconds of the day.
    fn log(seconds: std::ops::Range<i64>, silent: std::ops::Range<i64>) -> String {
        let mut text = String::new();
        for second in seconds {
            let time = Timestamp::from_millis(1_800_000_000_000 + second * 1_000);
            let mut line = |logger: &str, message: &str| {
                let line = json!({
                    "ts": time, "service": "stock", "level": "INFO", "logger": logger,
                    "message": message, "trace_id": format!("t{second}"), "span_id": "s",
                });
                text += &format!("{line}\n");
            };
            line("s.c.StockController", "[reserve][asked]");
            if !silent.contains(&second) {
                line(
                    "s.s.StockService",
                    &format!("[reserve][done][item: {second}]"),
                );
            }
        }
        text
    }

    fn root(with_truth: bool) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let system = root.path().join(SYSTEM);
        let day = &Timestamp::from_millis(1_800_000_000_000).to_string()[..10];
        let day = format!("baseline-logs/{day}.jsonl.gz");
        gz(&system.join(day), &log(0..2_000, 0..0));
        gz(
            &system.join("one/logs.jsonl.gz"),
            &log(1_940..2_120, 2_000..2_120),
        );
        if with_truth {
            let truth = json!({
                "case": "one", "inject_ts": 1_800_002_000, "root_cause_service": "stock",
                "fault_type": "return", "earlier_faults_ts": [1_800_000_600],
                "root_cause_detail": ["s.s.StockService#31", "StockController.reserve start"],
            });
            std::fs::write(system.join("one/truth.json"), truth.to_string()).unwrap();
        }
        root
    }

    fn asked(root: &Path, asks: Option<&str>) -> LabLogShift {
        let file = root.join("asks");
        LabLogShift {
            root: root.to_owned(),
            asks: asks.map(|text| {
                std::fs::write(&file, text).unwrap();
                file
            }),
            out: Some(root.join("out.json")),
            json: true,
        }
    }

    fn refused(asked: &LabLogShift) -> String {
        let error = log_shift(asked).unwrap_err();
        assert!(error.is::<LogShiftError>(), "{error:#}");
        format!("{error:#}")
    }

    #[test]
    fn cases_with_truth_are_ranked_and_written() {
        let root = root(true);
        log_shift(&asked(root.path(), None)).unwrap();
        let text = std::fs::read_to_string(root.path().join("out.json")).unwrap();
        let out: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).unwrap();
        assert_eq!(
            out["one"],
            ["stock|s.s.StockService", "stock|s.c.StockController"]
        );
        let case = read_case(
            &root.path().join(SYSTEM),
            &code_faults(&root.path().join(SYSTEM)).unwrap()[0],
            &[],
        )
        .unwrap();
        assert_eq!(case.truth.unwrap().classes, ["s.s.StockService"]);
    }

    #[test]
    fn cases_without_truth_are_asked_for_in_csv_or_json() {
        let root = root(false);
        for asks in [
            "case,inject_ts\none,1800002000\n",
            "one,2027-01-15T08:33:20Z",
            "fault,inject_ts,case\nreturn,1800002000,\"one\"\n",
            r#"[{"case": "one", "inject_ts": 1800002000, "more": 1}]"#,
            r#"{"one": "2027-01-15T08:33:20Z"}"#,
        ] {
            log_shift(&asked(root.path(), Some(asks))).unwrap();
            let text = std::fs::read_to_string(root.path().join("out.json")).unwrap();
            assert!(
                text.contains("\"stock|s.s.StockService\","),
                "{asks}: {text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let root = root(false);
        let none = refused(&asked(root.path(), None));
        assert!(none.contains("--asks"), "{none}");
        let cases = [
            ("one;1800002000", "line 1"),
            ("one,1800002000\none,soon", "line 2"),
            ("[{\"case\": \"one\"}]", "inject_ts"),
            ("case,inject_ts\n", "no case"),
            ("../one,1800002000", "folder"),
            ("two,1800002000", "two"),
        ];
        for (asks, expected) in cases {
            let text = refused(&asked(root.path(), Some(asks)));
            assert!(text.contains(expected), "{asks}: {text}");
        }
        let log = root.path().join(SYSTEM).join("one/logs.jsonl.gz");
        gz(
            &log,
            &format!("{}{{\"ts\": 3}}\n", self::log(1_990..1_991, 0..0)),
        );
        let text = refused(&asked(root.path(), Some("one,1800002000")));
        assert!(text.contains("logs.jsonl.gz, line 3"), "{text}");
    }
}
