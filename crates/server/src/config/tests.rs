//! What is promised of the configuration. Cases are files: `tests/fixtures/config/good` and
//! `bad`, whose comments say which messages (`# expect:`, `# warns:`) must and (`# without:`)
//! must not appear.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::{MetricId, ServiceId, Severity};
use incident::ResolveWhen;

use super::*;

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join(kind))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// The texts behind `# word:` in a file.
fn notes<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let start = format!("# {word}: ");
    text.lines()
        .filter_map(|line| line.strip_prefix(&start))
        .collect()
}

/// Loads a file's text and holds its messages against its comments.
fn check(path: &Path) -> Option<Loaded> {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy();
    let expected = notes(&text, "expect");
    match Config::from_yaml(&text) {
        Ok(loaded) => {
            assert!(expected.is_empty(), "{name} was accepted");
            let warns = notes(&text, "warns");
            assert_eq!(loaded.warnings.len(), warns.len(), "{name}: {loaded:#?}");
            for fragment in warns {
                let warned = loaded.warnings.iter().any(|text| text.contains(fragment));
                assert!(warned, "{name}: no {fragment:?} in {:#?}", loaded.warnings);
            }
            Some(loaded)
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!expected.is_empty(), "{name} was refused: {message}");
            for fragment in expected {
                assert!(message.contains(fragment), "{name}: {fragment}\n{message}");
            }
            for fragment in notes(&text, "without") {
                assert!(!message.contains(fragment), "{name}: {fragment}\n{message}");
            }
            None
        }
    }
}

fn with(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let overrides: Vec<(String, String)> = pairs
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    layers::combine(None, std::iter::empty(), &overrides).map_err(ConfigError::Refused)
}

fn from_env(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let file = layers::File::of_text("tick: 20s\nprometheus: { url: 'http://file:9090' }\n");
    let env = pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    layers::combine(Some(&file), env, &[]).map_err(ConfigError::Refused)
}

#[test]
fn good_files_are_accepted_with_their_warnings() {
    for path in fixtures("good") {
        assert!(check(&path).is_some());
    }
}

#[test]
fn bad_files_are_refused_with_place_and_reason() {
    let files = fixtures("bad");
    assert!(files.len() >= 25, "{}", files.len());
    for path in files {
        let started = Instant::now();
        assert!(check(&path).is_none());
        assert!(started.elapsed() < Duration::from_secs(5), "{path:?}");
    }
}

#[test]
fn the_effective_configuration_reads_back_as_the_same() {
    for path in fixtures("good") {
        let config = check(&path).unwrap().config;
        let yaml = effective_yaml(&config);
        let mut again = Config::from_yaml(&yaml)
            .unwrap_or_else(|error| panic!("{error}\n{yaml}"))
            .config;
        assert!(!yaml.contains("hunter2"), "{yaml}");
        again.prometheus.auth = config.prometheus.auth.clone();
        again.prometheus.headers = config.prometheus.headers.clone();
        for (again, receiver) in again
            .notify
            .receivers
            .iter_mut()
            .zip(&config.notify.receivers)
        {
            assert_eq!(again.headers.len(), receiver.headers.len(), "{yaml}");
            again.headers = receiver.headers.clone();
            again.auth = receiver.auth.clone();
            again.kind = receiver.kind.clone();
        }
        if let (Some(again), Some(heartbeat)) =
            (&mut again.notify.heartbeat, &config.notify.heartbeat)
        {
            again.url = heartbeat.url.clone();
        }
        assert_eq!(again, config, "{yaml}");
    }
}

