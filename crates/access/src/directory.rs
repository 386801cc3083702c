//! Users with their passwords, and tokens, as two files list them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params};

use crate::issue::TOKEN_PREFIX;
use crate::role::{How, Identity, Role, is_name};
use crate::secret::{self, Digest};

/// A larger file is refused.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// A longer password is never right.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Costs of a hash beyond these would let one log-in take the machine.
const MEMORY_KIB_MAX: u32 = 256 << 10;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;

/// Everyone who may come in. It holds hashes only, and shows not even these.
#[derive(Clone, Default)]
pub struct Directory {
    users: BTreeMap<String, User>,
    tokens: HashMap<Digest, Token>,
}

#[derive(Clone)]
struct User {
    role: Role,
    hash: PasswordHash,
    mark: Digest,
}

#[derive(Clone)]
struct Token {
    name: String,
    role: Role,
}

/// A file that was read: its name for messages, and its text.
#[derive(Clone, Copy, Debug)]
pub struct TextFile<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// Why a file of users or tokens is refused. Nothing of a hash is said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    #[error("{file} is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge { file: String },
    #[error("line {line} of {file} {what}")]
    Line {
        file: String,
        line: usize,
        what: String,
    },
}

impl Directory {
    /// Reads a file of users, `name:role:$argon2id$…` a line, and one of tokens,
    /// `name:role:` and the BLAKE3 of the token as 64 hexadecimal digits. Empty lines and those
    /// that begin with `#` are left out. A name stands once in both together, so that the audit
    /// trail is about one.
    ///
    /// # Errors
    /// The first line that can't be meant so.
    pub fn parse(
        users: Option<TextFile>,
        tokens: Option<TextFile>,
    ) -> Result<Directory, DirectoryError> {
        let mut directory = Directory::default();
        if let Some(file) = users {
            each_line(file, |name, role, hash| {
                directory.add_user(name, role, hash)
            })?;
        }
        if let Some(file) = tokens {
            each_line(file, |name, role, hash| {
                directory.add_token(name, role, hash)
            })?;
        }
        Ok(directory)
    }

    fn add_user(&mut self, name: &str, role: Role, text: &str) -> Result<(), String> {
        if self.users.contains_key(name) {
            return Err(format!("has the user {name} a second time"));
        }
        let hash = PasswordHash::new(text).map_err(|_| NO_HASH.to_owned())?;
        check_costs(&hash)?;
        let mark = secret::digest(&format!("{role}:{text}"));
        let user = User { role, hash, mark };
        self.users.insert(name.to_owned(), user);
        Ok(())
    }

    fn add_token(&mut self, name: &str, role: Role, text: &str) -> Result<(), String> {
        if self.users.contains_key(name) {
            return Err(format!(
                "names a token {name} like a user; the audit trail could not tell them apart"
            ));
        }
        if self.tokens.values().any(|token| token.name == name) {
            return Err(format!("has the token {name} a second time"));
        }
        let digest = secret::from_hex(text).ok_or(
            "has no 64 hexadecimal digits after the role; make it with `bellwether access token`",
        )?;
        let token = Token {
            name: name.to_owned(),
            role,
        };
        match self.tokens.insert(digest, token) {
            None => Ok(()),
            Some(other) => Err(format!(
                "has the token of {} under another name",
                other.name
            )),
        }
    }

    pub fn users(&self) -> usize {
        self.users.len()
    }

    pub fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// Whose name and password these are. It takes as long for a name that isn't there as for a
    /// wrong password: about 20 MiB of memory and some tens of milliseconds, so call it where that
    /// may block, a few at a time.
    pub fn verify_password(&self, name: &str, password: &str) -> Option<Identity> {
        if password.len() > PASSWORD_BYTES_MAX {
            return None;
        }
        let user = self.users.get(name);
        // Somebody's hash costs the same; it is never taken for right.
        let hash = &user.or_else(|| self.users.values().next())?.hash;
        let is_right = Argon2::default()
            .verify_password(password.as_bytes(), hash)
            .is_ok();
        let user = user.filter(|_| is_right)?;
        Some(Identity {
            name: name.to_owned(),
            role: user.role,
            how: How::Password,
        })
    }

    /// Whose token this is. Only what `new_token` makes can be one: 256 random bits, which nobody
    /// guesses.
    pub fn token(&self, token: &str) -> Option<Identity> {
        let digits = token.strip_prefix(TOKEN_PREFIX)?;
        secret::from_hex(digits)?;
        let token = self.tokens.get(&secret::digest(token))?;
        Some(Identity {
            name: token.name.clone(),
            role: token.role,
            how: How::Token,
        })
    }

    /// The role of a user, and a mark that changes when role or password do.
    pub(crate) fn user(&self, name: &str) -> Option<(Role, Digest)> {
        let user = self.users.get(name)?;
        Some((user.role, user.mark))
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("users", &self.users.len())
            .field("tokens", &self.tokens.len())
            .finish()
    }
}

const NO_HASH: &str =
    "has no argon2id hash after the role; make it with `bellwether access password`";

fn check_costs(hash: &PasswordHash) -> Result<(), String> {
    let is_argon2id = hash.algorithm.as_str() == Algorithm::Argon2id.as_str();
    let is_whole = hash.salt.is_some() && hash.hash.is_some();
    let params = Params::try_from(hash).ok();
    let params = params.filter(|_| is_argon2id && is_whole).ok_or(NO_HASH)?;
    if params.m_cost() > MEMORY_KIB_MAX
        || params.t_cost() > PASSES_MAX
        || params.p_cost() > LANES_MAX
    {
        return Err(format!(
            "has a hash that costs more than m={MEMORY_KIB_MAX},t={PASSES_MAX},p={LANES_MAX}"
        ));
    }
    Ok(())
}

