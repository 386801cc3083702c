//! Addresses: of mail, and the queries of URLs.

use super::bytes::{Class, class};
use super::{MASK, Scan};

impl Scan<'_> {
    /// Whether the `@` here lies between a name and a domain with a dot.
    pub(super) fn is_mail(&self) -> bool {
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

    pub(super) fn mail(&mut self) {
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
    pub(super) fn is_query(&self) -> bool {
        let before = self
            .before()
            .is_some_and(|byte| class(byte) == Class::Word || byte == b'/');
        before && self.after(1).is_some_and(|byte| class(byte) == Class::Word)
    }

    pub(super) fn query(&mut self) {
        self.keep(1);
        let ends = |byte: &u8| matches!(class(*byte), Class::Space | Class::Quote | Class::Close);
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.mask_over(length);
    }
}
