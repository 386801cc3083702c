//! Why a value could not be decoded, with its place.

use std::fmt;

use serde::de;

use super::document::{Entry, Node, Origin};
use super::keys;
use super::problem::{Problem, path_text, quoted};

/// Why a value could not be decoded. The path is gathered from the leaf up.
#[derive(Debug)]
pub(super) struct Refusal {
    pub path: Vec<String>,
    origin: Option<Origin>,
    found: Option<String>,
    why: Why,
}

#[derive(Debug)]
enum Why {
    UnknownKey(&'static [&'static str]),
    /// The key itself is no name, with the reason.
    Key(String),
    Value(String),
}

impl Refusal {
    pub fn value(must: impl Into<String>) -> Refusal {
        Refusal {
            path: Vec::new(),
            origin: None,
            found: None,
            why: Why::Value(must.into()),
        }
    }

    pub fn at(mut self, node: &Node, found: impl FnOnce() -> String) -> Refusal {
        if self.origin.is_none() {
            self.origin = Some(node.origin.clone());
            self.found = Some(found());
        }
        self
    }

    pub fn of_key(mut self, entry: &Entry) -> Refusal {
        self.origin = Some(entry.origin.clone());
        if let Why::Value(message) = self.why {
            self.why = Why::Key(message);
        }
        self.path.push(entry.key.clone());
        self
    }

    pub fn problem(self) -> Problem {
        let path = path_text(&self.path);
        let (what, advice) = match self.why {
            Why::UnknownKey(known) => (
                format!("unknown key {}", quoted(&path)),
                keys::advice(&self.path, known),
            ),
            Why::Key(reason) => (format!("unusable key {}", quoted(&path)), reason),
            Why::Value(must) if path.is_empty() => ("the settings are no map".to_owned(), must),
            Why::Value(must) => {
                let found = self.found.unwrap_or_else(|| "not usable".to_owned());
                (format!("`{path}` is {found}"), must)
            }
        };
        Problem::new(what, self.origin, advice).of(&self.path)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Refusal {
        Refusal::value(message.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Refusal {
        Refusal::value(format!("it must be {expected}"))
    }

    fn invalid_length(_: usize, expected: &dyn de::Expected) -> Refusal {
        let expected = expected.to_string();
        let expected = expected.replace("a tuple of size", "a list of");
        Refusal::value(format!("it must be {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Refusal {
        Refusal::value(format!("it must be one of {}", expected.join(", ")))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Refusal {
        Refusal {
            path: Vec::new(),
            origin: None,
            found: None,
            why: Why::UnknownKey(expected),
        }
    }
}
