//! Seals: a hash over a row's columns, kept in the row.

/// Binds the columns of a row together, in order. SQLite notices damage to its structure; this
/// notices damage to what lies in it.
pub struct Seal(blake3::Hasher);

impl Seal {
    const BYTES: usize = 16;

    pub fn of(table: &str) -> Seal {
        let mut hasher = blake3::Hasher::new();
        hasher.update(table.as_bytes());
        Seal(hasher)
    }

    pub fn bytes(mut self, column: &[u8]) -> Seal {
        // With its length, so that text can't wander between columns.
        self.0.update(&(column.len() as u64).to_le_bytes());
        self.0.update(column);
        self
    }

    pub fn text(self, column: &str) -> Seal {
        self.bytes(column.as_bytes())
    }

    pub fn number(self, column: i64) -> Seal {
        self.bytes(&column.to_le_bytes())
    }

    pub fn optional(self, column: Option<i64>) -> Seal {
        match column {
            Some(number) => self.number(number),
            None => self.bytes(&[]),
        }
    }

    pub fn optional_text(self, column: Option<&str>) -> Seal {
        match column {
            // An absent text is not an empty one.
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    pub fn finish(self) -> Vec<u8> {
        self.0.finalize().as_bytes()[..Seal::BYTES].to_vec()
    }
}
