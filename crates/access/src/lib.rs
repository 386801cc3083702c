//! Who may do what: the users and tokens of two files, sessions, and lockout after failures.
//!
//! Pure but for the randomness of new secrets: time is passed in, files are handed in as texts, and
//! nothing here knows HTTP. Secrets are kept as hashes only: passwords as argon2id, tokens and
//! sessions, which are random, as BLAKE3.

mod role;

mod directory;
mod issue;
mod lockout;
mod secret;
mod session;

pub use directory::{Directory, DirectoryError, FILE_BYTES_MAX, PASSWORD_BYTES_MAX, TextFile};
pub use issue::{IssueError, PASSWORD_CHARS_MIN, new_password_line, new_token};
pub use lockout::{Attempt, Lockout};
pub use role::{How, Identity, NAME_CHARS_MAX, Role, is_name};
pub use secret::RandomError;
pub use session::{Checked, Opened, SessionRecord, SessionSettings, Sessions};
