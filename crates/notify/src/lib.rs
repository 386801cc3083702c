//! Paging: whom to tell what and when, and how it gets there.
//!
//! The [`Pager`] is pure: it compares what each incident is with what each receiver was told, and
//! says what is due or withheld. The caller keeps its memory and its notices in one transaction,
//! makes [`Message`]s of what is due, sends each by a [`Delivery`] and stores the [`Outcome`].
//! No clock is read here: instants are arguments.

mod alert;
mod backoff;
mod body;
mod delivery;
mod heartbeat;
mod message;
mod notice;
mod pager;
mod policy;
mod rate;
mod text;

pub use alert::{Alert, FIRING_FOR, REFRESH_INTERVAL};
pub use backoff::{GIVE_UP_AFTER, Outcome, next_attempt};
pub use body::{MemberBody, NoticeBody};
pub use delivery::{Delivery, Endpoint, EndpointError, Secret, SendError};
pub use heartbeat::{Heartbeat, Paging};
pub use message::{BATCH_MAX, DETAILED_MAX, Message, batch_key};
pub use notice::{Notice, NoticeKind, NoticeState};
pub use pager::{Pager, Seen, Source, Standing, Told};
pub use policy::{Mute, Policy, ReceiverKind, ReceiverPolicy, Withhold};
pub use rate::Rate;