#[test]
fn texts_of_every_look_survive_printing() {
    for text in [
        "007",
        "1e3",
        "null",
        "~",
        "true",
        "no",
        ".inf",
        "- a",
        "# a",
        "a: b",
        "a #b",
        "'",
        "\"",
        "%",
        " led",
        "trailed ",
        "two  spaces",
        "two\nlines",
        "a\n\n b\n",
        "tab\t",
        "${x}",
        "*a",
        "&a",
        "!a",
        "{",
        "[",
        "|",
        ">",
        "<secret>",
        "ü 💥",
        "\u{85}",
        "\u{feff}",
        "\u{7}",
        "\\n",
        &"word ".repeat(60),
    ] {
        let mut specs: Vec<_> = Config::default().metrics.iter().cloned().collect();
        specs[0].title = text.to_owned();
        specs[0].query = format!("{text}$identity{text}");
        let config = Config {
            metrics: Catalogue::new(specs).unwrap(),
            ..Config::default()
        };
        let yaml = effective_yaml(&config);
        let again = Config::from_yaml(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        assert_eq!(again.config, config, "{text:?}\n{yaml}");
    }
}

#[test]
fn a_full_file_sets_everything() {
    let path = fixtures("good")
        .into_iter()
        .find(|p| p.ends_with("full.yaml"));
    let config = check(&path.unwrap()).unwrap().config;
    let id = |text| MetricId::new(text).unwrap();
    assert_eq!(
        config.prometheus.url.as_str(),
        "http://prometheus.example:9090/base"
    );
    assert_eq!(config.prometheus.headers["X-Scope-OrgID"].expose(), "007");
    assert_eq!(config.server.hosts, ["bellwether.example"]);
    assert!(
        matches!(&config.training.schedule, Schedule::Cron { text, .. } if text == "30 3 * * mon-fri")
    );
    assert_eq!(config.training.seed, u64::MAX);
    let lat = config.metrics.get(&id("lat")).unwrap();
    assert_eq!(
        lat.fallback, None,
        "a new query drops the built-in fallback"
    );
    assert_eq!(lat.valid, (0.0, f64::MAX));
    assert_eq!(lat.title, "Latency p99");
    let payments = lat.thresholds_for(&ServiceId::new("payments").unwrap());
    assert_eq!(
        (payments.high, payments.critical),
        (Some(400.0), Some(3000.0))
    );
    let cpu = config.metrics.get(&id("cpu")).unwrap();
    assert_eq!(cpu.thresholds.high, Some(80.0));
    let odd = cpu.thresholds_for(&ServiceId::new("a/b.c").unwrap());
    assert_eq!((odd.high, odd.critical), (Some(80.0), Some(99.0)));
    let webhook = &config.notify.receivers[0].kind;
    assert!(matches!(webhook, ReceiverKind::Webhook(address)
        if address.to_string() == "https://hooks.example/<secret>"));
    let default = Config::default();
    for (path, is_default) in [
        ("tick", config.tick == default.tick),
        ("decide", config.decide == default.decide),
        ("retention", config.retention == default.retention),
        ("limits", config.limits == default.limits),
        ("notify", config.notify == default.notify),
        ("log", config.log == default.log),
        ("season", config.season == default.season),
        ("listen", config.listen == default.listen),
    ] {
        assert!(!is_default, "{path}");
    }
}

#[test]
fn later_layers_win() {
    let file = layers::File::of_text("tick: 20s\ndata_dir: file\nlisten: 127.0.0.1:1\n");
    let env = [
        ("BELLWETHER_TICK", "30s"),
        ("BELLWETHER_LISTEN", "127.0.0.1:2"),
    ];
    let env = env.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let flags = [("tick".to_owned(), "40s".to_owned())];
    let loaded = layers::combine(Some(&file), env.into_iter(), &flags).unwrap();
    assert_eq!(loaded.config.tick, Duration::from_secs(40));
    assert_eq!(loaded.config.listen.port(), 2);
    assert_eq!(loaded.config.data_dir, Path::new("file"));
}

#[test]
fn variables_reach_every_level_and_kind() {
    let config = from_env(&[
        ("BELLWETHER_PROMETHEUS__URL", "http://env:9090"),
        ("BELLWETHER_PROMETHEUS__BEARER_TOKEN", "*hunter2: [not yaml"),
        ("BELLWETHER_IDENTITY", "service, app"),
        ("BELLWETHER_SCOPE", "[namespace]"),
        ("BELLWETHER_LOGS", "[{ path: '/logs/{service}.json' }]"),
        ("BELLWETHER_TRAINING", "{ trees: 10, seed: 3 }"),
        ("BELLWETHER_TRAINING__TREES", "20"),
        ("BELLWETHER_METRICS__CPU__HIGH", "70"),
        ("BELLWETHER_SERVER__UNSAFE_LISTEN", "true"),
        ("BELLWETHER_TICK", ""),
        ("BELLWETHER_PORT_9092_TCP", "tcp://10.0.0.1:9092"),
        ("BELLWETHER_SERVICE_HOST", "10.0.0.1"),
        ("BELLWETHER_CONFIG", "elsewhere.yaml"),
        ("HOME", "/home/me"),
    ])
    .unwrap()
    .config;
    assert_eq!(config.prometheus.url.as_str(), "http://env:9090");
    let token = Secret::new("*hunter2: [not yaml");
    assert_eq!(config.prometheus.auth, Some(Auth::Bearer(token)));
    assert_eq!(config.identity, ["service", "app"]);
    assert_eq!(config.scope, ["namespace"]);
    assert_eq!(config.logs[0].path, "/logs/{service}.json");
    assert_eq!((config.training.trees, config.training.seed), (20, 3));
    assert!(config.server.unsafe_listen);
    assert_eq!(config.tick, Duration::from_secs(20), "empty means not set");
    let cpu = config.metrics.get(&MetricId::new("cpu").unwrap()).unwrap();
    assert_eq!(cpu.thresholds.high, Some(70.0));
}

#[test]
fn refusals_name_the_variable_or_flag() {
    let refused = |name, text| from_env(&[(name, text)]).unwrap_err().to_string();
    for (name, text, fragments) in [
        (
            "BELLWETHER_TIK",
            "1s",
            "unknown key `tik` in the environment variable BELLWETHER_TIK; did you mean `tick`?",
        ),
        (
            "BELLWETHER_TICK",
            "0s",
            "`tick` is `0s` in the environment variable BELLWETHER_TICK; it must be",
        ),
        (
            "BELLWETHER_TRAINING__TREES",
            "many",
            "`training.trees` is `many` in the environment variable",
        ),
        (
            "BELLWETHER_TRAINING",
            "{ treees: 1 }",
            "unknown key `training.treees` in the environment variable",
        ),
        (
            "BELLWETHER_PROMETHEUS__HEADERS",
            "hunter2",
            "`prometheus.headers` is a text in the environment variable",
        ),
        (
            "BELLWETHER_LOGS",
            "[{",
            "`logs` is a text in the environment variable BELLWETHER_LOGS",
        ),
    ] {
        let message = refused(name, text);
        assert!(message.contains(fragments), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let message = with(&[("decide.quiet", "1s")]).unwrap_err().to_string();
    assert!(
        message.contains("in the command line (decide.quiet)"),
        "{message}"
    );
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "hunter2\n").unwrap();
    let loaded = with(&[("prometheus.bearer_token_file", token.to_str().unwrap())]).unwrap();
    let Some(Auth::Bearer(secret)) = &loaded.config.prometheus.auth else {
        panic!("{loaded:?}");
    };
    assert_eq!(secret.expose(), "hunter2");
    assert_eq!(secret.file(), Some(token.as_path()));
    let yaml = effective_yaml(&loaded.config);
    assert!(yaml.contains("bearer_token_file:"), "{yaml}");
    assert!(!format!("{loaded:?} {secret} {yaml}").contains("hunter2"));
    std::fs::write(&token, "").unwrap();
    let error = with(&[("prometheus.bearer_token_file", token.to_str().unwrap())]);
    assert!(error.unwrap_err().to_string().contains("not empty"));
}

#[cfg(unix)]
#[test]
fn an_inline_secret_in_an_open_file_is_remarked() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let text = "prometheus: { url: 'https://p', bearer_token: hunter2, headers: { X-A: b } }\n";
    std::fs::write(&path, text).unwrap();
    for (mode, warnings) in [(0o600, 0), (0o640, 2), (0o644, 2)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let loaded = Config::load(Some(&path), std::iter::empty(), &[]).unwrap();
        assert_eq!(loaded.warnings.len(), warnings, "{:?}", loaded.warnings);
        assert_eq!(loaded.source, Source::File(path.clone()));
    }
}

#[test]
fn files_of_users_and_tokens_are_read_where_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    let shown = path.display().to_string();
    let settings = [
        ("server.auth.tokens_file", shown.as_str()),
        ("listen", "0.0.0.0:1"),
    ];
    std::fs::write(&path, "ci:root:abc").unwrap();
    let error = with(&settings).unwrap_err().to_string();
    assert!(
        error.contains("line 1 of") && error.contains("\"root\" is none of"),
        "{error}"
    );
    assert!(error.contains(&shown), "{error}");

    let (token, line) = access::new_token("ci", access::Role::Viewer).unwrap();
    std::fs::write(&path, &line).unwrap();
    let loaded = with(&settings).unwrap();
    assert!(loaded.config.server.auth.is_on());
    assert!(
        loaded
            .config
            .server
            .auth
            .read()
            .unwrap()
            .token(&token)
            .is_some()
    );
    let warnings = loaded.warnings.join("\n");
    assert!(
        warnings.contains("unencrypted") && warnings.contains("chmod 600"),
        "{warnings}"
    );
    let hash = line.rsplit(':').next().unwrap();
    assert!(!effective_yaml(&loaded.config).contains(hash));

    std::fs::write(&path, "# nobody yet\n").unwrap();
    let warnings = with(&settings).unwrap().warnings.join("\n");
    assert!(warnings.contains("names nobody"), "{warnings}");
}

