//! Words, white space and quotes: which words of a message are values.

use super::bytes::{Class, class};
use super::{Scan, ends_masked, is_joiner};

/// A quoted string is at most this long; a quote without its like within is text.
const QUOTED_BYTES_MAX: usize = 256;
/// A longer word is an encoded value, not a word.
const WORD_BYTES_MAX: usize = 63;

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

impl Scan<'_> {
    pub(super) fn word(&mut self) {
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
            // `v1.4` is a number after all.
            self.after(0) == Some(b'.') || !is_versioned(word)
        } else {
            (word.len() == 3 && self.is_of_a_date(word)) || is_encoded(word)
        };
        if varies {
            self.out.extend_from_slice(named(word));
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
    pub(super) fn space(&mut self) {
        let mut lines = false;
        while let Some(&byte) = self.bytes.get(self.at)
            && class(byte) == Class::Space
        {
            lines |= byte == b'\n';
            self.at += 1;
        }
        self.space_if_missing();
        if lines && self.is_at_frame() {
            self.mask();
            self.at = self.bytes.len();
            self.brackets.clear();
        }
    }

    fn space_if_missing(&mut self) {
        if self.out.last().is_some_and(|&last| last != b' ') {
            self.out.push(b' ');
        }
    }

    fn is_at_frame(&self) -> bool {
        let frames = [&b"at "[..], b"... ", b"File \""];
        let rest = &self.bytes[self.at..];
        frames.iter().any(|frame| rest.starts_with(frame))
    }

    /// Skips a colour or another control sequence of a terminal.
    pub(super) fn escape(&mut self) {
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

    pub(super) fn quote(&mut self, quote: u8) {
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

/// `v1` names a part of an interface and `payments-v2` a service, not an item of theirs.
fn is_versioned(word: &[u8]) -> bool {
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let (name, version) = word.split_at(word.len() - digits.count());
    let is_name = |name: &[u8]| !name.iter().any(u8::is_ascii_digit);
    matches!(version.len(), 1 | 2)
        && (name.eq_ignore_ascii_case(b"v") || (name.ends_with(b"-v") && is_name(name)))
}

/// What a numbered word is named: `HikariPool-` of `HikariPool-1`; nothing of `Z1236`.
fn named(word: &[u8]) -> &[u8] {
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let (name, number) = word.split_at(word.len() - digits.count());
    let is_name = name.len() > 3
        && name.ends_with(b"-")
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
    if is_name && !number.is_empty() {
        name
    } else {
        b""
    }
}

fn is_encoded(word: &[u8]) -> bool {
    word.len() > WORD_BYTES_MAX && word.iter().any(u8::is_ascii_alphabetic)
}
