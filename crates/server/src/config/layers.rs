//! The layers, from file to flags, and the order in which they are put together.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::decode::decode_all;
use super::document::{Node, Origin, Value};
use super::problem::{ConfigError, Problem};
use super::raw::Raw;
use super::resolve::Resolver;
use super::{DEFAULT_FILE, FILE_BYTES_MAX, Loaded, Source, warnings, yaml};

const PREFIX: &str = "BELLWETHER_";

/// The variables of this process, for [`super::Config::load`].
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, text)| {
        Some((
            name.into_string().ok()?,
            text.to_string_lossy().into_owned(),
        ))
    })
}

/// A file that was read.
pub(super) struct File {
    pub path: PathBuf,
    pub text: String,
    /// Whether others than its owner may read it.
    pub open_to_others: bool,
}

impl File {
    /// A text that never was a file.
    pub fn of_text(text: &str) -> File {
        File {
            path: DEFAULT_FILE.into(),
            text: text.to_owned(),
            open_to_others: false,
        }
    }
}

/// Reads the named file; without a name the default one, if it is there.
pub(super) fn read_file(path: Option<&Path>) -> Result<Option<File>, ConfigError> {
    let named = path.is_some();
    let path = path.unwrap_or(Path::new(DEFAULT_FILE)).to_path_buf();
    let read = || -> std::io::Result<(Vec<u8>, bool)> {
        let file = std::fs::File::open(&path)?;
        let open_to_others = open_to_others(&file.metadata()?);
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok((bytes, open_to_others))
    };
    let (bytes, open_to_others) = match read() {
        Ok(read) => read,
        Err(error) if !named && error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ConfigError::Read { path, source }),
    };
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(ConfigError::TooLarge { path });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(File {
            path,
            text,
            open_to_others,
        })),
        Err(_) => Err(ConfigError::NotText { path }),
    }
}

#[cfg(unix)]
pub(super) fn open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o044 != 0
}

#[cfg(not(unix))]
pub(super) fn open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

/// Defaults, file, environment, flags: parsed, laid over each other, decoded, checked.
pub(super) fn combine(
    file: Option<&File>,
    env: impl Iterator<Item = (String, String)>,
    overrides: &[(String, String)],
) -> Result<Loaded, Vec<Problem>> {
    let mut root = match file {
        Some(file) => yaml::parse(&file.path.display().to_string(), &file.text)
            .map_err(|problem| vec![problem])?,
        None => Node {
            origin: Origin::Flag(String::new()),
            value: Value::Null,
        },
    };
    if let Some(problem) = no_map(&root) {
        return Err(vec![problem]);
    }
    for (path, text, origin) in variables(env).into_iter().chain(flags(overrides)) {
        root.set(&path, &text, &origin);
    }
    let (raw, mut problems) = decode_all::<Raw>(&mut root);
    let mut resolver = Resolver::new(&root);
    let config = resolver.config(raw);
    for found in resolver.problems {
        // What was taken out above may seem missing here: said once is enough.
        if !problems.iter().any(|problem| problem.overlaps(&found)) {
            problems.push(found);
        }
    }
    if !problems.is_empty() {
        problems.sort_by_key(Problem::position);
        return Err(problems);
    }
    Ok(Loaded {
        warnings: warnings::of(&config, &root, file),
        config,
        source: file.map_or(Source::Defaults, |file| Source::File(file.path.clone())),
    })
}

/// A file whose whole is a list or text; laying a variable over it would hide that.
fn no_map(root: &Node) -> Option<Problem> {
    match root.value {
        Value::Null | Value::Map(_) => None,
        _ => Some(Problem::new(
            "the settings are no map",
            Some(root.origin.clone()),
            "write keys and values, such as `tick: 15s`",
        )),
    }
}

type Overlay = (Vec<String>, String, Origin);

/// Our variables in a fixed order, whole maps before their keys. Empty ones count as not set.
fn variables(env: impl Iterator<Item = (String, String)>) -> Vec<Overlay> {
    let mut variables: Vec<Overlay> = env
        .filter(|(name, text)| !text.is_empty() && !is_foreign(name))
        .filter_map(|(name, text)| {
            let path = name.strip_prefix(PREFIX)?.to_lowercase();
            let path = path.split("__").map(str::to_owned).collect();
            Some((path, text, Origin::Environment(name)))
        })
        .collect();
    variables.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
    variables
}

/// Variables with our prefix that are no keys: the paths of this file and of a token, and those that Kubernetes
/// sets in every pod beside a Service named `bellwether`.
fn is_foreign(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return true;
    };
    matches!(
        rest,
        "CONFIG" | "TOKEN_FILE" | "PORT" | "SERVICE_HOST" | "SERVICE_PORT"
    ) || rest.starts_with("PORT_")
        || rest.starts_with("SERVICE_PORT_")
}

fn flags(overrides: &[(String, String)]) -> impl Iterator<Item = Overlay> {
    overrides.iter().map(|(path, text)| {
        (
            path.split('.').map(str::to_owned).collect(),
            text.clone(),
            Origin::Flag(path.clone()),
        )
    })
}
