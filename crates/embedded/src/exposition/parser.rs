//! Lines into entries.

use std::borrow::Cow;

use memchr::memchr;

use super::error::{ExpositionError, ExpositionProblem as Problem, excerpt};
use super::labels::{
    Seen, after_blanks, bounded_name, braces, is_name, name_end, quoted, unescaped,
};
use super::{Entry, Format, LINE_BYTES_MAX, MetricKind, SampleLine, number};

/// Reads a page; after an error it ends.
///
/// ```
/// use embedded::exposition::{Entry, Format, Parser};
/// let page = "# TYPE hits counter\nhits{uri=\"/\"} 3\n";
/// for entry in Parser::new(page, Format::Text) {
///     if let Entry::Sample(line) = entry? {
///         assert_eq!((line.name().as_ref(), line.value), ("hits", 3.0));
///         assert_eq!(line.to_labels([("job", "shop")]).to_string(), r#"hits{job="shop",uri="/"}"#);
///     }
/// }
/// # Ok::<(), embedded::exposition::ExpositionError>(())
/// ```
pub struct Parser<'a> {
    rest: &'a str,
    format: Format,
    /// Of the line that was read last.
    line: u64,
    state: State,
    /// The labels of the present line; here so that the room is used again.
    labels: Seen<'a>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Reading,
    /// `# EOF` was there.
    Complete,
    /// After an error, or after the last line.
    Over,
}

