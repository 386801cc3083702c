//! What somebody may do, and who somebody is.

use std::fmt;
use std::str::FromStr;

/// Longer names are refused.
pub const NAME_CHARS_MAX: usize = 64;

/// Names that the tool itself goes by, or nobody.
const RESERVED: [&str; 2] = ["bellwether", "anonymous"];

/// What somebody may do; each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads everything but the audit trail.
    Viewer,
    /// Changes incidents, mutes services, posts events, trains.
    Operator,
    /// Reads the audit trail, reloads the configuration, turns shadow mode on and off.
    Admin,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let named = Role::ALL.into_iter().find(|role| role.as_str() == text);
        named.ok_or_else(|| format!("{text:?} is none of viewer, operator, admin"))
    }
}

/// How somebody showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Password,
    Token,
    Session,
}

/// Somebody who showed who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub name: String,
    pub role: Role,
    pub how: How,
}

/// Whether a text may be the name of a user or token: 1 to 64 letters a to z,
/// digits and `._-@+`, so that it needs no quoting anywhere and no two look alike, and none that the
/// tool itself goes by.
pub fn is_name(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    (1..=NAME_CHARS_MAX).contains(&text.chars().count())
        && text.chars().all(is_allowed)
        && !RESERVED.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_the_ones_before_it_may() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("Admin".parse::<Role>().is_err());
    }

    #[test]
    fn names_need_no_quoting_and_are_not_ours() {
        for name in ["kim", "kim.o@example.org", "ci-2", &"n".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        let long = "n".repeat(65);
        for name in [
            "",
            "a b",
            "a:b",
            "a\n",
            "<b>",
            "a/b",
            "kіm",
            "Bellwether",
            "anonymous",
            &long,
        ] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
