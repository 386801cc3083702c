//! YAML into a tree that knows its lines, within bounds.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// The most bytes of a file.
pub(super) const FILE_BYTES_MAX: usize = 4 << 20;

/// A piece of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: u64,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    /// A number or truth value is the text by which it is written, as Prometheus has it where it
    /// wants text.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: u64,
    pub(super) node: Node,
}

/// Why a text is no YAML, and where.
#[derive(Debug)]
pub(super) struct TreeError {
    pub(super) line: u64,
    pub(super) why: String,
}

impl Node {
    /// # Errors
    /// Wrong syntax, a key twice, and what goes beyond the bounds.
    pub(super) fn parse(text: &str) -> Result<Node, TreeError> {
        if text.len() > FILE_BYTES_MAX {
            let why = format!("it is larger than {FILE_BYTES_MAX} bytes");
            return Err(TreeError { line: 1, why });
        }
        let blank = |line: &str| line.is_empty() || line.starts_with('#') || line == "---";
        if text.lines().all(|line| blank(line.trim())) {
            let value = Value::Null;
            return Ok(Node { line: 1, value });
        }
        let parsed = serde_saphyr::from_str_with_options(text, options());
        let parsed: Spanned<Parsed> = parsed.map_err(|error| TreeError {
            line: error.location().map_or(1, line_of),
            why: message_of(&error),
        })?;
        Ok(node(parsed, text))
    }

    /// How it is called where something else is wanted.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

fn line_of(location: Location) -> u64 {
    location.line().max(1)
}

/// Bounds that no honest configuration reaches.
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
            format!("the key {key:?} is given twice")
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

/// YAML as it comes, before numbers and truth values get their exact text back.
enum Parsed {
    Null,
    /// How it would be printed.
    Plain(String),
    Text(String),
    List(Vec<Spanned<Parsed>>),
    Map(Vec<(Spanned<String>, Spanned<Parsed>)>),
}

fn node(parsed: Spanned<Parsed>, source: &str) -> Node {
    let written = || {
        let span = parsed.defined.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
        let text = source.get(start..end)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let line = line_of(parsed.referenced);
    let value = match parsed.value {
        Parsed::Null => Value::Null,
        Parsed::Plain(ref shown) => Value::Scalar(written().unwrap_or_else(|| shown.clone())),
        Parsed::Text(text) => Value::Scalar(text),
        Parsed::List(items) => {
            Value::List(items.into_iter().map(|item| node(item, source)).collect())
        }
        Parsed::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Entry {
                line: line_of(key.referenced),
                key: key.value,
                node: node(value, source),
            });
            Value::Map(entries.collect())
        }
    };
    Node { line, value }
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
        f.write_str("a configuration")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Parsed, E> {
        Ok(Parsed::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Parsed, E> {
        Ok(Parsed::Plain(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Parsed, E> {
        Ok(Parsed::Plain(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Parsed, E> {
        Ok(Parsed::Plain(value.to_string()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Parsed, E> {
        Ok(Parsed::Plain(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Parsed, E> {
        Ok(Parsed::Plain(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Parsed, E> {
        Ok(Parsed::Plain(value.to_string()))
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
