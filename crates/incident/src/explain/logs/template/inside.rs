//! Brackets: what stands inside of them is words of the statement, or values that it printed.

use super::bytes::{Class, class, closing};
use super::{MASK, Outer, Scan};

/// A bracket that is never closed, with more than this many bytes behind it, was cut off together
/// with the end of the message, and is read as if it were closed there. With fewer it is text.
const CUT_OFF_BYTES: usize = 160;
/// A long rest in an unclosed bracket with as many words, and hardly a pair, is text all the same.
const TOLD_WORDS_MIN: usize = 8;
/// Unclosed brackets that are tried as text; further ones are read as closed by the end.
const UNCLOSED_MAX: u32 = 8;
/// How far a list is looked through for sentences.
const PROSE_BYTES_MAX: usize = 160;
/// Sentences in brackets have few commas, lists have many.
const PROSE_COMMAS_MAX: usize = 2;

impl Scan<'_> {
    pub(super) fn open(&mut self, bracket: u8) {
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

    pub(super) fn close(&mut self, bracket: u8) {
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
    pub(super) fn end_inside(&mut self) -> bool {
        let bracket = self.bytes[self.outer.at];
        let rest = &self.bytes[self.outer.at + 1..];
        let cut_off = rest.len() > CUT_OFF_BYTES && (self.brackets.depth() > 1 || !is_told(rest));
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
    pub(super) fn is_key(&self) -> bool {
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
        // `(111: Connection refused)` says what the number means.
        let is_code = after == b' ' && self.out[self.outer.out..] == *b"(<*>";
        !(is_path || is_time || is_scheme || is_code)
    }

    /// Keeps the separator of this length and masks the value, to the end of the bracket. A list
    /// stays told apart from a single value, as other statements print lists; and the class of an
    /// exception is kept, as it is what one looks for.
    pub(super) fn value(&mut self, separator: usize) {
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
            let thrown = thrown(value);
            self.out.extend_from_slice(thrown);
            if !thrown.is_empty() {
                self.out.extend_from_slice(b": ");
            }
            self.mask();
        }
        self.skip_to_depth(0);
    }

    /// A comma inside brackets: of a number, of a sentence, or of a list.
    pub(super) fn list(&mut self) {
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
    pub(super) fn wide(&mut self) {
        let is_colon = self.bytes[self.at..].starts_with("：".as_bytes());
        let inside = self.brackets.depth() == 1 && self.out.len() > self.outer.out + 1;
        match (is_colon, inside) {
            (true, true) => self.value("：".len()),
            (true, false) => self.keep("：".len()),
            _ => self.keep(1),
        }
    }
}

/// Whether a text without brackets is told in words rather than printed as pairs or a long value.
fn is_told(text: &[u8]) -> bool {
    let count = |is: fn(&u8) -> bool| text.iter().filter(|byte| is(byte)).count();
    count(|byte| *byte == b' ') >= TOLD_WORDS_MIN
        && count(|byte| matches!(byte, b':' | b'=' | b',')) <= PROSE_COMMAS_MAX
}

/// The class of the exception that a value begins with, as in `java.io.IOException: closed`.
fn thrown(value: &[u8]) -> &[u8] {
    let is_name = |byte: &&u8| class(**byte) == Class::Word || matches!(**byte, b'.' | b'$');
    let name = &value[..value.iter().take_while(is_name).count()];
    let is_thrown = name.ends_with(b"Exception") || name.ends_with(b"Error");
    let is_class = name.contains(&b'.') && !name.iter().any(u8::is_ascii_digit);
    if is_thrown && is_class { name } else { &[] }
}
