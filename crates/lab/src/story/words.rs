//! Words and lines: a text becomes a tree by indentation, a line becomes words that are taken one by
//! one. Every refusal names file, line, what is wrong and what would be right.

use std::time::Duration;

use domain::IncidentId;
use simulator::Span;

use super::script::Between;

/// Why a text is not a story.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct ParseError {
    pub file: String,
    pub line: usize,
    pub what: String,
}

/// A word, or a text in quotation marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub line: usize,
    pub text: String,
    pub quoted: bool,
}

/// A line, and the lines below it that are indented further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub line: usize,
    pub words: Vec<Word>,
    pub below: Vec<Block>,
}

impl Block {
    /// The words of the line and of all lines below it.
    pub fn all_words(&self) -> Vec<Word> {
        let mut words = self.words.clone();
        words.extend(self.below.iter().flat_map(Block::all_words));
        words
    }
}

/// Reads a text into its outermost blocks. `#` before a space, or at the end of a line, begins a
/// comment; `#1` is an incident.
pub(crate) fn blocks(file: &str, text: &str) -> Result<Vec<Block>, ParseError> {
    let mut outermost = Vec::new();
    let mut open: Vec<(usize, Block)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let words = words_of(file, number, line)?;
        if words.is_empty() {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        close(&mut open, indent, &mut outermost);
        let block = Block {
            line: number,
            words,
            below: Vec::new(),
        };
        open.push((indent, block));
    }
    close(&mut open, 0, &mut outermost);
    Ok(outermost)
}

/// Ends the open blocks that a line of this indentation doesn't belong to.
fn close(open: &mut Vec<(usize, Block)>, indent: usize, outermost: &mut Vec<Block>) {
    while open.last().is_some_and(|(own, _)| *own >= indent) {
        if let Some((_, block)) = open.pop() {
            match open.last_mut() {
                Some((_, above)) => above.below.push(block),
                None => outermost.push(block),
            }
        }
    }
}

fn words_of(file: &str, line: usize, text: &str) -> Result<Vec<Word>, ParseError> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_comment = first == '#' && rest[1..].chars().next().is_none_or(char::is_whitespace);
        if is_comment {
            break;
        }
        let quoted = first == '"';
        let (word, after) = if quoted {
            rest[1..].split_once('"').ok_or_else(|| ParseError {
                file: file.to_owned(),
                line,
                what: format!("the text {rest} has no end; close it with \" on the same line"),
            })?
        } else {
            rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()))
        };
        words.push(Word {
            line,
            text: word.to_owned(),
            quoted,
        });
        rest = after.trim_start();
    }
    Ok(words)
}

/// The words of one statement, taken from the front.
pub(crate) struct Words<'a> {
    file: &'a str,
    words: Vec<Word>,
    taken: usize,
    /// Of the newest taken word.
    line: usize,
}

impl<'a> Words<'a> {
    pub fn new(file: &'a str, line: usize, words: Vec<Word>) -> Words<'a> {
        Words {
            file,
            words,
            taken: 0,
            line,
        }
    }

    pub fn line(&self) -> usize {
        self.line
    }

    pub fn is_done(&self) -> bool {
        self.taken == self.words.len()
    }

    /// How many words were taken, for [`Words::said_since`].
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// The words since a number of taken ones, as they were written.
    pub fn said_since(&self, taken: usize) -> String {
        let written = |word: &Word| match word.quoted {
            true => format!("\"{}\"", word.text),
            false => word.text.clone(),
        };
        let words: Vec<String> = self.words[taken..self.taken].iter().map(written).collect();
        words.join(" ")
    }

    pub fn wrong(&self, what: impl Into<String>) -> ParseError {
        ParseError {
            file: self.file.to_owned(),
            line: self.line,
            what: what.into(),
        }
    }

    /// The refusal of the newest taken word.
    pub fn unknown(&self, word: &str, right: &str) -> ParseError {
        self.wrong(format!("`{word}` is not known here; write {right}"))
    }

    /// The next word, in quotation marks or not.
    pub fn take(&mut self, wanted: &str) -> Result<String, ParseError> {
        let Some(word) = self.words.get(self.taken) else {
            return Err(self.wrong(format!("the statement ends too early; add {wanted}")));
        };
        self.taken += 1;
        self.line = word.line;
        Ok(word.text.clone())
    }

    /// The next word if it is this one.
    pub fn skip(&mut self, word: &str) -> bool {
        let next = self.words.get(self.taken);
        let is_it = next.is_some_and(|next| !next.quoted && next.text == word);
        if is_it {
            self.line = self.words[self.taken].line;
            self.taken += 1;
        }
        is_it
    }

    pub fn must(&mut self, word: &str) -> Result<(), ParseError> {
        if self.skip(word) {
            return Ok(());
        }
        let found = self.take(&format!("`{word}`"))?;
        Err(self.unknown(&found, &format!("`{word}`")))
    }

    pub fn text(&mut self, wanted: &str) -> Result<String, ParseError> {
        let taken = self.text_if_any();
        taken.map_or_else(
            || {
                let found = self.take(wanted)?;
                Err(self.unknown(&found, &format!("{wanted} in quotation marks")))
            },
            Ok,
        )
    }

    pub fn text_if_any(&mut self) -> Option<String> {
        let word = self.words.get(self.taken).filter(|word| word.quoted)?;
        self.taken += 1;
        self.line = word.line;
        Some(word.text.clone())
    }

    /// One text at least.
    pub fn texts(&mut self, wanted: &str) -> Result<Vec<String>, ParseError> {
        let mut texts = vec![self.text(wanted)?];
        while let Some(text) = self.text_if_any() {
            texts.push(text);
        }
        Ok(texts)
    }

    pub fn number(&mut self, wanted: &str) -> Result<f64, ParseError> {
        let word = self.take(wanted)?;
        let number = word.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.unknown(&word, &format!("{wanted} as a number such as 92.5")))
    }

