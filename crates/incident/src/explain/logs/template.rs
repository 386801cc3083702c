//! From a message to its template: one pass over the bytes, no grammar of any program.
//!
//! What a statement writes itself stands outside brackets or just inside of them, as words; what it
//! prints of data has digits, quotes, or lies deeper. So text at bracket depth 0 and 1 is kept,
//! deeper text is `<*>`; inside brackets a value after `key:` or `key=` and a list are `<*>` too;
//! and so is, anywhere, what has a digit or stands in quotes. Runs of `<*>` become one.

use super::bytes::{Brackets, Class, class, closing};

pub(crate) const MASK: &[u8] = b"<*>";

/// A bracket that is never closed, with more than this many bytes behind it, was cut off together
/// with the end of the message, and is read as if it were closed there. With fewer it is text.
const CUT_OFF_BYTES: usize = 160;
/// Unclosed brackets that are tried as text; further ones are read as closed by the end.
const UNCLOSED_MAX: u32 = 8;
/// A quoted string is at most this long; a quote without its like within is text.
const QUOTED_BYTES_MAX: usize = 256;
/// A longer word is an encoded value, not a word.
const WORD_BYTES_MAX: usize = 63;
/// How far a list is looked through for sentences.
const PROSE_BYTES_MAX: usize = 160;
/// Sentences in brackets have few commas, lists have many.
const PROSE_COMMAS_MAX: usize = 2;

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const METHODS: [&[u8]; 7] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"PATCH ",
    b"HEAD ",
    b"OPTIONS ",
];
/// Keys of logfmt whose quoted value is the message itself.
const MESSAGE_KEYS: [&[u8]; 2] = [b"msg=", b"message="];

/// Writes the template of `message` to `out`, which is emptied before; at most about
/// `template_bytes` of it.
pub(crate) fn template(message: &str, template_bytes: usize, out: &mut Vec<u8>) {
    out.clear();
    let mut scan = Scan {
        bytes: message.as_bytes(),
        at: 0,
        out,
        brackets: Brackets::default(),
        outer: Outer::default(),
        unclosed: 0,
        kept_until: 0,
    };
    scan.run(template_bytes);
}

/// The bracket at depth 1: where it opened in the message, and how far the template was then.
#[derive(Clone, Copy, Debug, Default)]
struct Outer {
    at: usize,
    out: usize,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    out: &'a mut Vec<u8>,
    brackets: Brackets,
    outer: Outer,
    unclosed: u32,
    /// Quotes before this place are text.
    kept_until: usize,
}

impl Scan<'_> {
    fn run(&mut self, template_bytes: usize) {
        loop {
            while let Some(&byte) = self.bytes.get(self.at) {
                if self.out.len() > template_bytes {
                    return self.cut(template_bytes);
                }
                self.step(byte);
            }
            if self.brackets.depth() == 0 || !self.end_inside() {
                break;
            }
        }
        self.trim();
    }

    fn step(&mut self, byte: u8) {
        match class(byte) {
            Class::Word => self.word(),
            Class::Space => self.space(byte),
            Class::Open => self.open(byte),
            Class::Close => self.close(byte),
            Class::Quote => self.quote(byte),
            Class::Colon | Class::Equals if self.is_key() => self.value(1),
            Class::Comma if self.brackets.depth() == 1 => self.list(),
            Class::At if self.is_mail() => self.mail(),
            Class::Question if self.is_query() => self.query(),
            Class::Less if self.bytes[self.at..].starts_with(MASK) => self.mask_over(MASK.len()),
            Class::Escape => self.escape(),
            Class::Wide => self.wide(),
            _ => self.keep(1),
        }
    }

    fn keep(&mut self, length: usize) {
        let end = (self.at + length).min(self.bytes.len());
        self.out.extend_from_slice(&self.bytes[self.at..end]);
        self.at = end;
    }

    fn mask_over(&mut self, length: usize) {
        self.mask();
        self.at += length;
    }

    /// Adds `<*>`, unless the template ends with one and nothing but separators.
    fn mask(&mut self) {
        if !ends_masked(self.out) {
            self.out.extend_from_slice(MASK);
            return;
        }
        let end = without_joiners(self.out);
        self.out.truncate(end);
    }

    fn trim(&mut self) {
        while self.out.last() == Some(&b' ') {
            self.out.pop();
        }
    }

    fn before(&self) -> Option<u8> {
        self.at.checked_sub(1).map(|at| self.bytes[at])
    }

    fn after(&self, distance: usize) -> Option<u8> {
        self.bytes.get(self.at + distance).copied()
    }

    /// The template is long enough: what follows varies, for all that is known.
    fn cut(&mut self, template_bytes: usize) {
        let mut end = template_bytes.min(self.out.len());
        // Never within a character, nor within a `<*>`.
        while end > 0 && self.out.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
        if let Some(start) =
            (end.saturating_sub(2)..end).find(|&at| self.out[at..].starts_with(MASK))
        {
            end = start;
        }
        self.out.truncate(end);
        self.mask();
    }
}