fn each_line(
    file: TextFile,
    mut add: impl FnMut(&str, Role, &str) -> Result<(), String>,
) -> Result<(), DirectoryError> {
    if file.text.len() > FILE_BYTES_MAX {
        let file = file.name.to_owned();
        return Err(DirectoryError::TooLarge { file });
    }
    for (index, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        parse_line(line)
            .and_then(|(name, role, hash)| add(name, role, hash))
            .map_err(|what| DirectoryError::Line {
                file: file.name.to_owned(),
                line: index + 1,
                what,
            })?;
    }
    Ok(())
}

fn parse_line(line: &str) -> Result<(&str, Role, &str), String> {
    let mut parts = line.splitn(3, ':');
    let (Some(name), Some(role), Some(hash)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("is not name:role:hash".to_owned());
    };
    if !is_name(name) {
        return Err(
            "has no usable name: 1 to 64 letters, digits and ._-@+, but not bellwether or anonymous"
                .to_owned(),
        );
    }
    let role = role
        .parse()
        .map_err(|why| format!("has a role that is unknown: {why}"))?;
    Ok((name, role, hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::{new_password_line, new_token};

    fn file(text: &str) -> Option<TextFile<'_>> {
        Some(TextFile {
            name: "users",
            text,
        })
    }

    #[test]
    fn a_password_is_verified_and_nothing_else_is() {
        let line = new_password_line("kim", Role::Operator, "correct horse").unwrap();
        let text = format!("# people\n\n{line}\n");
        let directory = Directory::parse(file(&text), None).unwrap();
        let kim = directory.verify_password("kim", "correct horse").unwrap();
        let expected = ("kim", Role::Operator, How::Password);
        assert_eq!((kim.name.as_str(), kim.role, kim.how), expected);
        for (name, password) in [
            ("kim", "wrong horse"),
            ("kim", ""),
            ("Kim", "correct horse"),
            ("nobody", "correct horse"),
            ("", ""),
            ("kim", &"correct horse".repeat(1000)),
        ] {
            assert_eq!(directory.verify_password(name, password), None, "{name}");
        }
    }

    #[test]
    fn an_unknown_user_costs_what_a_wrong_password_costs() {
        let line = new_password_line("kim", Role::Operator, "correct horse").unwrap();
        let directory = Directory::parse(file(&line), None).unwrap();
        // The least of several, so that a pause of the machine is in neither.
        let least = |name: &str| {
            let took = |_| {
                let began = std::time::Instant::now();
                directory.verify_password(name, "wrong horse");
                began.elapsed()
            };
            (0..8).map(took).min().unwrap().as_secs_f64()
        };
        let ratio = least("nobody") / least("kim");
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_token_is_known_by_its_hash_only() {
        let (token, line) = new_token("ci", Role::Viewer).unwrap();
        assert!(!line.contains(&token[3..]), "{line}");
        let directory = Directory::parse(None, file(&line)).unwrap();
        let ci = directory.token(&token).unwrap();
        assert_eq!(
            (ci.name.as_str(), ci.role, ci.how),
            ("ci", Role::Viewer, How::Token)
        );
        let hash = line.rsplit(':').next().unwrap();
        for wrong in [
            "",
            "bw_",
            hash,
            &format!("bw_{hash}"),
            &token[3..],
            &token.to_uppercase(),
        ] {
            assert_eq!(directory.token(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lines_that_cannot_be_meant_are_named_with_file_and_line() {
        let kim = new_password_line("kim", Role::Viewer, "correct horse").unwrap();
        let cheap = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$";
        let check = |text: &str, expected: &str| {
            let error = Directory::parse(file(text), None).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("$argon2"), "{error}");
        };
        check(
            &format!("# x\n{kim}\n{kim}"),
            "line 3 of users has the user kim a second time",
        );
        check("kim", "line 1 of users is not name:role:hash");
        check("kim:viewer", "is not name:role:hash");
        check("a b:viewer:x", "no usable name");
        check("bellwether:viewer:x", "no usable name");
        check("kim:root:x", "\"root\" is none of viewer, operator, admin");
        check("kim:viewer:secret", "no argon2id hash");
        check(&format!("kim:viewer:{cheap}"), "no argon2id hash");
        check(&kim.replace("argon2id", "argon2i"), "no argon2id hash");
        check(&kim.replace("m=19456", "m=4000000"), "costs more");
        check(&" ".repeat(FILE_BYTES_MAX + 1), "larger than");
    }

    #[test]
    fn a_name_stands_once_in_both_files() {
        let kim = new_password_line("kim", Role::Viewer, "correct horse").unwrap();
        let (_, token) = new_token("kim", Role::Viewer).unwrap();
        let check = |users: &str, tokens: &str, expected: &str| {
            let error = Directory::parse(file(users), file(tokens)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(&kim, &token, "names a token kim like a user");
        check(
            "",
            &format!("{token}\n{token}"),
            "has the token kim a second time",
        );
        let renamed = token.replace("kim", "lee");
        check(
            "",
            &format!("{token}\n{renamed}"),
            "the token of kim under another name",
        );
        check("", "ci:viewer:abc", "no 64 hexadecimal digits");
    }

    #[test]
    fn debug_output_has_no_hash() {
        let line = new_password_line("kim", Role::Viewer, "correct horse").unwrap();
        let directory = Directory::parse(file(&line), None).unwrap();
        assert_eq!(
            format!("{directory:?}"),
            "Directory { users: 1, tokens: 0 }"
        );
    }
}