    pub fn count(&mut self, wanted: &str) -> Result<u64, ParseError> {
        let word = self.take(wanted)?;
        let count = word.parse();
        count.map_err(|_| self.unknown(&word, &format!("{wanted} as a whole number")))
    }

    pub fn duration(&mut self, wanted: &str) -> Result<Duration, ParseError> {
        let word = self.take(wanted)?;
        self.duration_of(&word, wanted)
    }

    fn duration_of(&self, word: &str, wanted: &str) -> Result<Duration, ParseError> {
        let span: Span = word
            .parse()
            .map_err(|_| self.unknown(word, &format!("{wanted} such as 15s, 10m, 1h30m or 2d")))?;
        Ok(Duration::from_millis(span.as_millis().unsigned_abs()))
    }

    /// `10m..12m`, or `10m` alone.
    pub fn between(&mut self, wanted: &str) -> Result<Between, ParseError> {
        let word = self.take(wanted)?;
        let (from, to) = word.split_once("..").unwrap_or((&word, &word));
        let wanted = format!("{wanted} as a time or two, such as 10m or 10m..11m30s");
        let between = Between {
            from: self.duration_of(from, &wanted)?,
            to: self.duration_of(to, &wanted)?,
        };
        if between.to < between.from {
            return Err(self.wrong(format!(
                "`{word}` ends before it begins; write {to}..{from}"
            )));
        }
        Ok(between)
    }

    /// The next words if they are a time or two.
    pub fn between_if_any(&mut self, wanted: &str) -> Result<Option<Between>, ParseError> {
        let next = self.words.get(self.taken).filter(|word| !word.quoted);
        let is_time = next.is_some_and(|word| word.text.starts_with(|c: char| c.is_ascii_digit()));
        is_time.then(|| self.between(wanted)).transpose()
    }

    /// `#3`.
    pub fn incident(&mut self) -> Result<IncidentId, ParseError> {
        let word = self.take("an incident such as #1")?;
        self.incident_of(&word)
    }

    pub fn incident_of(&self, word: &str) -> Result<IncidentId, ParseError> {
        let number = word
            .strip_prefix('#')
            .and_then(|number| number.parse().ok());
        let number = number.filter(|number| *number > 0);
        let refused = || self.unknown(word, "an incident such as #1, counted from #1 by opening");
        number.map(IncidentId).ok_or_else(refused)
    }

    /// One of these words, with what it means.
    pub fn one_of<T: Copy>(
        &mut self,
        wanted: &str,
        choices: &[(&str, T)],
    ) -> Result<T, ParseError> {
        let all: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let right = format!("{wanted}: one of {}", all.join(", "));
        let word = self.take(&right)?;
        let found = choices.iter().find(|(choice, _)| *choice == word);
        found
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| self.unknown(&word, &right))
    }

    /// Nothing may follow.
    pub fn end(&mut self) -> Result<(), ParseError> {
        if self.is_done() {
            return Ok(());
        }
        let word = self.take("")?;
        Err(self.wrong(format!(
            "`{word}` is not known here; end the statement before it"
        )))
    }
}
