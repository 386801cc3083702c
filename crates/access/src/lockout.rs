//! Who failed too often has to wait: per address and name, and per address.
//!
//! The fifth failure of an address with one name, or with tokens, makes it wait 30 s, each further
//! one twice as long, up to 15 minutes; so does the twentieth of an address with whatever names.
//! An hour after the last failure all is forgotten. Memory is bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use domain::Timestamp;

use crate::secret::{self, Digest};

const FREE_FAILURES: u32 = 5;
const FREE_FAILURES_OF_ADDRESS: u32 = 20;
const WAIT_MIN: Duration = Duration::from_secs(30);
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
const FORGET_AFTER: Duration = Duration::from_secs(3_600);
/// Beyond so many, the tenth whose last failure is oldest is forgotten.
const ENTRIES_MAX: usize = 10_000;

/// What somebody tries to come in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt<'a> {
    /// The name that goes with a password.
    Name(&'a str),
    Token,
}

/// Who failed, how often, and until when nothing is tried for them.
#[derive(Debug, Default)]
pub struct Lockout {
    entries: HashMap<Key, Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// The name as a digest: it comes from outside and may be long.
    Name(IpAddr, Digest),
    Token(IpAddr),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    failures: u32,
    last: Timestamp,
    until: Timestamp,
}

impl Lockout {
    /// How long this address still has to wait with this attempt; none: it may try.
    pub fn wait(&self, address: IpAddr, attempt: Attempt, now: Timestamp) -> Option<Duration> {
        keys(address, attempt)
            .iter()
            .filter_map(|key| self.entries.get(key))
            .map(|entry| entry.until.since(now))
            .max()
            .filter(|wait| !wait.is_zero())
    }

    /// Notes a failure.
    pub fn failed(&mut self, address: IpAddr, attempt: Attempt, now: Timestamp) {
        if self.entries.len() + 2 > ENTRIES_MAX {
            self.make_room(now);
        }
        for key in keys(address, attempt) {
            let entry = self.entries.entry(key).or_insert(Entry {
                failures: 0,
                last: now,
                until: now,
            });
            if entry.is_forgotten(now) {
                entry.failures = 0;
            }
            entry.failures = entry.failures.saturating_add(1);
            entry.last = now;
            if let Some(wait) = wait(entry.failures, key.free_failures()) {
                entry.until = now + wait;
            }
        }
    }

    /// Notes that this attempt was right. The failures of the address with other names remain, or
    /// whoever has one password could try those of others without end.
    pub fn succeeded(&mut self, address: IpAddr, attempt: Attempt) {
        let [own, _] = keys(address, attempt);
        self.entries.remove(&own);
    }

    fn make_room(&mut self, now: Timestamp) {
        self.entries.retain(|_, entry| !entry.is_forgotten(now));
        if self.entries.len() + 2 <= ENTRIES_MAX {
            return;
        }
        let mut times: Vec<Timestamp> = self.entries.values().map(|entry| entry.last).collect();
        let (_, tenth, _) = times.select_nth_unstable(ENTRIES_MAX / 10);
        let tenth = *tenth;
        self.entries.retain(|_, entry| entry.last > tenth);
    }
}

impl Key {
    fn free_failures(self) -> u32 {
        match self {
            Key::Name(..) | Key::Token(_) => FREE_FAILURES,
            Key::Address(_) => FREE_FAILURES_OF_ADDRESS,
        }
    }
}

impl Entry {
    fn is_forgotten(&self, now: Timestamp) -> bool {
        now.since(self.last) >= FORGET_AFTER
    }
}

fn keys(address: IpAddr, attempt: Attempt) -> [Key; 2] {
    let address = network(address);
    let own = match attempt {
        Attempt::Name(name) => Key::Name(address, secret::digest(name)),
        Attempt::Token => Key::Token(address),
    };
    [own, Key::Address(address)]
}

/// Whoever has one IPv6 address has its whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        address => address,
    }
}

