//! The labels of all series, each text once, and which series have a label.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::{Labels, Matcher};

/// A set of labels that is known; given anew after it was removed.
pub(super) type NameId = u32;

/// A label with its value.
type PairId = u32;

/// Labels of series, found by what they hold.
#[derive(Default)]
pub(super) struct Names {
    labels: HashMap<Arc<str>, Label>,
    pairs: Vec<Pair>,
    free_pairs: Vec<PairId>,
    names: Vec<Option<Name>>,
    free_names: Vec<NameId>,
    by_pairs: HashMap<Arc<[PairId]>, NameId>,
    /// Of texts, without the tables that hold them.
    text_bytes: usize,
}

struct Label {
    id: u32,
    name: Arc<str>,
    values: HashMap<Arc<str>, PairId>,
}

struct Pair {
    label: u32,
    name: Arc<str>,
    value: Arc<str>,
    /// In ascending order.
    names: Vec<NameId>,
}

struct Name {
    /// By the name of the label.
    pairs: Arc<[PairId]>,
    /// The slots of the targets that have the series; nearly always one.
    targets: Targets,
}

enum Targets {
    One(u32),
    Many(Vec<u32>),
}

/// A series that was asked for, and which targets have it.
pub(super) struct Candidate {
    pub(super) name: NameId,
    pub(super) target: u32,
    /// Whether other targets have a series of these labels, too.
    pub(super) shared: bool,
}

