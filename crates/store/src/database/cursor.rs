//! Where a list goes on: the order of a page and the place of its last incident in it.
//!
//! A place is a value and a number, not a count, so that what is added meanwhile shifts nothing.

use std::fmt;

use domain::{IncidentId, ServiceId};

/// The order of a list. Equal ones are ordered by number, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    pub by: SortBy,
    pub descending: bool,
}

impl Default for Sort {
    /// Newest number first.
    fn default() -> Sort {
        Sort {
            by: SortBy::Id,
            descending: true,
        }
    }
}

/// What a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortBy {
    Opened,
    LastSeen,
    /// The shown severity; the worst is the greatest.
    Severity,
    /// By the bytes of its name.
    Service,
    Id,
}

impl SortBy {
    pub const ALL: [SortBy; 5] = [
        SortBy::Opened,
        SortBy::LastSeen,
        SortBy::Severity,
        SortBy::Service,
        SortBy::Id,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            SortBy::Opened => "opened",
            SortBy::LastSeen => "last_seen",
            SortBy::Severity => "severity",
            SortBy::Service => "service",
            SortBy::Id => "id",
        }
    }
}

/// Where a page of incidents ended. Opaque to callers; its text is safe in a URL.
///
/// ```
/// use store::{Cursor, Sort, SortBy};
/// let sort = Sort { by: SortBy::Severity, descending: true };
/// let cursor = Cursor::parse("severity.desc.3.12", sort).unwrap();
/// assert_eq!(cursor.to_string(), "severity.desc.3.12");
/// assert!(Cursor::parse("severity.desc.3.12", Sort::default()).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) sort: Sort,
    pub(super) key: Key,
    pub(super) id: IncidentId,
}

/// The value that an incident is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Number(i64),
    Text(String),
}

/// Why a text is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    #[error("cursor {0:?} is none that a list gave; leave it out to begin at the first page")]
    Unknown(String),
    #[error(
        "cursor {text:?} is of another order than {wanted}; leave it out to begin at the first page"
    )]
    OfOtherOrder { text: String, wanted: String },
}

impl Cursor {
    /// Reads the `next` of a page that was asked for in this order.
    ///
    /// # Errors
    /// It isn't a cursor, or it is one of a list in another order.
    pub fn parse(text: &str, sort: Sort) -> Result<Cursor, CursorError> {
        let shown = || text.chars().take(80).collect::<String>();
        let cursor = parsed(text).ok_or_else(|| CursorError::Unknown(shown()))?;
        if cursor.sort != sort {
            return Err(CursorError::OfOtherOrder {
                text: shown(),
                wanted: words(sort),
            });
        }
        Ok(cursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", words(self.sort))?;
        match &self.key {
            Key::Number(number) => write!(f, "{number}")?,
            Key::Text(text) => {
                for byte in text.bytes() {
                    write!(f, "{byte:02x}")?;
                }
            }
        }
        write!(f, ".{}", self.id.0)
    }
}

fn words(sort: Sort) -> String {
    let direction = if sort.descending { "desc" } else { "asc" };
    format!("{}.{direction}", sort.by.as_str())
}

fn parsed(text: &str) -> Option<Cursor> {
    let mut parts = text.split('.');
    let (by, direction) = (parts.next()?, parts.next()?);
    let (key, id) = (parts.next()?, parts.next()?);
    let sort = Sort {
        by: SortBy::ALL.into_iter().find(|sort| sort.as_str() == by)?,
        descending: match direction {
            "desc" => true,
            "asc" => false,
            _ => return None,
        },
    };
    let key = match sort.by {
        SortBy::Service => Key::Text(unhexed(key)?),
        _ => Key::Number(key.parse().ok()?),
    };
    let id = IncidentId(id.parse().ok()?);
    let cursor = Cursor { sort, key, id };
    // Signs, zeros and the like would be the same place in other words.
    (parts.next().is_none() && cursor.to_string() == text).then_some(cursor)
}

fn unhexed(text: &str) -> Option<String> {
    if text.len() > 2 * ServiceId::MAX_BYTES {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = text.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    });
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}
