//! What a job shows to be let in.

use super::keys::{Reader, joined, shown};
use super::tree::{Entry, Node};
use super::{Authorization, ScrapeConfigError, Secret, SecretSource};

/// Of all keys of a job; they belong together.
pub(super) fn read(
    reader: &Reader<'_>,
    entries: &[Entry],
    key: &str,
) -> Result<Option<Authorization>, ScrapeConfigError> {
    let mut found = None;
    for entry in entries {
        let at = joined(key, &entry.key);
        let node = &entry.node;
        let authorization = match entry.key.as_str() {
            "basic_auth" => basic(reader, node, &at)?,
            "authorization" => scheme(reader, node, &at)?,
            "bearer_token" => bearer(given(reader, node, &at)?),
            "bearer_token_file" => bearer(SecretSource::File(reader.file(node, &at)?)),
            _ => continue,
        };
        if found.replace(authorization).is_some() {
            let what =
                "choose one of basic_auth, authorization, bearer_token and bearer_token_file";
            return Err(reader.error(entry.line, &at, what));
        }
    }
    Ok(found)
}

fn basic(reader: &Reader<'_>, node: &Node, at: &str) -> Result<Authorization, ScrapeConfigError> {
    let (mut username, mut password) = (None, None);
    for entry in reader.map(node, at)? {
        let key = joined(at, &entry.key);
        let (place, source) = match entry.key.as_str() {
            "username" => (&mut username, given(reader, &entry.node, &key)?),
            "username_file" => (
                &mut username,
                SecretSource::File(reader.file(&entry.node, &key)?),
            ),
            "password" => (&mut password, given(reader, &entry.node, &key)?),
            "password_file" => (
                &mut password,
                SecretSource::File(reader.file(&entry.node, &key)?),
            ),
            _ => return Err(reader.unknown(entry, at)),
        };
        if place.replace(source).is_some() {
            let what = "it is given as text and as a file; choose one";
            return Err(reader.error(entry.line, &key, what));
        }
    }
    let none = || SecretSource::Given(Secret::new(""));
    Ok(Authorization::Basic {
        username: username.unwrap_or_else(none),
        password: password.unwrap_or_else(none),
    })
}

fn scheme(reader: &Reader<'_>, node: &Node, at: &str) -> Result<Authorization, ScrapeConfigError> {
    let mut scheme = "Bearer".to_owned();
    let mut credentials = None;
    for entry in reader.map(node, at)? {
        let key = joined(at, &entry.key);
        let source = match entry.key.as_str() {
            "type" => {
                scheme = kind(reader, &entry.node, &key)?;
                continue;
            }
            "credentials" => given(reader, &entry.node, &key)?,
            "credentials_file" => SecretSource::File(reader.file(&entry.node, &key)?),
            _ => return Err(reader.unknown(entry, at)),
        };
        if credentials.replace(source).is_some() {
            let what = "they are given as text and as a file; choose one";
            return Err(reader.error(entry.line, &key, what));
        }
    }
    let credentials = credentials
        .ok_or_else(|| reader.error(node.line, at, "it needs credentials or credentials_file"))?;
    Ok(Authorization::Scheme {
        scheme,
        credentials,
    })
}

fn kind(reader: &Reader<'_>, node: &Node, at: &str) -> Result<String, ScrapeConfigError> {
    let kind = reader.text(node, at)?.trim();
    if kind.eq_ignore_ascii_case("basic") {
        return Err(reader.error(node.line, at, "write basic_auth for that"));
    }
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if kind.is_empty() || !kind.chars().all(sound) {
        let what = format!("{:?} is no scheme; write e.g. Bearer", shown(kind));
        return Err(reader.error(node.line, at, what));
    }
    Ok(kind.to_owned())
}

fn bearer(credentials: SecretSource) -> Authorization {
    Authorization::Scheme {
        scheme: "Bearer".to_owned(),
        credentials,
    }
}

fn given(reader: &Reader<'_>, node: &Node, at: &str) -> Result<SecretSource, ScrapeConfigError> {
    // Never in an error: the text is a secret.
    let secret = reader.text(node, at)?;
    if secret.contains(|c: char| c.is_control()) {
        let what = "it holds control characters, which can't be sent";
        return Err(reader.error(node.line, at, what));
    }
    Ok(SecretSource::Given(Secret::new(secret)))
}
