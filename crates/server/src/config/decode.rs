//! From the tree of settings to typed raw settings, keeping the place of every refusal.
//!
//! Serde stops at the first thing it dislikes; [`decode_all`] notes it, takes it out of the tree
//! and goes on, so that a person reads all problems at once.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use super::document::{Entry, Node, Scalar, Value};
use super::problem::{Problem, quoted};
use super::refusal::Refusal;
use super::yaml::given;

/// More than these are not read by anyone at once.
const PROBLEMS_MAX: usize = 20;

/// Decodes the tree, taking out of it what can't be decoded.
pub(super) fn decode_all<T: DeserializeOwned + Default>(root: &mut Node) -> (T, Vec<Problem>) {
    let mut problems = Vec::new();
    while problems.len() < PROBLEMS_MAX {
        match T::deserialize(&*root) {
            Ok(decoded) => return (decoded, problems),
            Err(mut refusal) => {
                refusal.path.reverse();
                root.remove(&refusal.path);
                problems.push(refusal.problem());
            }
        }
    }
    (T::default(), problems)
}

impl Node {
    /// Its kind alone: the text may be a secret in the wrong place.
    fn kind(&self) -> String {
        match &self.value {
            Value::Null => "empty",
            Value::Scalar(Scalar::Bool, _) => "true or false",
            Value::Scalar(Scalar::Number, _) => "a number",
            Value::Scalar(..) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
        .to_owned()
    }

    /// Its text, where the place is right and only the text is not.
    fn shown(&self) -> String {
        match &self.value {
            Value::Scalar(_, text) => quoted(text),
            _ => self.kind(),
        }
    }

    fn refused<T>(&self, must: &str) -> Result<T, Refusal> {
        Err(Refusal::value(must).at(self, || self.kind()))
    }

    fn text(&self) -> Result<&str, Refusal> {
        match &self.value {
            Value::Scalar(_, text) => Ok(text),
            _ => self.refused("it must be a text"),
        }
    }

    /// A scalar that is not a quoted text, parsed.
    fn parsed<T>(&self, must: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Refusal> {
        let Value::Scalar(kind, text) = &self.value else {
            return self.refused(must);
        };
        match parse(text.trim()) {
            Some(value) if *kind != Scalar::Text => Ok(value),
            Some(_) => Err(Refusal::value(format!("{must}, without quotes"))),
            None => Err(Refusal::value(must)),
        }
        .map_err(|refusal| refusal.at(self, || quoted(text)))
    }

    /// The tree inside a variable or flag that gives a whole list or map as YAML.
    fn given_tree(&self) -> Result<Option<Node>, Refusal> {
        match &self.value {
            Value::Scalar(Scalar::Given, text) => given(text, &self.origin)
                .map(Some)
                .map_err(|message| Refusal::value(message).at(self, || self.kind())),
            _ => Ok(None),
        }
    }

    fn visit_list<'de, V: Visitor<'de>>(
        &self,
        nodes: &[Node],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let mut list = List { nodes, next: 0 };
        let value = match visitor.visit_seq(&mut list) {
            Ok(_) if list.next < nodes.len() => Err(Refusal::value(format!(
                "it must be a list of {}",
                list.next
            ))),
            result => result,
        };
        value.map_err(|refusal| refusal.at(self, || format!("a list of {}", nodes.len())))
    }
}

fn looks_like_yaml_list(text: &str) -> bool {
    text.starts_with('[') || text.starts_with("- ")
}

fn float(text: &str) -> Option<f64> {
    match text {
        ".inf" | "+.inf" => Some(f64::INFINITY),
        "-.inf" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok().filter(|value: &f64| value.is_finite()),
    }
}

impl<'de> Deserializer<'de> for &Node {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(..) => self.deserialize_str(visitor),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Map(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_bool(self.parsed("it must be true or false", |text| text.parse().ok())?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_u64(self.parsed("it must be a whole number", |text| text.parse().ok())?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_f64(self.parsed("it must be a number", float)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let text = self.text()?;
        visitor
            .visit_str(text)
            .map_err(|refusal: Refusal| refusal.at(self, || quoted(text)))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match &self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match &self.value {
            Value::List(nodes) => self.visit_list(nodes, visitor),
            // `a, b` is a list where a variable or flag gives one.
            Value::Scalar(Scalar::Given, text) if !looks_like_yaml_list(text) => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                let nodes: Vec<Node> = items
                    .map(|item| Node {
                        origin: self.origin.clone(),
                        value: Value::Scalar(Scalar::Given, item.to_owned()),
                    })
                    .collect();
                self.visit_list(&nodes, visitor)
            }
            _ => match self.given_tree()? {
                Some(tree) if !matches!(tree.value, Value::Scalar(..)) => {
                    tree.deserialize_seq(visitor)
                }
                _ => self.refused("it must be a list"),
            },
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match &self.value {
            Value::Map(entries) => visitor.visit_map(Map { entries, next: 0 }),
            Value::Null => visitor.visit_map(Map {
                entries: &[],
                next: 0,
            }),
            _ => match self.given_tree()? {
                Some(tree) if !matches!(tree.value, Value::Scalar(..)) => {
                    tree.deserialize_map(visitor)
                }
                _ => self.refused("it must be a map of keys and values"),
            },
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let text = self.text()?;
        let variant: StrDeserializer<'_, Refusal> = text.into_deserializer();
        visitor
            .visit_enum(variant)
            .map_err(|refusal| refusal.at(self, || quoted(text)))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 char bytes byte_buf unit unit_struct tuple_struct
        identifier
    }
}

struct Map<'a> {
    entries: &'a [Entry],
    next: usize,
}

impl<'de> MapAccess<'de> for Map<'_> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refusal> {
        let Some(entry) = self.entries.get(self.next) else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, Refusal> = entry.key.as_str().into_deserializer();
        seed.deserialize(key)
            .map(Some)
            .map_err(|refusal| refusal.of_key(entry))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        let entry = self
            .entries
            .get(self.next)
            .expect("serde asks for a value after its key");
        self.next += 1;
        seed.deserialize(&entry.node).map_err(|refusal| {
            let mut refusal = refusal.at(&entry.node, || entry.node.shown());
            refusal.path.push(entry.key.clone());
            refusal
        })
    }
}

struct List<'a> {
    nodes: &'a [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refusal> {
        let Some(node) = self.nodes.get(self.next) else {
            return Ok(None);
        };
        let index = self.next;
        self.next += 1;
        seed.deserialize(node).map(Some).map_err(|refusal| {
            let mut refusal = refusal.at(node, || node.shown());
            refusal.path.push(index.to_string());
            refusal
        })
    }
}
