//! YAML into the tree of settings, with the place of everything and within bounds.

use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::document::{Entry, Node, Origin, Scalar, Value};
use super::problem::{Problem, quoted};

/// Parses a file. An empty one is an empty map.
///
/// # Errors
/// What the YAML parser refuses, with the line: wrong syntax, a key twice, aliases or nesting
/// past the bounds.
pub(super) fn parse(name: &str, text: &str) -> Result<Node, Problem> {
    let name: Arc<str> = name.into();
    let origin = |location: Location| Origin::File {
        name: Arc::clone(&name),
        line: location.line().max(1),
        column: location.column().max(1),
    };
    let parsed = read(text).map_err(|error| {
        Problem::new(
            "not readable as settings",
            error.location().map(origin),
            message_of(&error),
        )
    })?;
    Ok(node(parsed, text, &origin))
}

/// The text of a variable or flag, read as YAML; everything in it has that origin.
pub(super) fn given(text: &str, origin: &Origin) -> Result<Node, String> {
    let parsed = read(text).map_err(|error| message_of(&error))?;
    Ok(node(parsed, text, &|_| origin.clone()))
}

fn read(text: &str) -> Result<Spanned<Parsed>, serde_saphyr::Error> {
    let only_comments = text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if only_comments {
        let nowhere = Location::UNKNOWN;
        return Ok(Spanned::new(Parsed::Null, nowhere, nowhere));
    }
    serde_saphyr::from_str_with_options(text, options())
}

/// Bounds that no honest configuration reaches, and no silent guessing of types.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 24,
            flow_nesting_limit: 24,
            max_documents: 1,
            max_events: 400_000,
            max_nodes: 200_000,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: 100_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 8,
        },
        emit_comments: false,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

/// The parser's message without the position, which is printed once, by us.
fn message_of(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    match error.without_snippet() {
        Error::AliasError { error, .. } => message_of(error),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key {} is given twice", quoted(key))
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "it has more documents, nesting or repetition by aliases than settings may".to_owned()
        }
        other => {
            let text = other.to_string();
            let first_line = text.lines().next().unwrap_or_default();
            let first_line = first_line.strip_prefix("error: ").unwrap_or(first_line);
            let end = first_line.rfind(" at line ").unwrap_or(first_line.len());
            first_line[..end].trim_end_matches([':', ',']).to_owned()
        }
    }
}

/// YAML as it comes, before numbers and booleans get their exact text back.
enum Parsed {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Parsed>>),
    Map(Vec<(Spanned<String>, Spanned<Parsed>)>),
}

fn node(parsed: Spanned<Parsed>, source: &str, origin: &impl Fn(Location) -> Origin) -> Node {
    let written = || {
        let span = parsed.defined.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
        let text = source.get(start..end)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let at = origin(parsed.referenced);
    let value = match parsed.value {
        Parsed::Null => Value::Null,
        Parsed::Bool(flag) => Value::Scalar(Scalar::Bool, flag.to_string()),
        Parsed::Number(ref number) => {
            Value::Scalar(Scalar::Number, written().unwrap_or_else(|| number.clone()))
        }
        Parsed::Text(text) => Value::Scalar(Scalar::Text, text),
        Parsed::List(items) => Value::List(
            items
                .into_iter()
                .map(|item| node(item, source, origin))
                .collect(),
        ),
        Parsed::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    origin: origin(key.referenced),
                    key: key.value,
                    node: node(value, source, origin),
                })
                .collect(),
        ),
    };
    Node { origin: at, value }
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Parsed, D::Error> {
        deserializer.deserialize_any(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Parsed, E> {
        Ok(Parsed::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Parsed, E> {
        Ok(Parsed::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Parsed, E> {
        Ok(Parsed::Number(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Parsed, E> {
        Ok(Parsed::Number(value.to_string()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Parsed, E> {
        Ok(Parsed::Number(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Parsed, E> {
        Ok(Parsed::Number(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Parsed, E> {
        Ok(Parsed::Number(value.to_string()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Parsed, E> {
        Ok(Parsed::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Parsed, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Parsed::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Parsed, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Parsed::Map(map))
    }
}
