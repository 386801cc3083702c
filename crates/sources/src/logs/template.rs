//! Where a service's log lies: a path template, and the paths that come of it.

use std::path::{Path, PathBuf};

use domain::ServiceId;

const SERVICE: &str = "{service}";

/// A path with `{service}` in it, such as `/var/log/{service}/app.json`.
///
/// The folder before the first `{service}` is the root; nothing outside is ever read. Characters
/// of a name that have a meaning in paths are written as `%2F` and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTemplate {
    pub path: String,
    root: PathBuf,
    /// Beneath the root, with `{service}`.
    relative: String,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogTemplateError {
    #[error("the log path {0:?} has no {{service}}; write e.g. /var/log/{{service}}/app.json")]
    NoService(String),
    #[error("the log path {0:?} has a part '..' after {{service}}")]
    Parent(String),
    #[error("the log path {0:?} ends in a folder; name a file")]
    Folder(String),
}

/// Where one service's live log should lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub root: PathBuf,
    pub relative: PathBuf,
}

impl Place {
    /// As shown to people.
    pub(super) fn shown(&self, relative: &Path) -> String {
        let path = self.root.join(relative);
        crate::visible::excerpt(&path.to_string_lossy(), 300)
    }
}

impl LogTemplate {
    /// # Errors
    /// No `{service}`, `..` after it, or no file name.
    pub fn new(path: impl Into<String>) -> Result<LogTemplate, LogTemplateError> {
        let path = path.into();
        let Some(at) = path.find(SERVICE) else {
            return Err(LogTemplateError::NoService(path));
        };
        let folder_end = path[..at].rfind('/').map_or(0, |slash| slash + 1);
        let (root, relative) = path.split_at(folder_end);
        if relative.split('/').any(|part| part == "..") {
            return Err(LogTemplateError::Parent(path));
        }
        if relative.ends_with('/') {
            return Err(LogTemplateError::Folder(path));
        }
        Ok(LogTemplate {
            root: PathBuf::from(if root.is_empty() { "." } else { root }),
            relative: relative.to_owned(),
            path,
        })
    }

    pub(super) fn place(&self, service: &ServiceId) -> Place {
        Place {
            root: self.root.clone(),
            relative: PathBuf::from(self.relative.replace(SERVICE, &path_part(service.as_str()))),
        }
    }
}

/// A name as one part of a path, reversibly: `/`, `\`, `%` and control characters are written as
/// their percent codes, and so are the dots of `.` and `..`.
fn path_part(name: &str) -> String {
    if name == "." || name == ".." {
        return name.replace('.', "%2E");
    }
    let mut part = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '/' | '\\' | '%') || c.is_ascii_control() {
            part.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            part.push(c);
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s02_no_name_leaves_its_part_of_the_path() {
        let check = |name: &str, part: &str| {
            let template = LogTemplate::new("/var/log/{service}/app.json").unwrap();
            let place = template.place(&ServiceId::new(name).unwrap());
            assert_eq!(place.root, Path::new("/var/log/"));
            assert_eq!(place.relative, Path::new(part).join("app.json"), "{name:?}");
        };
        check("pay", "pay");
        check("prod/pay", "prod%2Fpay");
        check("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd");
        check("..", "%2E%2E");
        check("..\\..", "..%5C..");
        check("%2e%2e/", "%252e%252e%2F");
        check("a\0b\n", "a%00b%0A");
        check("/etc", "%2Fetc");
        check("päy 🦀", "päy 🦀");
    }

    #[test]
    fn templates_are_checked() {
        let root = |path: &str| LogTemplate::new(path).map(|t| t.root);
        assert_eq!(root("/l/app-{service}.json"), Ok(PathBuf::from("/l/")));
        assert_eq!(root("{service}.json"), Ok(PathBuf::from(".")));
        for bad in ["/var/log/app.json", "/l/{service}/../x", "/l/{service}/"] {
            assert!(root(bad).is_err(), "{bad}");
        }
    }
}
