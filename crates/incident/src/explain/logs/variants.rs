//! Templates of one logger that differ in a single word: when such a word is a value.
//!
//! A name without digits ("User alice logged in") looks like any word. It is taken for a value only
//! when the place has shown many words, most of them rarely: names of users never end, whereas words
//! of a program, and names of its services, are few and come again. This is Drain's merging (He et
//! al., ICWS 2017), turned round: it keeps apart until there is evidence, as `start` and `end` of one
//! task are two things to an operator.

use std::collections::BTreeMap;

use super::hash::quick;
use super::template::MASK;

/// Words at one place before it may be a value.
const WORDS_MIN: usize = 8;
/// Words at one place after which it is a value, however often each of them came; and at the first
/// place of a template, where values are unusual and verbs are not.
const WORDS_MANY: usize = 32;
/// A word is rare while it came at most this often.
const RARE_LINES: u64 = 2;
/// Places of a template that are looked at.
const PLACES_MAX: usize = 12;
/// A template keeps at least this many words beside the place.
const KEPT_WORDS_MIN: usize = 2;

/// A template of the key as it was when it was entered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) group: u32,
    /// Of the group's template; a template that changed has left its places.
    pub(crate) edition: u32,
}

/// What is known of one place: a template without one word.
#[derive(Clone, Debug, Default)]
struct Place {
    variants: Vec<Variant>,
    /// The group whose template has `<*>` there.
    merged: Option<u32>,
}

/// The places of all templates of a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    places: BTreeMap<u64, Place>,
}

/// One word of a template that might be a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hole {
    signature: u64,
    start: usize,
    end: usize,
    first: bool,
}

impl Hole {
    /// The template with `<*>` for the word.
    pub(crate) fn filled(&self, template: &[u8]) -> Vec<u8> {
        [&template[..self.start], MASK, &template[self.end..]].concat()
    }
}

impl Places {
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.places
            .values()
            .map(|place| 1 + place.variants.len())
            .sum()
    }

    /// The group that has taken in templates like this one.
    pub(crate) fn merged(&self, holes: &[Hole]) -> Option<u32> {
        holes
            .iter()
            .find_map(|hole| self.places.get(&hole.signature)?.merged)
    }

    /// Enters a template; of its places, one that is now seen to hold a value, with the variants
    /// to merge. `lines_of` tells how many lines a variant has, none if it is no longer what it was.
    pub(crate) fn enter(
        &mut self,
        holes: &[Hole],
        entered: Variant,
        lines_of: impl Fn(Variant) -> Option<u64>,
    ) -> Option<(Hole, Vec<Variant>)> {
        let mut found = None;
        for hole in holes {
            let place = self.places.entry(hole.signature).or_default();
            place.variants.push(entered);
            if place.variants.len() < WORDS_MIN || found.is_some() {
                continue;
            }
            place
                .variants
                .retain(|&variant| lines_of(variant).is_some());
            let lines = place
                .variants
                .iter()
                .filter_map(|&variant| lines_of(variant));
            if holds_a_value(lines, hole.first) {
                found = Some((*hole, place.variants.clone()));
            }
        }
        found
    }

    /// From now on what fits this place belongs to the group.
    pub(crate) fn set_merged(&mut self, hole: Hole, group: u32) {
        let place = self.places.entry(hole.signature).or_default();
        place.merged = Some(group);
        place.variants = Vec::new();
    }
}

fn holds_a_value(lines: impl Iterator<Item = u64>, first: bool) -> bool {
    let (mut words, mut rare) = (0, 0);
    for lines in lines {
        words += 1;
        rare += usize::from(lines <= RARE_LINES);
    }
    let least = if first { WORDS_MANY } else { WORDS_MIN };
    words >= least && (words >= WORDS_MANY || 2 * rare >= words)
}

/// The words of a template that might be values: without digits by construction, and not the only
/// thing that the template says.
pub(crate) fn holes(template: &[u8], found: &mut Vec<Hole>) {
    found.clear();
    let mut at = 0;
    let mut words = 0;
    while at < template.len() {
        let start = at;
        while template.get(at).is_some_and(|&byte| is_word(byte)) {
            at += 1;
        }
        if at == start {
            at += 1;
            continue;
        }
        let first = words == 0;
        words += 1;
        if found.len() < PLACES_MAX {
            let signature = signature(template, start, at);
            let end = at;
            found.push(Hole {
                signature,
                start,
                end,
                first,
            });
        }
    }
    if words <= KEPT_WORDS_MIN {
        found.clear();
    }
}

fn signature(template: &[u8], start: usize, end: usize) -> u64 {
    quick(quick(0, &template[..start]), &template[end..])
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || byte >= 0x80
}
