//! Lines into groups: one group for what one statement printed, as far as a message tells.
//!
//! Groups are kept apart by service and logger, and never by level. Within a key a line belongs to
//! the group of its template; groups merge when a word of theirs turns out to be a value. Memory is
//! bounded whatever the lines are: beyond the limits they go to one group of their key.

use std::collections::BTreeMap;

use domain::LogLevel;

use super::hash::{fnv, quick};
use super::template::template;
use super::variants::{Hole, Places, Variant, holes};

/// The template of lines beyond the limits.
pub(crate) const OTHERS: &str = "(others)";

/// What bounds a miner's memory and its time per line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinerLimits {
    /// Pairs of service and logger; lines of further ones are one group together.
    pub keys: usize,
    /// Templates of one service and logger, those that merged among them.
    pub templates_per_key: usize,
    /// Templates in all.
    pub templates: usize,
    /// A longer template is cut, and ends with `<*>`.
    pub template_bytes: usize,
    /// What is read of a message.
    pub message_bytes: usize,
}

impl Default for MinerLimits {
    fn default() -> Self {
        MinerLimits {
            keys: 2_048,
            templates_per_key: 1_024,
            templates: 8_192,
            template_bytes: 400,
            message_bytes: 16 << 10,
        }
    }
}

/// A group of lines, within one miner. Groups may merge: compare [`LogMiner::root`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

/// Finds the templates of log lines, one line after the other.
///
/// ```
/// use domain::LogLevel;
/// use incident::LogMiner;
///
/// let mut miner = LogMiner::default();
/// let mut group = |message| miner.group("orders", Some("o.OrderService"), LogLevel::Info, message);
/// let one = group("[create][order placed][id: 7f31, items: [tea, cups]]");
/// let other = group("[create][order placed][id: 80aa, items: []]");
/// assert_eq!(one, other);
/// assert_eq!(miner.template(one), "[create][order placed][id: <*>]");
/// ```
#[derive(Clone, Debug)]
pub struct LogMiner {
    limits: MinerLimits,
    by_name: BTreeMap<u64, usize>,
    keys: Vec<Key>,
    groups: Vec<Group>,
    templates: usize,
    /// The group of lines beyond the limit of keys.
    others: Option<u32>,
    /// The template of the line at hand, and its places.
    line: Vec<u8>,
    holes: Vec<Hole>,
}

/// A service and a logger with their templates.
#[derive(Clone, Debug)]
struct Key {
    service: String,
    logger: Option<String>,
    by_template: BTreeMap<u64, u32>,
    places: Places,
    templates: usize,
    others: Option<u32>,
}

#[derive(Clone, Debug)]
struct Group {
    /// Itself, if it was not merged into another.
    parent: u32,
    key: usize,
    template: String,
    /// How often the template was changed by merging.
    edition: u32,
    lines: u64,
}

impl Default for LogMiner {
    fn default() -> Self {
        LogMiner::new(MinerLimits::default())
    }
}

impl LogMiner {
    pub fn new(limits: MinerLimits) -> LogMiner {
        LogMiner {
            limits,
            by_name: BTreeMap::new(),
            keys: Vec::new(),
            groups: Vec::new(),
            templates: 0,
            others: None,
            line: Vec::new(),
            holes: Vec::new(),
        }
    }

    /// The group of a line. The level is not part of what tells statements apart: a statement has
    /// one, but what parses it may not see it.
    pub fn group(
        &mut self,
        service: &str,
        logger: Option<&str>,
        _level: LogLevel,
        message: &str,
    ) -> GroupId {
        let message = beginning(message, self.limits.message_bytes);
        template(message, self.limits.template_bytes, &mut self.line);
        let logger = logger.filter(|logger| !logger.is_empty());
        let group = match self.key(service, logger) {
            Some(key) => self.group_in(key),
            None => self.others_of_all(),
        };
        self.groups[group as usize].lines += 1;
        self.root(GroupId(group))
    }

    /// The group that this one was merged into, or itself.
    pub fn root(&self, group: GroupId) -> GroupId {
        let mut at = group.0;
        while let Some(found) = self.groups.get(at as usize)
            && found.parent != at
        {
            at = found.parent;
        }
        GroupId(at)
    }

    /// The template of a group, with `<*>` where lines differ; empty for an id of another miner.
    pub fn template(&self, group: GroupId) -> &str {
        self.group_of(group).map_or("", |group| &group.template)
    }

    /// 16 hex digits from service, logger and template: the same wherever these are.
    pub fn pattern_id(&self, group: GroupId) -> String {
        let Some(group) = self.group_of(group) else {
            return format!("{:016x}", fnv(&[]));
        };
        let (service, logger) = match self.keys.get(group.key) {
            Some(key) => (key.service.as_str(), key.logger.as_deref().unwrap_or("")),
            None => ("", ""),
        };
        let parts = [service, logger, &group.template].map(str::as_bytes);
        format!("{:016x}", fnv(&parts))
    }