/// Words, white space, quotes.
impl Scan<'_> {
    fn word(&mut self) {
        let start = self.at;
        let mut digits = false;
        while let Some(&byte) = self.bytes.get(self.at)
            && class(byte) == Class::Word
        {
            digits |= byte.is_ascii_digit();
            self.at += 1;
        }
        let word = &self.bytes[start..self.at];
        let varies = if digits {
            !is_version(word)
        } else {
            (word.len() == 3 && self.is_of_a_date(word)) || is_encoded(word)
        };
        if varies {
            self.mask();
        } else {
            self.out.extend_from_slice(word);
        }
    }

    /// `Jan` beside digits, and `Mon` before it.
    fn is_of_a_date(&self, word: &[u8]) -> bool {
        let rest = &self.bytes[self.at..];
        let next = rest.iter().position(|&byte| !is_joiner(byte));
        let next = next.map_or(&[][..], |at| &rest[at..]);
        let starts_with_a_month = MONTHS.iter().any(|month| next.starts_with(&month[..]));
        if MONTHS.iter().any(|month| word == *month) {
            next.first().is_some_and(u8::is_ascii_digit) || ends_masked(self.out)
        } else {
            let digit = next.first().is_some_and(u8::is_ascii_digit);
            DAYS.iter().any(|day| word == *day) && (digit || starts_with_a_month)
        }
    }

    /// White space becomes one space. Frames of a stack trace end the template.
    fn space(&mut self, byte: u8) {
        if byte == b'\n' && self.is_before_frame() {
            self.space_if_missing();
            self.mask();
            self.at = self.bytes.len();
            self.brackets.clear();
            return;
        }
        self.space_if_missing();
        self.at += 1;
    }

    fn space_if_missing(&mut self) {
        if self.out.last().is_some_and(|&last| last != b' ') {
            self.out.push(b' ');
        }
    }

    fn is_before_frame(&self) -> bool {
        let rest = self.bytes[self.at..].trim_ascii_start();
        [&b"at "[..], b"... ", b"File \""]
            .iter()
            .any(|frame| rest.starts_with(frame))
    }

    /// Skips a colour or another control sequence of a terminal.
    fn escape(&mut self) {
        self.at += 1;
        if self.after(0) != Some(b'[') {
            return;
        }
        let rest = &self.bytes[self.at + 1..];
        let parameters = rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || **byte == b';')
            .count();
        self.at += 1 + parameters;
        if rest.get(parameters).is_some_and(u8::is_ascii_alphabetic) {
            self.at += 1;
        }
    }

    fn quote(&mut self, quote: u8) {
        if self.at < self.kept_until {
            return self.keep(1);
        }
        let Some(length) = self.quoted(quote) else {
            return self.keep(1);
        };
        let inner = &self.bytes[self.at + 1..self.at + 1 + length];
        let is_text = MESSAGE_KEYS.iter().any(|key| self.out.ends_with(key))
            || METHODS.iter().any(|method| inner.starts_with(method));
        if is_text {
            self.kept_until = self.at + length + 2;
            self.keep(1);
        } else {
            self.mask_over(length + 2);
        }
    }

    /// How long the quoted text is that begins here; none where the quote is an apostrophe or
    /// has no like.
    fn quoted(&self, quote: u8) -> Option<usize> {
        if quote == b'\''
            && self
                .before()
                .is_some_and(|byte| byte.is_ascii_alphanumeric())
        {
            return None;
        }
        let rest = &self.bytes[self.at + 1..];
        let rest = &rest[..rest.len().min(QUOTED_BYTES_MAX)];
        let ends = |at: usize| {
            let next = rest.get(at + 1);
            rest[at] == quote && (quote != b'\'' || !next.is_some_and(u8::is_ascii_alphanumeric))
        };
        let length = (0..rest.len()).find(|&at| ends(at) || rest[at] == b'\n')?;
        (length > 0 && rest[length] == quote).then_some(length)
    }
}