#[test]
fn files_that_cannot_be_settings_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let refused = || Config::load(Some(&path), std::iter::empty(), &[]).unwrap_err();
    assert!(
        matches!(refused(), ConfigError::Read { .. }),
        "a named file must be there"
    );
    std::fs::write(&path, [b't', 0xff]).unwrap();
    assert!(matches!(refused(), ConfigError::NotText { .. }));
    std::fs::write(&path, vec![b'#'; FILE_BYTES_MAX as usize + 1]).unwrap();
    assert!(refused().to_string().contains("larger than 1048576 bytes"));
    std::fs::write(&path, "\u{feff}tick: 20s\r\n").unwrap();
    let loaded = Config::load(Some(&path), std::iter::empty(), &[]).unwrap();
    assert_eq!(loaded.config.tick, Duration::from_secs(20));
}

/// The keys below a path, as serde knows them: what an unknown key would be told.
fn fields(path: &str) -> Option<BTreeSet<String>> {
    let unknown = format!(
        "{path}{}zzzzzzzzzzzzzzz",
        if path.is_empty() { "" } else { "." }
    );
    let message = with(&[(&unknown, "x")]).err()?.to_string();
    let known = message.split("known here: ").nth(1)?.lines().next()?;
    Some(known.split(", ").map(str::to_owned).collect())
}

