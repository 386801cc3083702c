//! New passwords and tokens: what the command line writes into the files.

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;

use crate::directory::PASSWORD_BYTES_MAX;
use crate::role::{Role, is_name};
use crate::secret::{self, RandomError};

/// A shorter password is refused where it is made (ASVS 5.0, 6.2.1).
pub const PASSWORD_CHARS_MIN: usize = 8;

/// So that a token that leaked is found by those who look for such.
pub(crate) const TOKEN_PREFIX: &str = "bw_";

/// Why no password or token was made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    #[error(
        "{0:?} is no usable name: 1 to 64 letters, digits and ._-@+, but not bellwether or anonymous"
    )]
    Name(String),
    #[error("the password has fewer than {PASSWORD_CHARS_MIN} characters")]
    Short,
    #[error("the password has more than {PASSWORD_BYTES_MAX} bytes")]
    Long,
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("the password can't be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// The line of the users file for a password, hashed by argon2id with 19 MiB, two passes and one
/// lane (OWASP's least) and a salt of its own.
///
/// # Errors
/// A name or password that can't be used, or no randomness.
pub fn new_password_line(name: &str, role: Role, password: &str) -> Result<String, IssueError> {
    check_name(name)?;
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(IssueError::Short);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(IssueError::Long);
    }
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(IssueError::Hash)?;
    Ok(format!("{name}:{role}:{hash}"))
}

/// A new token, and the line of the tokens file for it, from which it can't be found again.
///
/// # Errors
/// A name that can't be used, or no randomness.
pub fn new_token(name: &str, role: Role) -> Result<(String, String), IssueError> {
    check_name(name)?;
    let token = format!("{TOKEN_PREFIX}{}", secret::random()?);
    let line = format!("{name}:{role}:{}", secret::hex(&secret::digest(&token)));
    Ok((token, line))
}

fn check_name(name: &str) -> Result<(), IssueError> {
    if is_name(name) {
        Ok(())
    } else {
        Err(IssueError::Name(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_has_a_salt_of_its_own_and_every_token_differs() {
        let line = || new_password_line("kim", Role::Admin, "correct horse").unwrap();
        let (first, second) = (line(), line());
        assert_ne!(first, second);
        assert!(
            first.starts_with("kim:admin:$argon2id$v=19$m=19456,t=2,p=1$"),
            "{first}"
        );
        let token = || new_token("ci", Role::Viewer).unwrap().0;
        assert_ne!(token(), token());
        assert_eq!(token().len(), 3 + 64);
    }

    #[test]
    fn weak_passwords_and_odd_names_are_refused() {
        let refused = |name: &str, password: &str| {
            let line = new_password_line(name, Role::Viewer, password);
            line.unwrap_err().to_string()
        };
        assert!(refused("kim", "1234567").contains("fewer than 8"));
        assert!(refused("kim", &"x".repeat(1025)).contains("more than 1024"));
        assert!(refused("a:b", "correct horse").contains("no usable name"));
        assert!(new_token("a b", Role::Viewer).is_err());
    }
}
