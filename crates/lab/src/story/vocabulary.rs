//! The words of the language for what the engine says.

use domain::Actor;
use incident::{Change, Refusal};

/// The word of the language for a value.
pub(crate) fn word_of<T: PartialEq>(value: T, words: &[(&'static str, T)]) -> &'static str {
    let found = words.iter().find(|(_, meaning)| *meaning == value);
    found.map_or("something else", |(word, _)| word)
}

/// A rule by `rule NAME`, a person by the name.
pub(crate) fn actor_name(actor: &Actor) -> String {
    match actor {
        Actor::Rule(name) => format!("rule {name}"),
        other => other.to_string(),
    }
}

pub(crate) fn change_word(change: Change) -> &'static str {
    match change {
        Change::Opened(_) => "opened",
        Change::WentQuiet(_) => "went_quiet",
        Change::SeverityRaised(_) => "severity_raised",
        Change::Resolved(_) => "resolved",
        Change::Reopened(_) => "reopened",
    }
}

pub(crate) fn refusal_word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Unknown => "unknown",
        Refusal::AlreadyResolved => "already_resolved",
        Refusal::Stale { .. } => "stale",
        Refusal::NotGone => "not_gone",
        Refusal::SnoozeInThePast => "snooze_in_the_past",
    }
}