/// All leaves of the raw settings below `path`; `row` is the same path as the table writes it.
fn leaves(path: &str, row: &str, found: &mut BTreeSet<String>) {
    let Some(fields) = fields(path) else {
        found.insert(row.to_owned());
        return;
    };
    let join = |parent: &str, key: &str| match parent {
        "" => key.to_owned(),
        parent => format!("{parent}.{key}"),
    };
    for field in fields {
        let (path, row) = (join(path, &field), join(row, &field));
        match row.as_str() {
            "metrics" | "services.<name>.metrics" => {
                leaves(&format!("{path}.cpu"), &format!("{row}.<id>"), found);
            }
            "services" => leaves("services.x", "services.<name>", found),
            "prometheus.headers" => {
                found.insert(format!("{row}.<name>"));
            }
            "logs" | "auto_resolve" | "notify.receivers" => items(&row, "", found),
            _ => leaves(&path, &row, found),
        }
    }
}

/// All leaves of the items of a list, below the section of an item.
fn items(list: &str, section: &str, found: &mut BTreeSet<String>) {
    let unknown = match section {
        "" => "zzzzzzzzzzzz: 1".to_owned(),
        section => format!("{section}: {{ zzzzzzzzzzzz: 1 }}"),
    };
    let list_of_one = format!("[ {{ {unknown} }} ]");
    let text = list
        .rsplit('.')
        .fold(list_of_one, |inner, key| format!("{{ {key}: {inner} }}"));
    let error = Config::from_yaml(&text).unwrap_err();
    let message = error.to_string();
    let known = message.split("known here: ").nth(1).unwrap();
    let known = known.lines().next().unwrap();
    for key in known.split(", ") {
        match (list, section, key) {
            ("logs", "", "fields") | ("notify.receivers", "", "basic_auth") => {
                items(list, key, found);
            }
            ("notify.receivers", "", "headers") => {
                found.insert(format!("{list}[].headers.<name>"));
            }
            (_, "", _) => drop(found.insert(format!("{list}[].{key}"))),
            _ => drop(found.insert(format!("{list}[].{section}.{key}"))),
        }
    }
}

