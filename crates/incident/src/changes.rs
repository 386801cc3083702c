//! The memory of changes: bounded, by service, and the window of them that an incident wants.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::{ChangeFact, ChangeKind, Changes, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};

/// Facts kept for one service, and for the fleet as a whole.
const KEPT_MAX: usize = 64;
/// How long a fact is kept.
const KEPT_FOR: Duration = Duration::from_secs(2 * 86_400);
/// What changed is looked for so long before the onset.
pub(crate) const WINDOW_BEFORE: Duration = Duration::from_secs(3_600);
/// Facts kept with an incident.
const LISTED_MAX: usize = 50;

/// Changes of the newest two days, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChangeMemory {
    of_service: BTreeMap<ServiceId, VecDeque<ChangeFact>>,
    of_fleet: VecDeque<ChangeFact>,
}

impl ChangeMemory {
    /// Takes a fact in its place in time; one that is known already changes nothing.
    pub fn add(&mut self, fact: ChangeFact) -> bool {
        let facts = match &fact.service {
            Some(service) => self.of_service.entry(service.clone()).or_default(),
            None => &mut self.of_fleet,
        };
        if facts.iter().any(|known| is_same(known, &fact)) {
            return false;
        }
        let place = facts.partition_point(|known| known.at <= fact.at);
        facts.insert(place, fact);
        if facts.len() > KEPT_MAX {
            facts.pop_front();
        }
        true
    }

    pub fn forget(&mut self, now: Timestamp) {
        let old = |facts: &mut VecDeque<ChangeFact>| {
            while facts
                .front()
                .is_some_and(|fact| now.since(fact.at) > KEPT_FOR)
            {
                facts.pop_front();
            }
        };
        old(&mut self.of_fleet);
        for facts in self.of_service.values_mut() {
            old(facts);
        }
        self.of_service.retain(|_, facts| !facts.is_empty());
    }

    /// The changes that concern a service in a window, its own and the fleet's.
    pub fn window(
        &self,
        service: &ServiceId,
        from: Timestamp,
        to: Timestamp,
        known_from: Option<Timestamp>,
    ) -> Changes {
        let mut changes = Changes {
            from,
            to,
            facts: Vec::new(),
            omitted: 0,
            known_from: known_from.filter(|known| *known > from),
        };
        let own = self.of_service.get(service).into_iter().flatten();
        for fact in own.chain(&self.of_fleet) {
            insert(&mut changes, fact);
        }
        changes
    }
}

/// Adds a fact to the changes of an incident if it lies in their window and is new to them.
pub(crate) fn insert(changes: &mut Changes, fact: &ChangeFact) -> bool {
    let inside = changes.from <= fact.at && fact.at <= changes.to;
    if !inside || changes.facts.iter().any(|known| is_same(known, fact)) {
        return false;
    }
    if changes.facts.len() >= LISTED_MAX {
        changes.omitted += 1;
        return true;
    }
    let place = changes.facts.partition_point(|known| known.at <= fact.at);
    changes.facts.insert(place, fact.clone());
    true
}

/// Whether two facts are one: a posted event by its number, all else by what and when.
fn is_same(a: &ChangeFact, b: &ChangeFact) -> bool {
    match (&a.kind, &b.kind) {
        (ChangeKind::Posted(a), ChangeKind::Posted(b)) => a.id == b.id,
        _ => a == b,
    }
}
