//! Names, quoted texts and what stands between braces. One grammar serves the check of a line and
//! the later reading of its labels.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::error::{ExpositionProblem as Problem, excerpt};
use super::{LABEL_BYTES_MAX, LABELS_MAX, NAME_BYTES_MAX};
use crate::labels::NAME;

/// What comes next between braces. Values are as they are written.
#[derive(Debug)]
enum Item<'a> {
    /// A quoted text without a value: the name of the metric.
    Name(&'a str),
    Label(Cow<'a, str>, &'a str),
    Close,
}

/// Braces that hold what they may.
pub(super) struct Braces<'a> {
    /// The quoted name of the metric, as it is written.
    pub(super) name: Option<&'a str>,
    /// From behind that name to the closing brace, which is included.
    pub(super) labels: &'a str,
    /// Behind the closing brace.
    pub(super) end: usize,
}

/// The labels of one pair of braces so far. Kept between lines so that the room is used again.
#[derive(Default)]
pub(super) struct Seen<'a> {
    labels: Vec<Cow<'a, str>>,
    /// Whether they came in order; then a label behind the last can't be among them.
    sorted: bool,
}

impl<'a> Seen<'a> {
    fn clear(&mut self) {
        self.labels.clear();
        self.sorted = true;
    }

    fn add(&mut self, label: Cow<'a, str>) -> Result<(), Problem> {
        if self.labels.len() == LABELS_MAX {
            return Err(Problem::TooManyLabels);
        }
        self.sorted = self.sorted && self.labels.last().is_none_or(|last| *last < label);
        if !self.sorted && self.labels.contains(&label) {
            return Err(Problem::LabelTwice {
                label: excerpt(&label),
            });
        }
        self.labels.push(label);
        Ok(())
    }
}

/// Checks what stands between braces, whose first item is at `at` and may be the name of the
/// metric. `seen` is only room that is used again.
pub(super) fn braces<'a>(
    line: &'a str,
    mut at: usize,
    seen: &mut Seen<'a>,
) -> Result<Braces<'a>, Problem> {
    seen.clear();
    let mut name = None;
    let mut start = at;
    loop {
        match item(line, &mut at)? {
            Item::Close => break,
            Item::Name(text) if name.is_none() && seen.labels.is_empty() => {
                bounded_name(text)?;
                name = Some(text);
                start = at;
            }
            Item::Name(text) => {
                return Err(match name {
                    Some(first) => Problem::TwoNames {
                        first: excerpt(first),
                        second: excerpt(text),
                    },
                    None => Problem::NoLabelValue {
                        label: excerpt(text),
                        found: excerpt(&line[at..]),
                    },
                });
            }
            Item::Label(label, value) => admit(label, value, seen)?,
        }
    }
    Ok(Braces {
        name,
        labels: &line[start..at],
        end: at,
    })
}

fn admit<'a>(label: Cow<'a, str>, value: &str, seen: &mut Seen<'a>) -> Result<(), Problem> {
    bounded_name(&label)?;
    if value.len() > LABEL_BYTES_MAX {
        return Err(Problem::LabelTooLong {
            label: excerpt(&label),
        });
    }
    if label == NAME {
        return Err(Problem::NameAsLabel);
    }
    seen.add(label)
}

pub(super) fn bounded_name(name: &str) -> Result<(), Problem> {
    match name.len() {
        0 => Err(Problem::NoName {
            found: "\"\"".to_owned(),
        }),
        1..=NAME_BYTES_MAX => Ok(()),
        _ => Err(Problem::NameTooLong {
            name: excerpt(name),
        }),
    }
}

/// The labels of braces that were checked, from behind the name to the closing brace; of no braces
/// the empty text.
pub(super) fn pairs(labels: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> + use<'_> {
    let mut at = 0;
    std::iter::from_fn(move || match item(labels, &mut at) {
        Ok(Item::Label(name, value)) => Some((name, unescaped(value))),
        _ => None,
    })
}

/// The item at `at`, which is moved behind it and the comma that separates it from the next.
#[inline]
fn item<'a>(line: &'a str, at: &mut usize) -> Result<Item<'a>, Problem> {
    let bytes = line.as_bytes();
    let start = after_blanks(bytes, *at);
    let label = match bytes.get(start) {
        Some(b'}') => {
            *at = start + 1;
            return Ok(Item::Close);
        }
        Some(b'"') => {
            let text = quoted(line, start).ok_or_else(|| Problem::UnclosedValue {
                label: excerpt(&line[start..]),
            })?;
            *at = after_blanks(bytes, start + text.len() + 2);
            if bytes.get(*at) != Some(&b'=') {
                separator(line, at)?;
                return Ok(Item::Name(text));
            }
            unescaped(text)
        }
        Some(byte) if is_name(*byte, true) && *byte != b':' => {
            let end = name_end(bytes, start);
            *at = after_blanks(bytes, end);
            Cow::Borrowed(&line[start..end])
        }
        Some(_) => {
            return Err(Problem::NoLabel {
                found: excerpt(&line[start..]),
            });
        }
        None => {
            return Err(Problem::Unclosed {
                metric: excerpt(line),
            });
        }
    };
    let open = match bytes.get(*at) {
        Some(b'=') => after_blanks(bytes, *at + 1),
        _ => *at,
    };
    if open == *at || bytes.get(open) != Some(&b'"') {
        return Err(Problem::NoLabelValue {
            label: excerpt(&label),
            found: excerpt(&line[open..]),
        });
    }
    let Some(value) = quoted(line, open) else {
        return Err(Problem::UnclosedValue {
            label: excerpt(&label),
        });
    };
    *at = open + value.len() + 2;
    separator(line, at)?;
    Ok(Item::Label(label, value))
}

/// Moves behind a comma; before a closing brace none is needed.
#[inline]
fn separator(line: &str, at: &mut usize) -> Result<(), Problem> {
    let bytes = line.as_bytes();
    *at = after_blanks(bytes, *at);
    match bytes.get(*at) {
        Some(b',') => *at += 1,
        Some(b'}') => {}
        Some(_) => {
            return Err(Problem::NoLabel {
                found: excerpt(&line[*at..]),
            });
        }
        None => {
            return Err(Problem::Unclosed {
                metric: excerpt(line),
            });
        }
    }
    Ok(())
}

/// What stands in the quotes that open at `open`, as it is written.
#[inline]
pub(super) fn quoted(line: &str, open: usize) -> Option<&str> {
    let bytes = line.as_bytes();
    let start = open + 1;
    let mut from = start;
    loop {
        let found = from + memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes[found] == b'"' {
            return line.get(start..found);
        }
        // A backslash, and what it protects. That may begin a character of several bytes, whose
        // rest is no quote.
        from = found + 2;
    }
}

#[inline]
pub(super) fn after_blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Behind the name of a metric or label that begins at `at`. A label with a colon ends before it.
#[inline]
pub(super) fn name_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = rest.iter().position(|byte| !is_name(*byte, false));
    at + length.unwrap_or(rest.len())
}

/// Whether a byte may stand in the name of a metric without quotes.
#[inline]
pub(super) fn is_name(byte: u8, first: bool) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || !first && byte.is_ascii_digit()
}

/// What a text means that is written with escapes for quotes, backslashes and line breaks.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut meant = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            meant.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => meant.push('\n'),
            Some(protected @ ('"' | '\\')) => meant.push(protected),
            // As Prometheus: no escape, so it stands for itself.
            Some(other) => meant.extend(['\\', other]),
            None => meant.push('\\'),
        }
    }
    Cow::Owned(meant)
}