impl<'a> Parser<'a> {
    pub fn new(page: &'a str, format: Format) -> Parser<'a> {
        Parser {
            rest: page,
            format,
            line: 0,
            state: State::Reading,
            labels: Seen::default(),
        }
    }

    /// # Errors
    /// Bytes that are not UTF-8, with their line.
    pub fn of_bytes(page: &'a [u8], format: Format) -> Result<Parser<'a>, ExpositionError> {
        let text = std::str::from_utf8(page).map_err(|error| {
            let before = &page[..error.valid_up_to()];
            let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            ExpositionError {
                line: 1 + memchr::memchr_iter(b'\n', before).count() as u64,
                problem: Problem::NotUtf8 {
                    column: before.len() - line_start + 1,
                },
            }
        })?;
        Ok(Parser::new(text, format))
    }

    /// The number of the line that was read last, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Nothing more comes.
    pub(super) fn stop(&mut self) {
        self.state = State::Over;
    }

    fn next_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let end = memchr(b'\n', self.rest.as_bytes());
        let line = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = end.map_or("", |end| &self.rest[end + 1..]);
        Some(line)
    }

    /// What a line says; `None` for comments, blank lines and the end mark.
    fn entry(&mut self, line: &'a str) -> Result<Option<Entry<'a>>, Problem> {
        if line.len() > LINE_BYTES_MAX {
            return Err(Problem::LineTooLong { bytes: line.len() });
        }
        if self.state == State::Complete {
            return Err(Problem::AfterEnd);
        }
        let start = after_blanks(line.as_bytes(), 0);
        match line.as_bytes().get(start) {
            None if self.format == Format::OpenMetrics => Err(Problem::Blank),
            None => Ok(None),
            Some(b'#') => self.comment(line, start + 1),
            Some(_) => self
                .sample(line, start)
                .map(|line| Some(Entry::Sample(line))),
        }
    }

    fn comment(&mut self, line: &'a str, hash_end: usize) -> Result<Option<Entry<'a>>, Problem> {
        let text = &line[hash_end..];
        if self.format == Format::OpenMetrics && text.trim_end() == " EOF" {
            self.state = State::Complete;
            return Ok(None);
        }
        // "#TYPE" is a comment like any other.
        if !text.starts_with([' ', '\t']) {
            return Ok(None);
        }
        let text = text.trim_start_matches([' ', '\t']);
        let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        match word {
            "TYPE" => {
                let (name, rest) = described("TYPE", rest)?;
                let kind = rest.trim();
                let kind = MetricKind::of(kind).ok_or_else(|| Problem::NoType {
                    found: excerpt(kind),
                })?;
                Ok(Some(Entry::Type { name, kind }))
            }
            "HELP" => {
                let (name, rest) = described("HELP", rest)?;
                // One blank separates; what follows belongs to the text.
                let text = rest.strip_prefix([' ', '\t']).unwrap_or(rest);
                Ok(Some(Entry::Help {
                    name,
                    text: unescaped(text),
                }))
            }
            "UNIT" if self.format == Format::OpenMetrics => {
                let (name, rest) = described("UNIT", rest)?;
                Ok(Some(Entry::Unit {
                    name,
                    unit: rest.trim(),
                }))
            }
            _ => Ok(None),
        }
    }

    fn sample(&mut self, line: &'a str, start: usize) -> Result<SampleLine<'a>, Problem> {
        let bytes = line.as_bytes();
        let named = is_name(bytes[start], true);
        if !named && bytes[start] != b'{' {
            return Err(Problem::NoName {
                found: excerpt(&line[start..]),
            });
        }
        let mut end = name_end(bytes, start);
        let mut name = &line[start..end];
        let mut labels = "";
        let open = after_blanks(bytes, end);
        if bytes.get(open) == Some(&b'{') {
            let braces = braces(line, open + 1, &mut self.labels)?;
            name = match (named, braces.name) {
                (true, None) => name,
                (false, Some(quoted)) => quoted,
                (false, None) => return Err(Problem::NameMissing),
                (true, Some(second)) => {
                    return Err(Problem::TwoNames {
                        first: excerpt(name),
                        second: excerpt(second),
                    });
                }
            };
            labels = braces.labels;
            end = braces.end;
        }
        bounded_name(name)?;
        let series = &line[start..end];
        let after = &line[end..];
        let tail = self.tail(series, after)?;
        Ok(SampleLine {
            series,
            value: tail.0,
            time_ms: tail.1,
            exemplar: tail.2,
            name,
            labels,
        })
    }

    /// Value, time and whether there is an exemplar: what follows a series.
    fn tail(&mut self, series: &str, text: &'a str) -> Result<(f64, Option<i64>, bool), Problem> {
        let (word, rest) = first_word(text);
        // Without braces, a name ends where a blank or something odd begins.
        if word.is_empty() || word.starts_with('#') {
            return Err(Problem::NoValue {
                series: excerpt(series),
            });
        }
        if !text.starts_with([' ', '\t']) && !series.ends_with('}') {
            return Err(Problem::NoName {
                found: excerpt(&format!("{series}{word}")),
            });
        }
        let value = number::value(word).ok_or_else(|| no_number(word))?;
        let (word, rest) = first_word(rest);
        if word.is_empty() {
            return Ok((value, None, false));
        }
        if word.starts_with('#') {
            self.exemplar(word, rest)?;
            return Ok((value, None, true));
        }
        let time_ms = self.time(word)?;
        let (word, rest) = first_word(rest);
        if word.is_empty() {
            return Ok((value, Some(time_ms), false));
        }
        if word.starts_with('#') {
            self.exemplar(word, rest)?;
            return Ok((value, Some(time_ms), true));
        }
        Err(trailing(word))
    }

    fn time(&self, word: &str) -> Result<i64, Problem> {
        match self.format {
            Format::Text => number::time_ms(word).ok_or_else(|| match word.strip_suffix('\r') {
                Some(_) => Problem::CarriageReturn,
                None => Problem::NoTimeMs {
                    found: excerpt(word),
                },
            }),
            Format::OpenMetrics => {
                number::time_of_seconds(word).ok_or_else(|| Problem::NoTimeSeconds {
                    found: excerpt(word),
                })
            }
        }
    }

    /// Checks an exemplar, of which nothing is kept: `# {labels} value [time]`.
    fn exemplar(&mut self, word: &str, text: &'a str) -> Result<(), Problem> {
        if self.format == Format::Text {
            return Err(Problem::ExemplarInText);
        }
        let open = after_blanks(text.as_bytes(), 0);
        if word != "#" || text.as_bytes().get(open) != Some(&b'{') {
            return Err(Problem::NoExemplar {
                found: excerpt(&format!("{word}{text}")),
            });
        }
        let braces = braces(text, open + 1, &mut self.labels)?;
        if let Some(name) = braces.name {
            return Err(Problem::NoExemplar {
                found: excerpt(name),
            });
        }
        let (word, rest) = first_word(&text[braces.end..]);
        number::value(word).ok_or_else(|| no_number(word))?;
        let (word, rest) = first_word(rest);
        if !word.is_empty() {
            self.time(word)?;
        }
        match first_word(rest).0 {
            "" => Ok(()),
            word => Err(trailing(word)),
        }
    }
}

impl<'a> Iterator for Parser<'a> {
    type Item = Result<Entry<'a>, ExpositionError>;

    fn next(&mut self) -> Option<Result<Entry<'a>, ExpositionError>> {
        let failed = |parser: &mut Parser<'a>, problem| {
            parser.state = State::Over;
            Some(Err(ExpositionError {
                line: parser.line,
                problem,
            }))
        };
        while self.state != State::Over {
            let Some(line) = self.next_line() else {
                if self.format == Format::OpenMetrics && self.state == State::Reading {
                    return failed(self, Problem::NoEnd);
                }
                self.state = State::Over;
                return None;
            };
            match self.entry(line) {
                Ok(Some(entry)) => return Some(Ok(entry)),
                Ok(None) => {}
                Err(problem) => return failed(self, problem),
            }
        }
        None
    }
}

/// The metric that a comment describes, and what it says of it.
fn described<'a>(word: &'static str, text: &'a str) -> Result<(Cow<'a, str>, &'a str), Problem> {
    let text = text.trim_start_matches([' ', '\t']);
    if text.starts_with('"') {
        let name = quoted(text, 0).ok_or(Problem::NoMetric { word })?;
        bounded_name(name)?;
        return Ok((unescaped(name), &text[name.len() + 2..]));
    }
    let end = name_end(text.as_bytes(), 0);
    let starts = text
        .as_bytes()
        .first()
        .is_some_and(|byte| is_name(*byte, true));
    if !starts || !(text.len() == end || text[end..].starts_with([' ', '\t'])) {
        return Err(Problem::NoMetric { word });
    }
    bounded_name(&text[..end])?;
    Ok((Cow::Borrowed(&text[..end]), &text[end..]))
}

/// The text up to the next blank, and the rest.
#[inline]
fn first_word(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let start = after_blanks(bytes, 0);
    let length = bytes[start..]
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'));
    let end = length.map_or(bytes.len(), |length| start + length);
    (&text[start..end], &text[end..])
}

fn no_number(word: &str) -> Problem {
    if word.ends_with('\r') {
        return Problem::CarriageReturn;
    }
    Problem::NoNumber {
        found: excerpt(word),
    }
}

fn trailing(word: &str) -> Problem {
    if word == "\r" {
        return Problem::CarriageReturn;
    }
    Problem::Trailing {
        found: excerpt(word),
    }
}
