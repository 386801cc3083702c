//! Paging, the part inside the tick: after each step, who is to be told what. What is due is stored
//! in the same transaction as what was decided, and sent from there by [`crate::delivering`].

use std::sync::Arc;
use std::time::Duration;

use domain::{Incident, Severity, SourceState, Timestamp};
use notify::{Mute, Notice, NoticeState, Pager, Policy, ReceiverPolicy, Seen, Source, Withhold};
use store::{Database, DatabaseError, EngineState, NewNotice, ReceiverState};
use tokio::sync::watch;

use crate::config::{Config, ReceiverKind};
use crate::live::Live;

/// Whose memory it is in the database, and the version of its format.
const KEY: &str = "pager";
const VERSION: u32 = 1;
/// Notices that wait for a database that fails.
const UNSAVED_MAX: usize = 100_000;

/// What the tasks that deliver go by: published when it is stored.
#[derive(Clone, Debug, Default)]
pub struct Paged {
    pub pager: Pager,
    /// All that the engine holds.
    pub incidents: Arc<Vec<Arc<Incident>>>,
    /// What withholds pages now.
    pub withhold: Withhold,
    blind: Option<Blind>,
    seen: bool,
}

impl Paged {
    pub fn source(&self) -> Source<'_> {
        source(self.seen, self.blind.as_ref())
    }
}

fn source(seen: bool, blind: Option<&Blind>) -> Source<'_> {
    match blind {
        _ if !seen => Source::Unknown,
        None => Source::Answers,
        Some(blind) => Source::Blind {
            since: blind.since,
            why: Some(&blind.why),
        },
    }
}

/// Whether people are told, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagingState {
    On,
    /// Shadow mode, or no receiver.
    Off,
    /// A receiver can't be told.
    Failing,
}

impl PagingState {
    /// As answers name it.
    pub fn word(self) -> &'static str {
        match self {
            PagingState::On => "on",
            PagingState::Off => "off",
            PagingState::Failing => "failing",
        }
    }
}

/// How paging stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub state: PagingState,
    /// In words; empty where it is on and nothing is muted.
    pub because: Vec<String>,
    pub receivers: Vec<ReceiverState>,
}

/// So long the counts of a receiver reach back.
pub const COUNTED: Duration = Duration::from_secs(86_400);

/// How paging stands now.
///
/// # Errors
/// The database can't be read.
pub async fn standing(
    database: &Database,
    config: &Config,
    withhold: &Withhold,
    now: Timestamp,
) -> Result<Standing, DatabaseError> {
    let receivers = database.outbox_state(now - COUNTED).await?;
    let mut because = Vec::new();
    if let Some(shadow) = withhold.shadow.as_ref().filter(|mute| !mute.is_over(now)) {
        because.push(format!("shadow mode is on, set by {}", shadow.by));
    }
    if config.notify.receivers.is_empty() {
        because.push("no receiver is configured".to_owned());
    }
    let is_off = !because.is_empty();
    let muted = withhold
        .services
        .iter()
        .filter(|(_, mute)| !mute.is_over(now));
    let muted: Vec<&str> = muted.map(|(service, _)| service.as_str()).collect();
    if !muted.is_empty() {
        because.push(format!("muted: {}", muted.join(", ")));
    }
    let configured = |state: &&ReceiverState| {
        let mut names = config
            .notify
            .receivers
            .iter()
            .map(|receiver| &receiver.name);
        names.any(|name| *name == state.receiver)
    };
    let failing: Vec<&ReceiverState> = receivers
        .iter()
        .filter(configured)
        .filter(|state| state.attempts > 0)
        .collect();
    for state in &failing {
        let why = state
            .last_error
            .as_deref()
            .unwrap_or("the last attempt failed");
        because.push(format!("{} can't be told: {why}", state.receiver));
    }
    Ok(Standing {
        state: match (is_off, failing.is_empty()) {
            (true, _) => PagingState::Off,
            (false, false) => PagingState::Failing,
            (false, true) => PagingState::On,
        },
        because,
        receivers,
    })
}

/// Decides on notices; belongs to the engine's task.
pub struct Desk {
    pager: Pager,
    withhold: Withhold,
    live: Live,
    /// As it was stored last.
    stored: Vec<u8>,
    unsaved: Vec<NewNotice>,
    blind: Option<Blind>,
    /// Whether a tick was evaluated.
    seen: bool,
    started: Timestamp,
    published: watch::Sender<Arc<Paged>>,
}

/// The source does not answer.
#[derive(Clone, Debug)]
struct Blind {
    since: Timestamp,
    why: String,
}

impl Desk {
    /// Takes up the memory that is stored, and what is muted. A memory that can't be read is begun
    /// anew: then receivers may be told again of what they know.
    pub async fn restore(database: &Database, live: Live, now: Timestamp) -> Desk {
        let (published, _) = watch::channel(Arc::new(Paged::default()));
        let mut desk = Desk {
            pager: Pager::default(),
            withhold: Withhold::default(),
            live,
            stored: Vec::new(),
            unsaved: Vec::new(),
            blind: None,
            seen: false,
            started: now,
            published,
        };
        match database.engine_state(KEY).await {
            Ok(None) => {}
            Ok(Some(stored)) => match decode(&stored) {
                Ok(pager) => {
                    desk.pager = pager;
                    desk.stored = stored.bytes;
                }
                Err(why) => {
                    tracing::error!(
                        why,
                        "what receivers were told is not known any more; they may be told again"
                    );
                }
            },
            Err(error) => {
                tracing::error!(error = %crate::tick::chain(&error), "what receivers were told can't be read; they may be told again");
            }
        }
        if let Err(error) = desk.read_mutes(database, now).await {
            tracing::error!(error = %crate::tick::chain(&error), "mutes can't be read; nothing is withheld");
        }
        desk
    }