    /// How many groups there are, those of lines beyond the limits among them.
    pub fn groups(&self) -> usize {
        let is_root = |(at, group): &(usize, &Group)| group.parent as usize == *at;
        self.groups.iter().enumerate().filter(is_root).count()
    }

    fn group_of(&self, group: GroupId) -> Option<&Group> {
        self.groups.get(self.root(group).0 as usize)
    }

    /// The key of a service and logger; none beyond the limit.
    fn key(&mut self, service: &str, logger: Option<&str>) -> Option<usize> {
        let seed = logger.map_or(1, |logger| quick(2, logger.as_bytes()));
        let name = quick(seed, service.as_bytes());
        if let Some(&key) = self.by_name.get(&name) {
            return Some(key);
        }
        if self.keys.len() >= self.limits.keys {
            return None;
        }
        let key = self.keys.len();
        self.by_name.insert(name, key);
        self.keys.push(Key {
            service: service.to_owned(),
            logger: logger.map(str::to_owned),
            by_template: BTreeMap::new(),
            places: Places::default(),
            templates: 0,
            others: None,
        });
        Some(key)
    }

    fn group_in(&mut self, key: usize) -> u32 {
        let hash = quick(0, &self.line);
        match self.keys[key].by_template.get(&hash) {
            Some(&group) => group,
            None => self.place(key, hash),
        }
    }

    /// The group of a template that is not in the table: one that has taken in its like, a new
    /// one, or the one for lines beyond the limits.
    fn place(&mut self, key: usize, hash: u64) -> u32 {
        holes(&self.line, &mut self.holes);
        if let Some(group) = self.keys[key].places.merged(&self.holes) {
            return self.root(GroupId(group)).0;
        }
        let full = self.templates >= self.limits.templates;
        if full || self.keys[key].templates >= self.limits.templates_per_key {
            return self.others(key);
        }
        self.templates += 1;
        self.keys[key].templates += 1;
        let text = String::from_utf8_lossy(&self.line).into_owned();
        let group = self.add(key, text);
        self.keys[key].by_template.insert(hash, group);
        self.enter(key, group);
        group
    }

    /// Looks for templates that differ from the group's in a word that is a value, and merges
    /// them; what comes of it may have its like as well.
    fn enter(&mut self, key: usize, group: u32) {
        let mut group = group;
        loop {
            let entered = &self.groups[group as usize];
            let edition = entered.edition;
            holes(entered.template.as_bytes(), &mut self.holes);
            if let Some(merged) = self.keys[key].places.merged(&self.holes) {
                let into = self.root(GroupId(merged)).0;
                self.groups[group as usize].parent = into;
                return;
            }
            let groups = &self.groups;
            let lines_of = |variant: Variant| {
                let group = &groups[variant.group as usize];
                let is_same = group.parent == variant.group && group.edition == variant.edition;
                is_same.then_some(group.lines)
            };
            let places = &mut self.keys[key].places;
            let found = places.enter(&self.holes, Variant { group, edition }, lines_of);
            let Some((hole, variants)) = found else {
                return;
            };
            group = self.merge(key, hole, &variants);
        }
    }

    /// Makes one group of the variants of a place: the one that already has its template, or the
    /// first of them.
    fn merge(&mut self, key: usize, hole: Hole, variants: &[Variant]) -> u32 {
        let first = variants[0].group;
        let filled = hole.filled(self.groups[first as usize].template.as_bytes());
        let filled = String::from_utf8_lossy(&filled).into_owned();
        // Neighbouring values become one.
        template(&filled, self.limits.template_bytes, &mut self.line);
        let text = String::from_utf8_lossy(&self.line).into_owned();
        let hash = quick(0, &self.line);
        let into = match self.keys[key].by_template.get(&hash) {
            Some(&group) => self.root(GroupId(group)).0,
            None => first,
        };
        for variant in variants {
            self.groups[variant.group as usize].parent = into;
        }
        let merged = &mut self.groups[into as usize];
        merged.parent = into;
        merged.edition += 1;
        merged.template = text;
        let key = &mut self.keys[key];
        key.by_template.insert(hash, into);
        key.places.set_merged(hole, into);
        into
    }

    fn add(&mut self, key: usize, template: String) -> u32 {
        let id = self.groups.len() as u32;
        self.groups.push(Group {
            parent: id,
            key,
            template,
            edition: 0,
            lines: 0,
        });
        id
    }

    fn others(&mut self, key: usize) -> u32 {
        if let Some(others) = self.keys[key].others {
            return others;
        }
        let others = self.add(key, OTHERS.to_owned());
        self.keys[key].others = Some(others);
        others
    }

    fn others_of_all(&mut self) -> u32 {
        if let Some(others) = self.others {
            return others;
        }
        let others = self.add(usize::MAX, OTHERS.to_owned());
        self.others = Some(others);
        others
    }
}

/// The beginning of a text, in whole characters.
pub(crate) fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests;
