//! Paging, tested as its callers use it.

mod desk;
mod pager;
mod pager_properties;
mod source;
