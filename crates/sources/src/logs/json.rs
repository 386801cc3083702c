//! JSON lines: ECS (nested and flat), Logstash and logstash-logback-encoder, GELF, Log4j's and
//! Logback's own, the plain `{timestamp, level, application, message}`, and the wrappings of
//! container runtimes.
//!
//! Only the fields that are wanted are kept, borrowed from the line where they can be; the others
//! are stepped over without being built.

use std::borrow::Cow;
use std::fmt;

use domain::{LogLevel, LogLine, Timestamp};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::fields::{Name, Names, Role};
use super::record::{Read, Reading, bounded, exception_class, exception_within, numeric_level};
use super::times::{number_time, text_time};

/// Names and ids are cut at this; they identify, they don't tell.
const ID_BYTES: usize = 512;

/// What an object is.
#[derive(Debug)]
pub(super) enum Object<'a> {
    Line(Read),
    /// The line of a container's output, and when the runtime got it.
    Wrapped(Cow<'a, str>, Option<Timestamp>),
}

/// A whole line; none where it is no JSON object or has no time, neither of its own nor `outer`.
pub(super) fn read<'a>(
    text: &'a str,
    outer: Option<Timestamp>,
    reading: &Reading,
) -> Option<Object<'a>> {
    let found = Found::in_text(text, &reading.names)?;
    let time = found.time(reading).or(outer);
    let message = found.text(Role::Message, reading.text_bytes);
    if message.is_none()
        && let Some(Scalar::Text(line)) = found.all(Role::Wrapped).next()
    {
        return Some(Object::Wrapped(line.clone(), time));
    }
    let time = time?;
    let (message, message_cut) = message.unwrap_or_default();
    let level = found.level();
    let id = |role| found.text(role, ID_BYTES).map(|(text, _)| text);
    let mut named = found.all(Role::Exception).filter_map(Scalar::as_text);
    let named = named.find(|text| !text.is_empty());
    // GELF repeats the message where there is no more to say.
    let trace = found
        .text(Role::StackTrace, reading.text_bytes)
        .filter(|(trace, _)| *trace != message)
        .or_else(|| {
            let is_trace = named.filter(|text| text.contains('\n'))?;
            Some(bounded(is_trace, reading.text_bytes))
        });
    let (stack_trace, trace_cut) = trace.map_or((None, false), |(trace, cut)| (Some(trace), cut));
    let exception = named
        .map(|text| exception_class(text).unwrap_or_else(|| bounded(text, ID_BYTES).0))
        .or_else(|| exception_class(stack_trace.as_deref()?))
        .or_else(|| exception_within(&message, level));
    let is_spring_gelf = found.all(Role::SpringGelf).next().is_some();
    Some(Object::Line(Read {
        line: LogLine {
            time,
            level,
            logger: id(Role::Logger),
            message,
            exception,
            stack_trace,
            trace_id: id(Role::TraceId),
            span_id: id(Role::SpanId),
            cut: message_cut || trace_cut,
        },
        service: id(Role::Service).or_else(|| is_spring_gelf.then(|| id(Role::Host))?),
    }))
}

/// A line whose end is missing is no JSON any more: what its beginning says is taken, and the text
/// is shown as it is where the message isn't there.
pub(super) fn beginning(text: &str, outer: Option<Timestamp>, reading: &Reading) -> Option<Read> {
    let found = Found::in_beginning(text, &reading.names);
    let time = found.time(reading).or(outer)?;
    let id = |role| found.text(role, ID_BYTES).map(|(text, _)| text);
    let message = found.text(Role::Message, reading.text_bytes);
    Some(Read {
        line: LogLine {
            level: found.level(),
            logger: id(Role::Logger),
            message: message
                .unwrap_or_else(|| bounded(text, reading.text_bytes))
                .0,
            exception: id(Role::Exception),
            trace_id: id(Role::TraceId),
            span_id: id(Role::SpanId),
            cut: true,
            ..LogLine::new(time)
        },
        service: id(Role::Service),
    })
}

/// A value that is no list and no object.
#[derive(Clone, Debug)]
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Whole(i64),
    Fraction(f64),
    Truth(bool),
}

