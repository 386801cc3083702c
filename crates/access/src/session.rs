//! Sessions of people who logged in: opaque random tokens, of which only hashes are kept.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use domain::Timestamp;

use crate::directory::Directory;
use crate::role::{How, Identity};
use crate::secret::{self, Digest, RandomError};

/// Beyond so many, those that were not seen for longest end.
const SESSIONS_MAX: usize = 10_000;
/// Of one user, so that nobody ends the sessions of others by logging in.
const OF_USER_MAX: usize = 50;
/// How finely is remembered when a session was seen; so rarely is it stored.
const SEEN_STEP: Duration = Duration::from_secs(60);

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// Without a request.
    pub idle: Duration,
    /// From the log-in, whatever happens.
    pub lifetime: Duration,
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// BLAKE3 of the token, as hexadecimal digits.
    pub id: String,
    pub user: String,
    /// Changes when the role or password of the user does; as hexadecimal digits.
    pub mark: String,
    pub created: Timestamp,
    pub seen: Timestamp,
}

/// A session that began.
#[derive(Clone, Debug)]
pub struct Opened {
    /// For the client, and nobody else.
    pub token: String,
    pub record: SessionRecord,
    pub expires: Timestamp,
    /// Sessions that ended to make room, by id.
    pub ended: Vec<String>,
}

/// A session that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub identity: Identity,
    pub expires: Timestamp,
    /// To be stored, where it changed enough to be.
    pub changed: Option<SessionRecord>,
}

/// All sessions that go on.
#[derive(Debug)]
pub struct Sessions {
    settings: SessionSettings,
    sessions: HashMap<Digest, Session>,
}

#[derive(Clone, Debug)]
struct Session {
    user: String,
    mark: Digest,
    created: Timestamp,
    seen: Timestamp,
}

impl Sessions {
    pub fn new(settings: SessionSettings) -> Sessions {
        Sessions {
            settings,
            sessions: HashMap::new(),
        }
    }

    /// Takes stored sessions up again; what isn't one is left out.
    pub fn restore(&mut self, records: impl IntoIterator<Item = SessionRecord>) {
        for record in records.into_iter().take(SESSIONS_MAX) {
            let digests = (secret::from_hex(&record.id), secret::from_hex(&record.mark));
            if let (Some(id), Some(mark)) = digests {
                let session = Session {
                    user: record.user,
                    mark,
                    created: record.created,
                    seen: record.seen,
                };
                self.sessions.insert(id, session);
            }
        }
    }

    pub fn set(&mut self, settings: SessionSettings) {
        self.settings = settings;
    }

    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Begins a session of a user, who just gave the password; none if the user has left meanwhile.
    ///
    /// # Errors
    /// No randomness.
    pub fn open(
        &mut self,
        user: &str,
        directory: &Directory,
        now: Timestamp,
    ) -> Result<Option<Opened>, RandomError> {
        let Some((_, mark)) = directory.user(user) else {
            return Ok(None);
        };
        let token = secret::random()?;
        let ended = self.make_room(user, directory, now);
        let id = secret::digest(&token);
        let session = Session {
            user: user.to_owned(),
            mark,
            created: now,
            seen: now,
        };
        let opened = Opened {
            token,
            record: session.record(&id),
            expires: session.expires(&self.settings),
            ended,
        };
        self.sessions.insert(id, session);
        Ok(Some(opened))
    }

    /// Whose session a token is of, if it goes on.
    pub fn check(&mut self, token: &str, directory: &Directory, now: Timestamp) -> Option<Checked> {
        let id = secret::digest(token);
        let session = self.sessions.get_mut(&id)?;
        let role = session.role(&self.settings, directory, now)?;
        let changed = now.since(session.seen) >= SEEN_STEP;
        if changed {
            session.seen = now;
        }
        Some(Checked {
            identity: Identity {
                name: session.user.clone(),
                role,
                how: How::Session,
            },
            expires: session.expires(&self.settings),
            changed: changed.then(|| session.record(&id)),
        })
    }

    /// Ends the session of a token; gives its id, if there was one.
    pub fn close(&mut self, token: &str) -> Option<String> {
        let id = secret::digest(token);
        self.sessions.remove(&id).map(|_| secret::hex(&id))
    }

    /// Drops what has ended: by time, or because its user left or changed role or password. Gives
    /// the ids.
    pub fn sweep(&mut self, directory: &Directory, now: Timestamp) -> Vec<String> {
        let settings = self.settings;
        let ended = |session: &Session| session.role(&settings, directory, now).is_none();
        self.sessions
            .extract_if(|_, session| ended(session))
            .map(|(id, _)| secret::hex(&id))
            .collect()
    }

    /// Ends those of the user, then of all, that were not seen for longest.
    fn make_room(&mut self, user: &str, directory: &Directory, now: Timestamp) -> Vec<String> {
        let mut ended = Vec::new();
        let own = |session: &Session| session.user == user;
        if self
            .sessions
            .values()
            .filter(|session| own(session))
            .count()
            >= OF_USER_MAX
        {
            ended.extend(self.end_oldest(own));
        }
        if self.sessions.len() >= SESSIONS_MAX {
            ended.extend(self.sweep(directory, now));
        }
        if self.sessions.len() >= SESSIONS_MAX {
            ended.extend(self.end_oldest(|_| true));
        }
        ended
    }

    fn end_oldest(&mut self, among: impl Fn(&Session) -> bool) -> Option<String> {
        let by_age: BTreeMap<(Timestamp, &Digest), ()> = self
            .sessions
            .iter()
            .filter(|(_, session)| among(session))
            .map(|(id, session)| ((session.seen, id), ()))
            .collect();
        let oldest = by_age.keys().next().map(|(_, id)| **id)?;
        self.sessions.remove(&oldest);
        Some(secret::hex(&oldest))
    }
}

