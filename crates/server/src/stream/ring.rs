//! The ring: the newest events as finished texts, bounded in number and bytes.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use axum::body::Bytes;
use domain::{ServiceId, Timestamp};

use super::events::{Part, Text};

/// Events that are kept.
pub const EVENTS_MAX: usize = 4_096;
/// Bytes of all texts that are kept.
pub const BYTES_MAX: usize = 4 << 20;

/// A place in the stream of one start: the event with this number is the next to come. Written
/// `<start in milliseconds>-<number of the event before>`, which is that event's `id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    start: i64,
    next: u64,
}

/// A text that is no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be the id of an event, such as 1795348800000-17")]
pub struct NoPosition;

/// Where a client wants to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Now,
    After(Position),
    /// After an event that can't be one of this start.
    AfterUnknown,
}

/// What a client gets next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing yet.
    Wait,
    /// The text, if the event concerns the client, and where it goes on.
    Event(Option<Bytes>, Position),
    /// Events went before the client took them; it goes on at the end.
    Missed(Position),
}

/// The newest events of one start.
#[derive(Debug)]
pub struct Ring {
    start: i64,
    /// The number of the next event; the first is 1.
    next: u64,
    kept: VecDeque<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    id: String,
    name: &'static str,
    /// As those read it who follow everything.
    whole: Bytes,
    text: Text,
}