/// How long the nth failure makes one wait, if `free` are without consequence but the last.
fn wait(failures: u32, free: u32) -> Option<Duration> {
    let doublings = failures.checked_sub(free)?.min(16);
    Some((WAIT_MIN * 2_u32.pow(doublings)).min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const KIM: Attempt = Attempt::Name("kim");

    fn at(seconds: u64) -> Timestamp {
        Timestamp::EPOCH + Duration::from_secs(seconds)
    }

    fn seconds(wait: Option<Duration>) -> u64 {
        wait.map_or(0, |wait| wait.as_secs())
    }

    #[test]
    fn the_fifth_failure_makes_one_wait_and_each_further_one_twice_as_long() {
        let mut lockout = Lockout::default();
        let mut waits = Vec::new();
        let mut now = 0;
        for _ in 0..12 {
            lockout.failed(HERE, KIM, at(now));
            let wait = seconds(lockout.wait(HERE, KIM, at(now)));
            waits.push(wait);
            now += wait;
        }
        assert_eq!(waits, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(lockout.wait(HERE, KIM, at(now)), None);
    }

    #[test]
    fn others_do_not_wait() {
        let mut lockout = Lockout::default();
        for _ in 0..5 {
            lockout.failed(HERE, KIM, at(0));
        }
        assert!(lockout.wait(HERE, KIM, at(0)).is_some());
        assert_eq!(lockout.wait(HERE, Attempt::Name("lee"), at(0)), None);
        assert_eq!(lockout.wait(HERE, Attempt::Token, at(0)), None);
        assert_eq!(lockout.wait(THERE, KIM, at(0)), None);
    }

    #[test]
    fn one_address_cannot_try_many_names() {
        let mut lockout = Lockout::default();
        for n in 0..20 {
            let name = format!("user-{n}");
            assert_eq!(lockout.wait(HERE, Attempt::Name(&name), at(0)), None, "{n}");
            lockout.failed(HERE, Attempt::Name(&name), at(0));
        }
        assert_eq!(seconds(lockout.wait(HERE, KIM, at(0))), 30);
    }

    #[test]
    fn success_forgives_the_name_but_not_the_address() {
        let mut lockout = Lockout::default();
        for n in 0..19 {
            lockout.failed(HERE, Attempt::Name(&format!("user-{n}")), at(0));
        }
        for _ in 0..4 {
            lockout.succeeded(HERE, KIM);
        }
        lockout.failed(HERE, KIM, at(0));
        assert_eq!(seconds(lockout.wait(HERE, KIM, at(0))), 30);

        let mut lockout = Lockout::default();
        for _ in 0..4 {
            lockout.failed(HERE, KIM, at(0));
        }
        lockout.succeeded(HERE, KIM);
        lockout.failed(HERE, KIM, at(0));
        assert_eq!(lockout.wait(HERE, KIM, at(0)), None);
    }

    #[test]
    fn an_hour_later_all_is_forgotten() {
        let mut lockout = Lockout::default();
        for _ in 0..4 {
            lockout.failed(HERE, KIM, at(0));
        }
        lockout.failed(HERE, KIM, at(3_600));
        assert_eq!(lockout.wait(HERE, KIM, at(3_600)), None);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut lockout = Lockout::default();
        for n in 0..5 {
            lockout.failed(address(&format!("2001:db8::{n}")), KIM, at(0));
        }
        assert!(lockout.wait(address("2001:db8::ff"), KIM, at(0)).is_some());
        assert_eq!(lockout.wait(address("2001:db8:0:1::1"), KIM, at(0)), None);
        for _ in 0..5 {
            lockout.failed(address("::ffff:192.0.2.1"), KIM, at(0));
        }
        assert!(lockout.wait(HERE, KIM, at(0)).is_some());
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut lockout = Lockout::default();
        for n in 0..30_000_u32 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            lockout.failed(address, KIM, at(u64::from(n) / 100));
        }
        assert!(lockout.entries.len() <= ENTRIES_MAX);
        // Those who failed last are still known.
        let newest = IpAddr::V4(std::net::Ipv4Addr::from_bits(29_999));
        for _ in 0..4 {
            lockout.failed(newest, KIM, at(300));
        }
        assert!(lockout.wait(newest, KIM, at(300)).is_some());
        // All at one instant, too.
        for n in 0..30_000_u32 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            lockout.failed(address, KIM, at(400));
        }
        assert!(lockout.entries.len() <= ENTRIES_MAX);
    }
}