#[test]
fn the_table_has_every_key_and_no_other() {
    let mut found = BTreeSet::new();
    leaves("", "", &mut found);
    let table: BTreeSet<String> = KEYS.iter().map(|key| key.path.to_owned()).collect();
    assert_eq!(found, table);
    assert_eq!(table.len(), KEYS.len(), "no key twice");
}

#[test]
fn every_default_of_the_table_is_the_built_in_one() {
    let query = ("metrics.probe.query", "max by ($identity) (probe)");
    let default = Config::default();
    let default_with_probe = with(&[query]).unwrap().config;
    for key in KEYS
        .iter()
        .filter(|key| !matches!(key.default, "" | "the id"))
        // Those of lists have a test of their own.
        .filter(|key| !key.path.contains("[]"))
    {
        let path = key.path.replace("<id>", "probe");
        let loaded = with(&[query, (path.as_str(), key.default)]);
        let config = loaded
            .unwrap_or_else(|error| panic!("{path}: {error}"))
            .config;
        assert_eq!(config, default_with_probe, "{path}");
        if path == key.path {
            assert_eq!(
                with(&[(&path, key.default)]).unwrap().config,
                default,
                "{path}"
            );
        }
    }
}

#[test]
fn rules_that_resolve_have_a_name_and_one_time() {
    let rules = |yaml: &str| Config::from_yaml(&format!("auto_resolve: [ {yaml} ]"));
    let config = rules("{ name: calm, quiet_for: 30m }").unwrap().config;
    let [rule] = &config.auto_resolve[..] else {
        panic!("{:?}", config.auto_resolve);
    };
    assert_eq!(
        (rule.services.len(), rule.severity_max),
        (0, Severity::Critical)
    );
    assert_eq!(rule.when, ResolveWhen::QuietFor(Duration::from_secs(1_800)));
    for (yaml, says) in [
        ("{ quiet_for: 30m }", "give each rule a name of its own"),
        ("{ name: a }", "give it either quiet_for or gone_for"),
        (
            "{ name: a, quiet_for: 30m, gone_for: 1h }",
            "has no one time",
        ),
        ("{ name: a, quiet_for: 1s }", "it must be 1m to 3650d"),
        (
            "{ name: a, gone_for: 1h, severity_max: Normal }",
            "incidents are High or Critical",
        ),
        (
            "{ name: a, gone_for: 1h }, { name: a, gone_for: 2h }",
            "has the name `a`",
        ),
    ] {
        let error = rules(yaml).unwrap_err().to_string();
        assert!(error.contains(says), "{yaml}: {error}");
    }
}