/// Brackets, and what stands inside of them.
impl Scan<'_> {
    fn open(&mut self, bracket: u8) {
        if self.brackets.depth() == 0 {
            let (at, out) = (self.at, self.out.len());
            self.outer = Outer { at, out };
            self.brackets.open(bracket);
            return self.keep(1);
        }
        self.mask();
        self.brackets.open(bracket);
        self.at += 1;
        self.skip_to_depth(1);
    }

    fn close(&mut self, bracket: u8) {
        self.brackets.close(bracket);
        self.keep(1);
    }

    /// Goes behind the bracket that leads out to this depth, or to the end. A bracket that leads out
    /// of all is kept.
    fn skip_to_depth(&mut self, depth: usize) {
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match class(byte) {
                Class::Open => self.brackets.open(byte),
                Class::Close => {
                    self.brackets.close(byte);
                    if self.brackets.depth() == 0 {
                        return self.out.push(byte);
                    }
                    if self.brackets.depth() <= depth {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// The message ended inside brackets. True if it is to be read again from the outermost of
    /// them, as text.
    fn end_inside(&mut self) -> bool {
        let bracket = self.bytes[self.outer.at];
        let cut_off = self.bytes.len() - self.outer.at > CUT_OFF_BYTES;
        self.brackets.clear();
        if cut_off || self.unclosed >= UNCLOSED_MAX {
            self.trim();
            if !self.out.ends_with(MASK) && !self.out.ends_with(b"[<*>]") {
                self.mask();
            }
            self.out.push(closing(bracket));
            return false;
        }
        self.unclosed += 1;
        self.at = self.outer.at;
        self.out.truncate(self.outer.out);
        self.keep(1);
        true
    }

    /// Whether the `:` or `=` here ends the key of a value, inside brackets.
    fn is_key(&self) -> bool {
        if self.brackets.depth() != 1 || self.out.len() <= self.outer.out + 1 {
            return false;
        }
        let (before, after) = (self.before().unwrap_or(b' '), self.after(1).unwrap_or(b' '));
        if self.bytes[self.at] == b'=' {
            return !matches!(before, b'=' | b'!' | b'<' | b'>') && after != b'=';
        }
        let is_path = before == b':' || after == b':';
        let is_time = before.is_ascii_digit() && after.is_ascii_digit();
        let is_scheme = self.bytes[self.at + 1..].starts_with(b"//");
        !(is_path || is_time || is_scheme)
    }

    /// Keeps the separator of this length and masks the value, to the end of the bracket. A list
    /// stays told apart from a single value: other statements print lists.
    fn value(&mut self, separator: usize) {
        self.trim();
        self.keep(separator);
        if self
            .after(0)
            .is_some_and(|byte| class(byte) == Class::Space)
        {
            self.out.push(b' ');
        }
        let value = self.bytes[self.at..].trim_ascii_start();
        if value.first() == Some(&b'[') {
            self.out.extend_from_slice(b"[<*>]");
        } else {
            self.mask();
        }
        self.skip_to_depth(0);
    }

    /// A comma inside brackets: of a number, of a sentence, or of a list.
    fn list(&mut self) {
        let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
        if (is_digit(self.before()) && is_digit(self.after(1))) || self.is_prose() {
            return self.keep(1);
        }
        let inside = self.outer.out + 1;
        let first = self.out[inside.min(self.out.len())..].trim_ascii();
        if first.contains(&b' ') {
            self.trim();
            self.out.extend_from_slice(b", ");
        } else {
            self.out.truncate(inside);
        }
        self.mask();
        self.skip_to_depth(0);
    }

    /// Whether the commas of this bracket part sentences: few of them, no pairs or brackets
    /// between, and more than single words.
    fn is_prose(&self) -> bool {
        let start = self.outer.at + 1;
        let end = self.bytes.len().min(start + PROSE_BYTES_MAX);
        let (mut commas, mut words, mut fewest, mut most) = (0, 0, usize::MAX, 0);
        let mut in_word = false;
        for &byte in &self.bytes[start.min(end)..end] {
            match class(byte) {
                Class::Comma | Class::Close => {
                    fewest = fewest.min(words);
                    most = most.max(words);
                    if class(byte) == Class::Close {
                        return commas <= PROSE_COMMAS_MAX && (fewest >= 2 || most >= 3);
                    }
                    commas += 1;
                    (words, in_word) = (0, false);
                }
                Class::Open | Class::Colon | Class::Equals => return false,
                Class::Space => in_word = false,
                _ => {
                    words += usize::from(!in_word);
                    in_word = true;
                }
            }
        }
        false
    }

    /// A full-width colon is a colon; other characters of its block are kept.
    fn wide(&mut self) {
        let is_colon = self.bytes[self.at..].starts_with("：".as_bytes());
        let inside = self.brackets.depth() == 1 && self.out.len() > self.outer.out + 1;
        match (is_colon, inside) {
            (true, true) => self.value("：".len()),
            (true, false) => self.keep("：".len()),
            _ => self.keep(1),
        }
    }
}

/// Addresses.
impl Scan<'_> {
    /// Whether the `@` here lies between a name and a domain with a dot.
    fn is_mail(&self) -> bool {
        let domain = self.domain();
        let dot = domain.iter().position(|&byte| byte == b'.');
        let top = dot.and_then(|at| domain.get(at + 1));
        let named = self
            .before()
            .is_some_and(|byte| class(byte) == Class::Word || byte == b'.');
        named && top.is_some_and(u8::is_ascii_alphabetic)
    }

    fn domain(&self) -> &[u8] {
        let rest = &self.bytes[self.at + 1..];
        let length = rest
            .iter()
            .take_while(|&&byte| class(byte) == Class::Word || byte == b'.')
            .count();
        rest[..length].trim_ascii_end()
    }

    fn mail(&mut self) {
        let length = self.domain().len();
        let floor = if self.brackets.depth() > 0 {
            self.outer.out + 1
        } else {
            0
        };
        while self.out.len() > floor {
            match self.out.last() {
                Some(&last) if class(last) == Class::Word || matches!(last, b'.' | b'+' | b'%') => {
                    self.out.pop();
                }
                _ if self.out.ends_with(MASK) => self.out.truncate(self.out.len() - MASK.len()),
                _ => break,
            }
        }
        self.mask_over(length + 1);
    }

    /// Whether a URL's query begins here.
    fn is_query(&self) -> bool {
        let before = self
            .before()
            .is_some_and(|byte| class(byte) == Class::Word || byte == b'/');
        before && self.after(1).is_some_and(|byte| class(byte) == Class::Word)
    }

    fn query(&mut self) {
        self.keep(1);
        let ends = |byte: &u8| matches!(class(*byte), Class::Space | Class::Quote | Class::Close);
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.mask_over(length);
    }
}

/// `v1` and its like name a part of an interface, not an item.
fn is_version(word: &[u8]) -> bool {
    word.len() <= 3 && matches!(word[0], b'v' | b'V') && word[1..].iter().all(u8::is_ascii_digit)
}

fn is_encoded(word: &[u8]) -> bool {
    word.len() > WORD_BYTES_MAX && word.iter().any(u8::is_ascii_alphabetic)
}

/// What may stand between two values of one run.
fn is_joiner(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'.' | b',' | b':' | b';' | b'/' | b'+' | b'-' | b'_'
    )
}

fn without_joiners(template: &[u8]) -> usize {
    let last = template.iter().rposition(|&byte| !is_joiner(byte));
    last.map_or(0, |at| at + 1)
}

fn ends_masked(template: &[u8]) -> bool {
    template[..without_joiners(template)].ends_with(MASK)
}
