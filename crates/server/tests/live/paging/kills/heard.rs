//! What receivers were told, counted by the keys of messages and of notices.

use std::collections::{BTreeMap, BTreeSet};

use super::KINDS;
use crate::paging::receiver::Receiver;

/// What one receiver was told, or several.
#[derive(Default)]
pub struct Heard {
    /// Keys that came at least once.
    pub messages: u64,
    pub notices: u64,
    /// Comings beyond the first; of several receivers, at the one with the most.
    pub messages_again: u64,
    pub notices_again: u64,
    pub one_notice_again_max: u64,
    /// Notices that came under a second message key.
    pub notices_elsewhere: u64,
    /// What was told of each incident, by the order of first coming: kinds.
    kinds: BTreeMap<u64, Vec<String>>,
}

impl Heard {
    pub fn of(receiver: &Receiver) -> Heard {
        let mut messages: BTreeMap<String, u64> = BTreeMap::new();
        // How often each notice came, and in which messages.
        let mut notices: BTreeMap<String, (u64, BTreeSet<String>)> = BTreeMap::new();
        let mut kinds: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for taken in receiver.taken() {
            *messages.entry(taken.key.clone()).or_default() += 1;
            for notice in taken.body["notices"].as_array().unwrap() {
                let key = notice["key"].as_str().unwrap().to_owned();
                let (times, within) = notices.entry(key).or_default();
                *times += 1;
                within.insert(taken.key.clone());
                if *times == 1 {
                    let kind = notice["kind"].as_str().unwrap().to_owned();
                    let id = notice["incident"].as_u64().unwrap();
                    kinds.entry(id).or_default().push(kind);
                }
            }
        }
        Heard {
            messages: messages.len() as u64,
            notices: notices.len() as u64,
            messages_again: messages.values().map(|times| times - 1).sum(),
            notices_again: notices.values().map(|(times, _)| times - 1).sum(),
            one_notice_again_max: notices
                .values()
                .map(|(times, _)| times - 1)
                .max()
                .unwrap_or(0),
            notices_elsewhere: notices
                .values()
                .filter(|(_, within)| within.len() > 1)
                .count() as u64,
            kinds,
        }
    }

    /// Of each incident every kind, once by key and in this order.
    pub fn check(&self, incidents: u64, kills: u64) {
        for id in 1..=incidents {
            let kinds = self.kinds.get(&id);
            assert_eq!(
                kinds.map(Vec::as_slice),
                Some(KINDS.map(str::to_owned).as_slice()),
                "#{id}"
            );
        }
        let again = self.messages_again;
        assert!(again <= kills, "{again} messages came again");
        assert!(self.one_notice_again_max <= kills);
        assert_eq!(self.notices_elsewhere, 0, "a batch was made anew");
    }

    pub fn add(&mut self, other: &Heard) {
        self.messages += other.messages;
        self.notices += other.notices;
        self.messages_again = self.messages_again.max(other.messages_again);
        self.notices_again += other.notices_again;
        self.one_notice_again_max = self.one_notice_again_max.max(other.one_notice_again_max);
        self.notices_elsewhere += other.notices_elsewhere;
    }
}
