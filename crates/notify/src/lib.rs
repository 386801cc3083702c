//! Paging: whom to tell what and when, and how it gets there.
//!
//! The [`Pager`] is pure: it compares what each incident is with what each receiver was told, and
//! says what is due or withheld. The caller keeps its memory and its notices in one transaction.

mod body;
mod notice;
mod pager;
mod policy;
mod text;

pub use body::{MemberBody, NoticeBody};
pub use notice::{Notice, NoticeKind, NoticeState};
pub use pager::{Pager, Seen, Source, Standing, Told};
pub use policy::{Mute, Policy, ReceiverKind, ReceiverPolicy, Withhold};
