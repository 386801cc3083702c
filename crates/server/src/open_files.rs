//! How many files and connections may be open: as many as the system grants. What shells give by
//! default is fewer than `limits.streams` clients need.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit of this process to the most that it may set itself.
pub fn allow_all() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is; many clients may find no place");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_most_that_is_granted() {
        let before = getrlimit(Resource::Nofile);
        allow_all();
        let after = getrlimit(Resource::Nofile);
        assert_eq!(after.current, before.maximum);
    }
}