/// The pairs of one label that fulfil a matcher.
struct Allowed {
    label: Option<u32>,
    pairs: HashSet<PairId>,
    /// Whether series without the label fulfil it.
    without: bool,
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.by_pairs.len()
    }

    /// An estimate of what the names take, tables and allocations included.
    pub(super) fn memory(&self) -> usize {
        const ALLOCATION: usize = 16;
        let pair = size_of::<Pair>() + 2 * size_of::<(Arc<str>, PairId)>() + 3 * ALLOCATION;
        let by_pairs = size_of::<(Arc<[PairId]>, NameId)>() + 1;
        let lists: usize = self
            .pairs
            .iter()
            .map(|pair| pair.names.capacity() * 4)
            .sum();
        let shares: usize = self
            .names
            .iter()
            .flatten()
            .map(|name| name.pairs.len() * 4)
            .sum();
        self.text_bytes
            + self.pairs.capacity() * pair
            + lists
            + shares
            + self.names.capacity() * (size_of::<Option<Name>>() + 2 * ALLOCATION)
            + self.by_pairs.capacity() * by_pairs
    }

    /// Finds or adds labels, as those of a series of the target in `slot`.
    pub(super) fn add(&mut self, labels: &Labels, slot: u32) -> NameId {
        let pairs: Vec<PairId> = labels.shared().iter().map(|pair| self.pair(pair)).collect();
        if let Some(known) = self.by_pairs.get(pairs.as_slice()) {
            if let Some(Some(name)) = self.names.get_mut(*known as usize) {
                name.targets.add(slot);
            }
            return *known;
        }
        let pairs: Arc<[PairId]> = pairs.into();
        let name = Name {
            pairs: Arc::clone(&pairs),
            targets: Targets::One(slot),
        };
        let id = match self.free_names.pop() {
            Some(id) => {
                self.names[id as usize] = Some(name);
                id
            }
            None => {
                self.names.push(Some(name));
                (self.names.len() - 1) as NameId
            }
        };
        for pair in pairs.iter() {
            let names = &mut self.pairs[*pair as usize].names;
            // Ids mostly grow; those that were free do not.
            match names.last() {
                Some(last) if *last > id => {
                    let at = names.partition_point(|name| *name < id);
                    names.insert(at, id);
                }
                _ => names.push(id),
            }
        }
        self.by_pairs.insert(pairs, id);
        id
    }

    /// Finds labels that are known.
    pub(super) fn find(&self, labels: &Labels) -> Option<NameId> {
        let pair = |(name, value): &(Arc<str>, Arc<str>)| {
            self.labels.get(name)?.values.get(value).copied()
        };
        let pairs: Option<Vec<PairId>> = labels.shared().iter().map(pair).collect();
        self.by_pairs.get(pairs?.as_slice()).copied()
    }

    fn pair(&mut self, (name, value): &(Arc<str>, Arc<str>)) -> PairId {
        let id = self.labels.len() as u32;
        let text_bytes = &mut self.text_bytes;
        let label = self.labels.entry(Arc::clone(name)).or_insert_with(|| {
            *text_bytes += name.len();
            Label {
                id,
                name: Arc::clone(name),
                values: HashMap::new(),
            }
        });
        if let Some(pair) = label.values.get(value) {
            return *pair;
        }
        self.text_bytes += value.len();
        let pair = Pair {
            label: label.id,
            name: Arc::clone(&label.name),
            value: Arc::clone(value),
            names: Vec::new(),
        };
        let id = match self.free_pairs.pop() {
            Some(id) => {
                self.pairs[id as usize] = pair;
                id
            }
            None => {
                self.pairs.push(pair);
                (self.pairs.len() - 1) as PairId
            }
        };
        label.values.insert(Arc::clone(value), id);
        id
    }

    /// The target in `slot` no longer has these series; those that no target has are forgotten.
    pub(super) fn remove(&mut self, names: &[NameId], slot: u32) {
        let mut gone = HashSet::new();
        let mut touched = HashSet::new();
        for id in names {
            let Some(Some(name)) = self.names.get_mut(*id as usize) else {
                continue;
            };
            if name.targets.remove(slot) {
                gone.insert(*id);
                touched.extend(name.pairs.iter().copied());
                self.by_pairs.remove(&name.pairs);
                self.names[*id as usize] = None;
                self.free_names.push(*id);
            }
        }
        for id in touched {
            let pair = &mut self.pairs[id as usize];
            pair.names.retain(|name| !gone.contains(name));
            if pair.names.is_empty() {
                // The label stays, its value goes; labels are few.
                if let Some(label) = self.labels.get_mut(&pair.name) {
                    label.values.remove(&pair.value);
                }
                self.text_bytes -= pair.value.len();
                pair.names = Vec::new();
                pair.value = Arc::from("");
                self.free_pairs.push(id);
            }
        }
    }

    /// Empty for what isn't known.
    pub(super) fn labels(&self, name: NameId) -> Labels {
        let Some(Some(name)) = self.names.get(name as usize) else {
            return Labels::default();
        };
        Labels::of_sorted(name.pairs.iter().map(|pair| {
            let pair = &self.pairs[*pair as usize];
            (Arc::clone(&pair.name), Arc::clone(&pair.value))
        }))
    }

    /// Every series that fulfils all `matchers`, once for each target that has it.
    pub(super) fn candidates(&self, matchers: &[Matcher]) -> Vec<Candidate> {
        let allowed: Vec<Allowed> = matchers
            .iter()
            .map(|matcher| self.allowed(matcher))
            .collect();
        let narrow = allowed
            .iter()
            .enumerate()
            .filter(|(_, allowed)| !allowed.without)
            .map(|(at, allowed)| (self.reach(allowed), at))
            .min();
        let mut found = Vec::new();
        let Some((_, base)) = narrow else {
            for id in 0..self.names.len() as NameId {
                self.judge(id, &allowed, None, &mut found);
            }
            return found;
        };
        for pair in &allowed[base].pairs {
            for id in &self.pairs[*pair as usize].names {
                self.judge(*id, &allowed, Some(base), &mut found);
            }
        }
        found
    }

    fn allowed(&self, matcher: &Matcher) -> Allowed {
        let label = self.labels.get(matcher.name.as_str());
        let fits = |(value, pair): (&Arc<str>, &PairId)| matcher.matches(value).then_some(*pair);
        Allowed {
            label: label.map(|label| label.id),
            pairs: label.map_or_else(HashSet::new, |label| {
                label.values.iter().filter_map(fits).collect()
            }),
            without: matcher.matches(""),
        }
    }

    /// How many series have one of the pairs.
    fn reach(&self, allowed: &Allowed) -> usize {
        let pairs = allowed.pairs.iter();
        pairs
            .map(|pair| self.pairs[*pair as usize].names.len())
            .sum()
    }

    fn judge(&self, id: NameId, all: &[Allowed], known: Option<usize>, found: &mut Vec<Candidate>) {
        let Some(Some(name)) = self.names.get(id as usize) else {
            return;
        };
        let fits = all.iter().enumerate().all(|(at, allowed)| {
            if Some(at) == known {
                return true;
            }
            let mut pairs = name.pairs.iter();
            let pair = pairs.find(|pair| Some(self.pairs[**pair as usize].label) == allowed.label);
            pair.map_or(allowed.without, |pair| allowed.pairs.contains(pair))
        });
        if fits {
            let targets = name.targets.slots();
            found.extend(targets.iter().map(|target| Candidate {
                name: id,
                target: *target,
                shared: targets.len() > 1,
            }));
        }
    }
}

impl Targets {
    fn slots(&self) -> &[u32] {
        match self {
            Targets::One(slot) => std::slice::from_ref(slot),
            Targets::Many(slots) => slots,
        }
    }

    fn add(&mut self, slot: u32) {
        if !self.slots().contains(&slot) {
            let slots = self.slots().iter().copied();
            *self = Targets::Many(slots.chain([slot]).collect());
        }
    }

    /// Whether none is left.
    fn remove(&mut self, slot: u32) -> bool {
        let left: Vec<u32> = self
            .slots()
            .iter()
            .copied()
            .filter(|known| *known != slot)
            .collect();
        match *left.as_slice() {
            [] => return true,
            [one] => *self = Targets::One(one),
            _ => *self = Targets::Many(left),
        }
        false
    }
}
