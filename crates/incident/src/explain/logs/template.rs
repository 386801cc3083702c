//! From a message to its template: one pass over the bytes, no grammar of any program.
//!
//! What a statement writes itself stands outside brackets or just inside of them, as words; what it
//! prints of data has digits, quotes, or lies deeper. So text at bracket depth 0 and 1 is kept,
//! deeper text is `<*>`; inside brackets a value after `key:` or `key=` and a list are `<*>` too;
//! and so is, anywhere, what has a digit or stands in quotes. Runs of `<*>` become one.

mod bytes;

mod address;
mod inside;
mod words;

use bytes::{Brackets, Class, class};

pub(crate) const MASK: &[u8] = b"<*>";

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
            Class::Space => self.space(),
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

#[cfg(test)]
mod tests;
