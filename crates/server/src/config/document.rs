//! One tree of settings, every value with its origin; the file becomes one and the other layers
//! are laid over it.
//!
//! It knows no keys: what a value means is decided when it is decoded.

use std::fmt;
use std::sync::Arc;

use super::yaml;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    File {
        name: Arc<str>,
        line: u64,
        column: u64,
    },
    /// The environment variable of this name.
    Environment(String),
    /// A flag, by the key path it sets.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { name, line, column } => write!(f, "{name} line {line} column {column}"),
            Origin::Environment(name) => write!(f, "the environment variable {name}"),
            Origin::Flag(path) => write!(f, "the command line ({path})"),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub origin: Origin,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    /// The exact text, so that `007` stays what was written where a text is wanted.
    Scalar(Scalar, String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// What kind of scalar the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    Number,
    Text,
    /// From a variable or flag: it becomes whatever the key wants.
    Given,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub origin: Origin,
    pub node: Node,
}

impl Node {
    /// The node at exactly this path.
    pub fn at(&self, path: &[String]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.child(key))
    }

    /// The node at the path, or its nearest ancestor that is there, except for the root.
    pub fn nearest(&self, path: &[String]) -> Option<&Node> {
        (1..=path.len()).rev().find_map(|end| self.at(&path[..end]))
    }

    fn child(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == *key).map(|e| &e.node),
            Value::List(nodes) => key.parse().ok().and_then(|index: usize| nodes.get(index)),
            Value::Null | Value::Scalar(..) => None,
        }
    }

    /// Takes the node at the path out of the tree.
    pub fn remove(&mut self, path: &[String]) {
        let Some((key, rest)) = path.split_first() else {
            self.value = Value::Null;
            return;
        };
        match &mut self.value {
            Value::Map(entries) => {
                let Some(index) = entries.iter().position(|entry| entry.key == *key) else {
                    return;
                };
                if rest.is_empty() {
                    entries.remove(index);
                } else {
                    entries[index].node.remove(rest);
                }
            }
            Value::List(nodes) => {
                let Some(index) = key.parse().ok().filter(|index| *index < nodes.len()) else {
                    return;
                };
                if rest.is_empty() {
                    nodes.remove(index);
                } else {
                    nodes[index].remove(rest);
                }
            }
            _ => self.value = Value::Null,
        }
    }

    /// Lays a text over the tree. Maps on the way are made where they are missing.
    pub fn set(&mut self, path: &[String], text: &str, origin: &Origin) {
        let Some((key, rest)) = path.split_first() else {
            *self = Node {
                origin: origin.clone(),
                value: Value::Scalar(Scalar::Given, text.to_owned()),
            };
            return;
        };
        if let Value::Scalar(Scalar::Given, text) = &self.value {
            // A whole map was given as text before one of its keys.
            if let Ok(node) = yaml::given(text, &self.origin) {
                *self = node;
            }
        }
        if !matches!(self.value, Value::Map(_)) {
            self.value = Value::Map(Vec::new());
        }
        let Value::Map(entries) = &mut self.value else {
            return;
        };
        let index = match entries.iter().position(|entry| entry.key == *key) {
            Some(index) => index,
            None => {
                entries.push(Entry {
                    key: key.clone(),
                    origin: origin.clone(),
                    node: Node {
                        origin: origin.clone(),
                        value: Value::Null,
                    },
                });
                entries.len() - 1
            }
        };
        entries[index].node.set(rest, text, origin);
    }
}