    /// What the tasks that deliver go by.
    pub fn published(&self) -> watch::Receiver<Arc<Paged>> {
        self.published.subscribe()
    }

    /// Takes mutes over as they are stored.
    ///
    /// # Errors
    /// The database can't be read; what was muted stays so.
    pub async fn read_mutes(
        &mut self,
        database: &Database,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let mut withhold = Withhold::default();
        for mute in database.active_mutes(now).await? {
            let told = Mute {
                by: mute.by.to_string(),
                until: mute.until,
                note: mute.note,
            };
            match mute.service {
                // The newest comes first and counts.
                Some(service) => drop(withhold.services.entry(service).or_insert(told)),
                None => drop(withhold.shadow.get_or_insert(told)),
            }
        }
        self.withhold = withhold;
        Ok(())
    }

    /// Notes how the source is at a tick; `answered` is when it answered last.
    pub fn note_source(&mut self, source: &SourceState, answered: Option<Timestamp>) {
        self.seen = true;
        self.blind = match source {
            SourceState::Down(why) => Some(Blind {
                since: answered.unwrap_or(self.started),
                why: why.clone(),
            }),
            _ => None,
        };
    }

    /// Decides what is due; `incidents` is all that the engine holds, `changed` what changed in
    /// this step.
    pub fn step(&mut self, now: Timestamp, held: &[Arc<Incident>], changed: &[Arc<Incident>]) {
        let mut incidents = held.to_vec();
        let is_gone = |incident: &&Arc<Incident>| !held.iter().any(|held| held.id == incident.id);
        incidents.extend(changed.iter().filter(is_gone).cloned());
        let seen = Seen {
            now,
            incidents: &incidents,
            source: source(self.seen, self.blind.as_ref()),
        };
        let policy = policy(&self.live.config());
        let notices = self.pager.step(&policy, &self.withhold, &seen);
        for notice in notices {
            say(&notice);
            self.unsaved.push(new_notice(notice, now));
        }
        let excess = self.unsaved.len().saturating_sub(UNSAVED_MAX);
        self.unsaved.drain(..excess);
    }

    /// What is to be stored with the next commit: notices, and the memory where it changed.
    pub fn to_store(&self) -> (Vec<NewNotice>, Option<EngineState>) {
        let bytes = encode(&self.pager);
        let state = (bytes != self.stored).then(|| EngineState {
            key: KEY.to_owned(),
            version: VERSION,
            bytes,
        });
        (self.unsaved.clone(), state)
    }

    /// Notes that it is stored, and lets it be sent.
    pub fn stored(&mut self, state: Option<EngineState>, incidents: Arc<Vec<Arc<Incident>>>) {
        self.unsaved.clear();
        if let Some(state) = state {
            self.stored = state.bytes;
        }
        self.published.send_replace(Arc::new(Paged {
            pager: self.pager.clone(),
            incidents,
            withhold: self.withhold.clone(),
            blind: self.blind.clone(),
            seen: self.seen,
        }));
    }
}

/// Who is told of what, as configured.
pub fn policy(config: &Config) -> Policy {
    let receiver = |receiver: &crate::config::Receiver| ReceiverPolicy {
        name: receiver.name.clone(),
        kind: match receiver.kind {
            ReceiverKind::Webhook(_) => notify::ReceiverKind::Webhook,
            ReceiverKind::Alertmanager(_) => notify::ReceiverKind::Alertmanager,
        },
        min_severity: receiver.severity,
        services: receiver.services.clone(),
    };
    Policy {
        receivers: config.notify.receivers.iter().map(receiver).collect(),
        repeat_interval: config.notify.repeat_interval,
        blind_after: config.notify.blind_after,
        external_url: config
            .server
            .external_url
            .as_ref()
            .map(|url| url.to_string()),
    }
}

fn new_notice(notice: Notice, now: Timestamp) -> NewNotice {
    NewNotice {
        key: notice.key,
        receiver: notice.receiver,
        kind: notice.kind.as_str().to_owned(),
        incident: notice.incident,
        service: notice.service,
        created: now,
        withheld: match notice.state {
            NoticeState::Due => None,
            NoticeState::Withheld { because } => Some(because),
        },
        body: serde_json::to_value(&notice.body).expect("a notice is plain data"),
    }
}

fn say(notice: &Notice) {
    let (receiver, kind, key) = (&notice.receiver, notice.kind, &notice.key);
    match &notice.state {
        NoticeState::Due if notice.severity == Severity::Critical => {
            tracing::warn!(receiver, %kind, key, "a notice is due");
        }
        NoticeState::Due => tracing::info!(receiver, %kind, key, "a notice is due"),
        NoticeState::Withheld { because } => {
            tracing::info!(receiver, %kind, key, because, "a notice is withheld");
        }
    }
}

fn encode(pager: &Pager) -> Vec<u8> {
    postcard::to_stdvec(pager).expect("a pager is plain data")
}

fn decode(stored: &EngineState) -> Result<Pager, String> {
    if stored.version != VERSION {
        let version = stored.version;
        return Err(format!(
            "its format is version {version}, this program knows {VERSION}"
        ));
    }
    postcard::from_bytes(&stored.bytes).map_err(|error| error.to_string())
}
