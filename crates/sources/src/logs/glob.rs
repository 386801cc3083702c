//! Names with `*` and `?` in them.

/// One part of a path: `*` stands for any characters, `?` for one. Neither stands for a leading
/// dot, and neither crosses a `/`, for a part has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Glob {
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Is(char),
    One,
    Many,
}

impl Glob {
    /// Reads a text as a pattern.
    pub(super) fn push_pattern(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '*' => self.push_many(),
                '?' => self.pieces.push(Piece::One),
                c => self.pieces.push(Piece::Is(c)),
            }
        }
    }

    /// Takes a text as it is.
    pub(super) fn push_text(&mut self, text: &str) {
        self.pieces.extend(text.chars().map(Piece::Is));
    }

    pub(super) fn push_many(&mut self) {
        if self.pieces.last() != Some(&Piece::Many) {
            self.pieces.push(Piece::Many);
        }
    }

    /// The one name that it stands for, if it is only one.
    pub(super) fn only(&self) -> Option<String> {
        let letter = |piece: &Piece| match piece {
            Piece::Is(c) => Some(*c),
            Piece::One | Piece::Many => None,
        };
        self.pieces.iter().map(letter).collect()
    }

    /// Takes as many steps as the name is long, times the pattern at worst.
    pub(super) fn matches(&self, name: &str) -> bool {
        let hidden = name.starts_with('.');
        if hidden && self.pieces.first() != Some(&Piece::Is('.')) {
            return false;
        }
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut piece) = (0, 0);
        // Where to go on from when the last `*` has to take one more.
        let mut retry = None;
        while at < name.len() {
            match self.pieces.get(piece) {
                Some(Piece::Many) => {
                    piece += 1;
                    retry = Some((at, piece));
                    continue;
                }
                Some(Piece::One) => {}
                Some(Piece::Is(c)) if *c == name[at] => {}
                _ => {
                    let Some((from, after)) = retry else {
                        return false;
                    };
                    retry = Some((from + 1, after));
                    (at, piece) = (from + 1, after);
                    continue;
                }
            }
            at += 1;
            piece += 1;
        }
        self.pieces[piece..]
            .iter()
            .all(|piece| *piece == Piece::Many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        let check = |pattern: &str, name: &str, matches: bool| {
            let mut glob = Glob::default();
            glob.push_pattern(pattern);
            assert_eq!(glob.matches(name), matches, "{pattern} {name}");
        };
        check("*.json", "a.json", true);
        check("*.json", "a.json.1", false);
        check("*.json", ".json", false);
        check("*", ".hidden", false);
        check(".h*", ".hidden", true);
        check("pay-*_*.log", "pay-7c9_default_app-1.log", true);
        check("pay-*_*.log", "pay-7c9.log", false);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("a**b", "ab", true);
        check("*a*b*", "xxaxxbxx", true);
        check("päy?", "päy🦀", true);
        check(&"*a".repeat(40), &"a".repeat(2000), true);
        check(&format!("{}b", "*a".repeat(40)), &"a".repeat(2000), false);
    }

    #[test]
    fn a_text_is_no_pattern() {
        let mut glob = Glob::default();
        glob.push_text("a*?");
        assert!(glob.matches("a*?") && !glob.matches("abc"));
        assert_eq!(glob.only().as_deref(), Some("a*?"));
        glob.push_many();
        assert_eq!(glob.only(), None);
    }
}