#[test]
fn log_sources_have_fields_and_a_zone() {
    let logs =
        |yaml: &str| Config::from_yaml(&format!("logs: [ {{ path: '/l/{{service}}', {yaml} }} ]"));
    let first = |yaml: &str| logs(yaml).unwrap().config.logs.remove(0);
    let plain = first("");
    assert_eq!(plain.fields, sources::LogFields::default());
    assert_eq!(plain.zone, jiff::tz::TimeZone::UTC);
    let given = first("fields: { time: at.when, service: app }, zone: europe/berlin");
    assert_eq!(given.fields.time.as_deref(), Some("at.when"));
    assert_eq!(given.fields.service.as_deref(), Some("app"));
    assert_eq!(given.zone.iana_name(), Some("Europe/Berlin"));
    let long = format!("fields: {{ level: {} }}", "x".repeat(300));
    for (yaml, says) in [
        ("zone: Europe/Berln", "did you mean `Europe/Berlin`?"),
        ("zone: CEST", "did you mean `CET`?"),
        (
            "zone: '+02:00'",
            "it must be a name of the IANA time zone database",
        ),
        (
            "zone: Mars/Olympus",
            "`zone` of log source 0 is `Mars/Olympus`",
        ),
        (
            "fields: { mesage: m }",
            "did you mean `logs.0.fields.message`?",
        ),
        ("fields: [ a ]", "`logs.0.fields` is a list"),
        (
            "fields: { time: '' }",
            "`fields.time` of log source 0 is ``",
        ),
        ("fields: { time: 'a..b' }", "it must be the name of a field"),
        ("fields: { time: 'a.' }", "it must be the name of a field"),
        (&long, "it must be the name of a field"),
        (
            "fields: { time: a, level: a }",
            "`fields.level` of log source 0 is `a`, as `fields.time` is",
        ),
    ] {
        let error = logs(yaml).unwrap_err().to_string();
        assert!(error.contains(says), "{yaml}: {error}");
    }
}

#[test]
fn every_key_has_its_sentence() {
    for key in KEYS {
        assert!(key.sentence.ends_with('.'), "{}", key.path);
        assert!(!key.meaning().is_empty(), "{}", key.path);
        let cells = format!("{}{}{}", key.default, key.range, key.sentence);
        assert!(!cells.contains('|'), "{} would break its table", key.path);
    }
}

/// Run with `UPDATE_DOCS=1` to write it anew.
#[test]
fn the_committed_reference_is_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, reference_markdown()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == reference_markdown(),
        "docs/configuration.md is behind the table of keys; run this test with UPDATE_DOCS=1"
    );
}

/// A small generator of texts: bytes that YAML has opinions about, and pieces of good files.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap()
    }

    fn byte(&mut self) -> u8 {
        const LOUD: &[u8] = b"\n\n\n  ::-,[]{}#&*!|>'\"%@`?~<=.0159eE_\t\r\\";
        match self.next() % 3 {
            0 => LOUD[self.next() % LOUD.len()],
            _ => u8::try_from(self.next() % 256).unwrap(),
        }
    }
}

#[test]
fn no_text_makes_it_panic() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for _ in 0..1_500 {
        let bytes: Vec<u8> = (0..noise.next() % 200).map(|_| noise.byte()).collect();
        let _ = Config::from_yaml(&String::from_utf8_lossy(&bytes));
    }
    let full = fixtures("good")
        .into_iter()
        .find(|p| p.ends_with("full.yaml"));
    let full = std::fs::read(full.unwrap()).unwrap();
    for _ in 0..1_500 {
        let mut bytes = full.clone();
        for _ in 0..=noise.next() % 4 {
            let at = noise.next() % bytes.len();
            let until = (at + noise.next() % 12).min(bytes.len());
            let new: Vec<u8> = (0..noise.next() % 6).map(|_| noise.byte()).collect();
            bytes.splice(at..until, new);
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Err(error) = Config::from_yaml(&text) {
            assert!(!error.to_string().is_empty());
        }
        let text = text.chars().take(80).collect::<String>();
        let _ = with(&[
            ("training", &text),
            ("logs", &text),
            ("tick", &text),
            (&text, "1"),
        ]);
    }
}
