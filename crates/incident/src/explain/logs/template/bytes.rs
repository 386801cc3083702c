//! What a byte of a message may be, and brackets that lie in one another.

/// What a byte is to the scanner of templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Letters, digits, `_` and `-`: what words and ids are made of.
    Word,
    /// White space and control characters.
    Space,
    Open,
    Close,
    Quote,
    Colon,
    Equals,
    Comma,
    At,
    Question,
    /// `<`, which may begin a `<*>`.
    Less,
    Escape,
    /// The first byte of U+FF1A, the full-width colon, and of its neighbours.
    Wide,
    /// Kept as it is: other punctuation, and bytes of characters beyond ASCII.
    Plain,
}

pub(super) const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => Class::Word,
            0x1b => Class::Escape,
            0..=b' ' | 0x7f => Class::Space,
            b'(' | b'[' | b'{' => Class::Open,
            b')' | b']' | b'}' => Class::Close,
            b'"' | b'\'' | b'`' => Class::Quote,
            b':' => Class::Colon,
            b'=' => Class::Equals,
            b',' => Class::Comma,
            b'@' => Class::At,
            b'?' => Class::Question,
            b'<' => Class::Less,
            0xef => Class::Wide,
            _ => Class::Plain,
        };
        byte += 1;
    }
    table
}

pub(super) fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// How many brackets are told apart by kind; further in they are only counted.
const KINDS: usize = 32;

/// The brackets that are open at a place of a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Brackets {
    kinds: [u8; KINDS],
    depth: usize,
}

impl Brackets {
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn clear(&mut self) {
        self.depth = 0;
    }

    pub(super) fn open(&mut self, bracket: u8) {
        if let Some(kind) = self.kinds.get_mut(self.depth) {
            *kind = bracket;
        }
        self.depth += 1;
    }

    /// Closes the innermost bracket of this kind with all that lie in it: what was left open there
    /// was text. A bracket that closes none is text too, but for half-open intervals: `[0, 5)`.
    pub(super) fn close(&mut self, bracket: u8) {
        if self.depth > KINDS {
            self.depth -= 1;
            return;
        }
        let wanted = match bracket {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        let open = &self.kinds[..self.depth];
        let interval = matches!(
            (open.last(), bracket),
            (Some(b'['), b')') | (Some(b'('), b']')
        );
        match open.iter().rposition(|&kind| kind == wanted) {
            Some(at) => self.depth = at,
            None if interval => self.depth -= 1,
            None => {}
        }
    }
}

/// The bracket that closes this one.
pub(super) fn closing(bracket: u8) -> u8 {
    match bracket {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}