impl Scalar<'_> {
    fn as_text(&self) -> Option<&str> {
        match self {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    fn time(&self, reading: &Reading) -> Option<Timestamp> {
        match self {
            Scalar::Text(text) => text_time(text, reading),
            Scalar::Whole(number) => number_time(*number as f64),
            Scalar::Fraction(number) => number_time(*number),
            Scalar::Truth(_) => None,
        }
    }

    fn level(&self) -> LogLevel {
        match self {
            Scalar::Text(text) => match text.trim().parse() {
                Ok(number) => numeric_level(number),
                Err(_) => LogLevel::of(text),
            },
            Scalar::Whole(number) => numeric_level(*number),
            _ => LogLevel::Unknown,
        }
    }

    /// Visible, bounded; none where there is nothing.
    fn shown(&self, bytes_max: usize) -> Option<(String, bool)> {
        match self {
            Scalar::Text(text) if text.trim().is_empty() => None,
            Scalar::Text(text) => Some(bounded(text, bytes_max)),
            Scalar::Whole(number) => Some((number.to_string(), false)),
            Scalar::Fraction(number) => Some((number.to_string(), false)),
            Scalar::Truth(truth) => Some((truth.to_string(), false)),
        }
    }
}

/// The wanted fields of a line, those that count most before the others.
#[derive(Debug)]
struct Found<'a> {
    fields: Vec<(Role, u16, Scalar<'a>)>,
}

impl<'a> Found<'a> {
    fn in_text(text: &'a str, names: &Names) -> Option<Found<'a>> {
        let mut found = Found::default();
        let mut json = serde_json::Deserializer::from_str(text);
        let fields = Fields {
            names,
            path: "",
            found: &mut found,
        };
        json.deserialize_map(fields).ok()?;
        json.end().ok()?;
        Some(found.sorted())
    }

    /// What the object says before its text breaks off.
    fn in_beginning(text: &'a str, names: &Names) -> Found<'a> {
        let mut found = Found::default();
        let fields = Fields {
            names,
            path: "",
            found: &mut found,
        };
        // That it ends too early is known.
        let _ = serde_json::Deserializer::from_str(text).deserialize_map(fields);
        found.sorted()
    }

    /// Of a field that is given twice the later one counts, unless it is empty.
    fn put(&mut self, name: &Name, value: Scalar<'a>) {
        let Some(((role, rank), others)) = name.says.split_first() else {
            return;
        };
        for (role, rank) in others {
            self.put_as(*role, *rank, value.clone());
        }
        self.put_as(*role, *rank, value);
    }

    fn put_as(&mut self, role: Role, rank: u16, value: Scalar<'a>) {
        match self.fields.iter_mut().find(|(_, known, _)| *known == rank) {
            Some(_) if value.as_text() == Some("") => {}
            Some(known) => known.2 = value,
            None => self.fields.push((role, rank, value)),
        }
    }

    fn sorted(mut self) -> Found<'a> {
        self.fields.sort_unstable_by_key(|(_, rank, _)| *rank);
        self
    }

    fn all(&self, role: Role) -> impl Iterator<Item = &Scalar<'a>> {
        let fields = self.fields.iter();
        fields.filter_map(move |(own, _, value)| (*own == role).then_some(value))
    }

    fn text(&self, role: Role, bytes_max: usize) -> Option<(String, bool)> {
        self.all(role).find_map(|value| value.shown(bytes_max))
    }

    fn level(&self) -> LogLevel {
        let mut levels = self.all(Role::Level).map(Scalar::level);
        let known = levels.find(|level| *level != LogLevel::Unknown);
        known.unwrap_or(LogLevel::Unknown)
    }

    fn time(&self, reading: &Reading) -> Option<Timestamp> {
        let time = self.all(Role::Time).find_map(|value| value.time(reading))?;
        match self.all(Role::Nanos).next() {
            Some(Scalar::Whole(nanos)) if time.as_millis() % 1000 == 0 => {
                let millis = (nanos / 1_000_000).clamp(0, 999);
                Some(Timestamp::from_millis(time.as_millis() + millis))
            }
            _ => Some(time),
        }
    }
}

impl Default for Found<'_> {
    fn default() -> Self {
        Found {
            fields: Vec::with_capacity(16),
        }
    }
}

/// Visits an object, which lies at `path`, for the names beneath that.
struct Fields<'n, 'f, 'a> {
    names: &'n Names,
    path: &'n str,
    found: &'f mut Found<'a>,
}

impl<'a> Visitor<'a> for Fields<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        let key = Key {
            names: self.names,
            path: self.path,
        };
        while let Some(name) = map.next_key_seed(key)? {
            match name {
                Some(name) => map.next_value_seed(Value {
                    names: self.names,
                    name,
                    found: &mut *self.found,
                })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Visits a key for the name that it is, if it is one.
#[derive(Clone, Copy)]
struct Key<'n> {
    names: &'n Names,
    path: &'n str,
}

impl<'a, 'n> DeserializeSeed<'a> for Key<'n> {
    type Value = Option<&'n Name>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for Key<'n> {
    type Value = Option<&'n Name>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.names.find(self.path, key))
    }
}

/// Visits the value of a name.
struct Value<'n, 'f, 'a> {
    names: &'n Names,
    name: &'n Name,
    found: &'f mut Found<'a>,
}

impl<'a> Value<'_, '_, 'a> {
    fn put<E>(self, value: Scalar<'a>) -> Result<(), E> {
        self.found.put(self.name, value);
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for Value<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Value<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<(), E> {
        self.put(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.put(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.put(Scalar::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.put(match i64::try_from(number) {
            Ok(number) => Scalar::Whole(number),
            Err(_) => Scalar::Fraction(number as f64),
        })
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.put(Scalar::Fraction(number))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.put(Scalar::Truth(truth))
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    /// Names have few parts, so that this goes no deeper than they do.
    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        if self.name.leads {
            return Fields {
                names: self.names,
                path: &self.name.path,
                found: self.found,
            }
            .visit_map(map);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    /// The lines of a stack trace can be a list; other lists say nothing.
    fn visit_seq<S: SeqAccess<'a>>(self, mut list: S) -> Result<(), S::Error> {
        if !self
            .name
            .says
            .iter()
            .any(|(role, _)| *role == Role::StackTrace)
        {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let mut text = String::new();
        while let Some(TraceLine(line)) = list.next_element()? {
            if !line.is_empty() && !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
        }
        self.put(Scalar::Text(Cow::Owned(text)))
    }
}

/// An element of a list: a line, or nothing.
struct TraceLine<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for TraceLine<'a> {
    fn deserialize<D: Deserializer<'a>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(LineVisitor)
    }
}

struct LineVisitor;

impl<'a> Visitor<'a> for LineVisitor {
    type Value = TraceLine<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(TraceLine(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(TraceLine(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(TraceLine("".into()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(TraceLine("".into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(TraceLine("".into()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(TraceLine("".into()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(TraceLine("".into()))
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(TraceLine("".into()))
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut list: S) -> Result<Self::Value, S::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(TraceLine("".into()))
    }
}
