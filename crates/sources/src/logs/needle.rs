//! Searching for a text in lines, if possible without reading them.

use domain::LogLine;
use memchr::{memchr_iter, memchr2_iter};

/// A text that is searched for, in any case.
pub(super) struct Needle {
    lower: String,
    /// JSON and [`visible`](crate::visible) leave it as it is.
    is_plain: bool,
}

impl Needle {
    /// None where any text has it.
    pub(super) fn new(text: &str) -> Option<Needle> {
        let lower = text.to_lowercase();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" .,-_:;@#=$".contains(&byte);
        let is_plain = lower.bytes().all(is_plain);
        (!lower.is_empty()).then_some(Needle { lower, is_plain })
    }

    pub(super) fn is_in(&self, line: &LogLine) -> bool {
        let texts = [&line.exception, &line.stack_trace, &line.trace_id];
        let others = texts.into_iter().flatten();
        std::iter::once(&line.message)
            .chain(others)
            .any(|text| self.is_in_text(text))
    }

    fn is_in_text(&self, text: &str) -> bool {
        if self.lower.is_ascii() && text.is_ascii() {
            self.is_in_bytes(text.as_bytes())
        } else {
            text.to_lowercase().contains(&self.lower)
        }
    }

    /// Whether an object may have it in its texts: only the bytes are looked at.
    pub(super) fn may_be_in(&self, object: &[u8]) -> bool {
        let is_coded = |at: usize| object.get(at + 1) == Some(&b'u');
        !self.is_plain
            || self.is_in_bytes(object)
            || !object.is_ascii()
            || memchr_iter(b'\\', object).any(is_coded)
    }

    fn is_in_bytes(&self, bytes: &[u8]) -> bool {
        let needle = self.lower.as_bytes();
        let Some(first) = needle.first() else {
            return true;
        };
        let mut begins = memchr2_iter(*first, first.to_ascii_uppercase(), bytes);
        begins.any(|at| {
            let there = bytes.get(at..at + needle.len());
            there.is_some_and(|there| there.eq_ignore_ascii_case(needle))
        })
    }
}