impl Ring {
    pub fn new(started_at: Timestamp) -> Ring {
        Ring {
            start: started_at.as_millis(),
            next: 1,
            kept: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Adds an event. The oldest go beyond the bounds; so does one that is larger than all of them.
    pub fn push(&mut self, name: &'static str, text: Text) {
        let id = Position {
            start: self.start,
            next: self.next + 1,
        }
        .to_string();
        let whole = frame(&id, name, &text.whole());
        let kept = Kept {
            id,
            name,
            whole,
            text,
        };
        self.next += 1;
        self.bytes += kept.bytes();
        self.kept.push_back(kept);
        while self.kept.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
        }
    }

    /// The place where a client begins; as an error where it missed something: then it is the end.
    pub fn begin(&self, ask: Ask) -> Result<Position, Position> {
        match ask {
            Ask::Now => Ok(self.end()),
            Ask::After(position) if self.has(position) => Ok(position),
            Ask::After(_) | Ask::AfterUnknown => Err(self.end()),
        }
    }

    /// What comes at a position, for those who follow all services or one.
    pub fn next(&self, position: Position, service: Option<&ServiceId>) -> Next {
        if !self.has(position) {
            return Next::Missed(self.end());
        }
        let index = usize::try_from(position.next - self.first()).unwrap_or(usize::MAX);
        let Some(kept) = self.kept.get(index) else {
            return Next::Wait;
        };
        let text = kept.of(service);
        let after = Position {
            next: position.next + 1,
            ..position
        };
        Next::Event(text, after)
    }

    fn end(&self) -> Position {
        Position {
            start: self.start,
            next: self.next,
        }
    }

    /// Whether everything from a position on is kept.
    fn has(&self, position: Position) -> bool {
        position.start == self.start && (self.first()..=self.next).contains(&position.next)
    }

    /// The number of the oldest event that is kept, or of the next one.
    fn first(&self) -> u64 {
        self.next - self.kept.len() as u64
    }
}

impl Kept {
    /// The event for those who follow a service or all; none where it doesn't concern them. Shared
    /// wherever it can be: what waits in connections of slow clients is kept once.
    fn of(&self, service: Option<&ServiceId>) -> Option<Bytes> {
        match service.map_or(Part::Whole, |service| self.text.of(service)) {
            Part::Whole => Some(self.whole.clone()),
            Part::Of(text) => Some(frame(&self.id, self.name, &text)),
            Part::None => None,
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Kept>() + self.id.len() + self.whole.len() + self.text.bytes()
    }
}

/// An event in the format of server-sent events. `data` is JSON of one line.
fn frame(id: &str, name: &str, data: &str) -> Bytes {
    Bytes::from(format!("id: {id}\nevent: {name}\ndata: {data}\n\n"))
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.next - 1)
    }
}

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Position, NoPosition> {
        let (start, number) = text.split_once('-').ok_or(NoPosition)?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(start) || !digits(number) {
            return Err(NoPosition);
        }
        let number: u64 = number.parse().map_err(|_| NoPosition)?;
        Ok(Position {
            start: start.parse().map_err(|_| NoPosition)?,
            next: number.checked_add(1).ok_or(NoPosition)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::events::Text;
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_348_800_000);

    fn text(number: u64) -> Text {
        Text::Plain(None, number.to_string())
    }

    fn ring(events: u64) -> Ring {
        let mut ring = Ring::new(START);
        (1..=events).for_each(|number| ring.push("tick", text(number)));
        ring
    }

    fn id(number: u64) -> Position {
        format!("{}-{number}", START.as_millis()).parse().unwrap()
    }

    /// The data of everything from a position on.
    fn follow(ring: &Ring, mut position: Position, service: Option<&ServiceId>) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            match ring.next(position, service) {
                Next::Wait => return found,
                Next::Missed(end) => {
                    found.push("missed".to_owned());
                    position = end;
                }
                Next::Event(text, after) => {
                    position = after;
                    found.extend(text.map(|text| {
                        let text = String::from_utf8(text.to_vec()).unwrap();
                        let data = text.lines().find_map(|line| line.strip_prefix("data: "));
                        data.unwrap().to_owned()
                    }));
                }
            }
        }
    }

    #[test]
    fn a_client_that_comes_back_gets_what_it_missed() {
        let ring = ring(5);
        assert_eq!(ring.begin(Ask::After(id(3))), Ok(id(3)));
        assert_eq!(follow(&ring, id(3), None), ["4", "5"]);
        assert_eq!(follow(&ring, id(5), None), [""; 0]);
        assert_eq!(follow(&ring, id(0), None).len(), 5);
        assert_eq!(ring.begin(Ask::Now), Ok(id(5)));
    }

    #[test]
    fn an_id_that_is_not_of_the_ring_is_told_and_goes_on_from_now() {
        let ring = ring(5);
        let elsewhere: Position = "1795348799999-3".parse().unwrap();
        for ask in [
            Ask::After(id(6)),
            Ask::After(id(u64::MAX - 1)),
            Ask::After(elsewhere),
            Ask::AfterUnknown,
        ] {
            assert_eq!(ring.begin(ask), Err(id(5)), "{ask:?}");
        }
    }

    #[test]
    fn the_oldest_events_go_and_who_was_there_is_told() {
        let mut ring = ring(EVENTS_MAX as u64 + 10);
        assert_eq!(ring.kept.len(), EVENTS_MAX);
        assert_eq!(ring.begin(Ask::After(id(9))), Err(ring.end()));
        assert_eq!(ring.begin(Ask::After(id(10))), Ok(id(10)));
        ring.push("tick", text(0));
        assert_eq!(follow(&ring, id(10), None), ["missed"]);
        assert_eq!(follow(&ring, id(11), None).len(), EVENTS_MAX);
    }

    #[test]
    fn the_texts_stay_within_their_bytes() {
        let mut ring = ring(3);
        for _ in 0..20 {
            ring.push("tick", Text::Plain(None, "x".repeat(BYTES_MAX / 8)));
            assert!(ring.bytes <= BYTES_MAX);
        }
        assert!(ring.kept.len() < 8);
        ring.push("tick", Text::Plain(None, "x".repeat(BYTES_MAX)));
        assert_eq!((ring.kept.len(), ring.bytes), (0, 0));
        assert_eq!(follow(&ring, id(3), None), ["missed"]);
    }

    #[test]
    fn who_follows_one_service_gets_what_concerns_it() {
        let service = |name: &str| ServiceId::new(name).unwrap();
        let mut ring = Ring::new(START);
        ring.push("incident", Text::Plain(Some(service("pay")), "1".into()));
        ring.push("incident", Text::Plain(Some(service("cart")), "2".into()));
        ring.push("status", Text::Plain(None, "3".into()));
        ring.push(
            "tick",
            Text::Listed {
                before: "[".into(),
                items: vec![(service("cart"), "4".into()), (service("pay"), "5".into())],
                after: "]",
            },
        );
        assert_eq!(follow(&ring, id(0), None), ["1", "2", "3", "[4,5]"]);
        let of = |name| follow(&ring, id(0), Some(&service(name)));
        let shared = |service: Option<&ServiceId>| match ring.next(id(0), service) {
            Next::Event(Some(text), _) => text.as_ptr(),
            other => panic!("{other:?}"),
        };
        assert_eq!(shared(None), shared(Some(&service("pay"))));
        assert_eq!(of("pay"), ["1", "3", "[5]"]);
        assert_eq!(of("cart"), ["2", "3", "[4]"]);
        assert_eq!(of("other"), ["3", "[]"]);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "a-1",
            "1-2-3",
            "1--2",
            "+1-2",
            "1-18446744073709551615",
            "99999999999999999999-1",
        ] {
            assert_eq!(text.parse::<Position>(), Err(NoPosition), "{text}");
        }
        assert_eq!(id(17).to_string(), "1795348800000-17");
    }
}
