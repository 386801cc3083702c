//! Paging, tested as its callers use it.

mod body;
mod delivery;
mod desk;
mod messages;
mod pager;
mod pager_properties;
mod real_alertmanager;
mod source;