impl Session {
    /// The role of its user, if it goes on.
    fn role(
        &self,
        settings: &SessionSettings,
        directory: &Directory,
        now: Timestamp,
    ) -> Option<crate::Role> {
        let (role, mark) = directory.user(&self.user)?;
        let is_over = now.since(self.created) >= settings.lifetime
            || now.since(self.seen) >= settings.idle
            || mark != self.mark;
        (!is_over).then_some(role)
    }

    fn expires(&self, settings: &SessionSettings) -> Timestamp {
        (self.created + settings.lifetime).min(self.seen + settings.idle)
    }

    fn record(&self, id: &Digest) -> SessionRecord {
        SessionRecord {
            id: secret::hex(id),
            user: self.user.clone(),
            mark: secret::hex(&self.mark),
            created: self.created,
            seen: self.seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::TextFile;
    use crate::issue::new_password_line;
    use crate::role::Role;

    const HOUR: Duration = Duration::from_secs(3_600);
    const SETTINGS: SessionSettings = SessionSettings {
        idle: Duration::from_secs(12 * 3_600),
        lifetime: Duration::from_secs(7 * 86_400),
    };

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn directory(lines: &[String]) -> Directory {
        let text = lines.join("\n");
        let file = TextFile {
            name: "users",
            text: &text,
        };
        Directory::parse(Some(file), None).unwrap()
    }

    fn kim(role: Role, password: &str) -> String {
        new_password_line("kim", role, password).unwrap()
    }

    #[test]
    fn a_session_goes_on_until_it_is_closed() {
        let directory = directory(&[kim(Role::Operator, "correct horse")]);
        let mut sessions = Sessions::new(SETTINGS);
        let opened = sessions.open("kim", &directory, noon()).unwrap().unwrap();
        assert!(!opened.record.id.contains(&opened.token));
        let checked = sessions.check(&opened.token, &directory, noon()).unwrap();
        assert_eq!(checked.identity.role, Role::Operator);
        assert_eq!(checked.identity.how, How::Session);
        assert_eq!(checked.expires, noon() + 12 * HOUR);
        assert_eq!(sessions.check(&opened.record.id, &directory, noon()), None);
        assert_eq!(sessions.close(&opened.token), Some(opened.record.id));
        assert_eq!(sessions.check(&opened.token, &directory, noon()), None);
        assert_eq!(sessions.close(&opened.token), None);
    }

    #[test]
    fn it_ends_when_idle_or_old() {
        let directory = directory(&[kim(Role::Viewer, "correct horse")]);
        let mut sessions = Sessions::new(SETTINGS);
        let token = sessions
            .open("kim", &directory, noon())
            .unwrap()
            .unwrap()
            .token;
        let mut at = noon();
        for _ in 0..15 {
            at = at + 11 * HOUR;
            let checked = sessions.check(&token, &directory, at).unwrap();
            assert!(checked.changed.is_some());
        }
        assert_eq!(sessions.check(&token, &directory, at + 12 * HOUR), None);
        assert_eq!(
            sessions.check(&token, &directory, noon() + 168 * HOUR),
            None
        );
        assert_eq!(sessions.sweep(&directory, noon() + 168 * HOUR).len(), 1);
        assert!(sessions.is_empty());
    }

    #[test]
    fn it_ends_when_its_user_leaves_or_changes() {
        let before = directory(&[kim(Role::Admin, "correct horse")]);
        let mut sessions = Sessions::new(SETTINGS);
        let token = sessions
            .open("kim", &before, noon())
            .unwrap()
            .unwrap()
            .token;
        for after in [
            directory(&[]),
            directory(&[kim(Role::Viewer, "correct horse")]),
            directory(&[kim(Role::Admin, "another horse")]),
        ] {
            assert_eq!(sessions.check(&token, &after, noon()), None);
        }
        assert!(sessions.check(&token, &before, noon()).is_some());
        assert!(sessions.open("lee", &before, noon()).unwrap().is_none());
    }

    #[test]
    fn stored_sessions_are_taken_up_and_broken_ones_left_out() {
        let directory = directory(&[kim(Role::Viewer, "correct horse")]);
        let mut sessions = Sessions::new(SETTINGS);
        let opened = sessions.open("kim", &directory, noon()).unwrap().unwrap();
        let broken = SessionRecord {
            id: "no digits".into(),
            ..opened.record.clone()
        };
        let mut restored = Sessions::new(SETTINGS);
        restored.restore([broken, opened.record]);
        assert_eq!(restored.len(), 1);
        assert!(
            restored
                .check(&opened.token, &directory, noon() + HOUR)
                .is_some()
        );
    }

    #[test]
    fn one_user_has_so_many_sessions_and_the_stalest_makes_room() {
        let directory = directory(&[kim(Role::Viewer, "correct horse")]);
        let mut sessions = Sessions::new(SETTINGS);
        let tokens: Vec<String> = (0..=OF_USER_MAX)
            .map(|n| noon() + Duration::from_secs(n as u64))
            .map(|at| sessions.open("kim", &directory, at).unwrap().unwrap().token)
            .collect();
        assert_eq!(sessions.len(), OF_USER_MAX);
        let goes_on = |token: &String, sessions: &mut Sessions| {
            sessions.check(token, &directory, noon() + HOUR).is_some()
        };
        assert!(!goes_on(&tokens[0], &mut sessions));
        assert!(goes_on(&tokens[1], &mut sessions));
    }
}
