//! Where logs lie: a path template, and what it stands for.

use std::path::{Path, PathBuf};

use domain::ServiceId;

use super::glob::Glob;

const SERVICE: &str = "{service}";

/// A path such as `/var/log/{service}/*.json`: `{service}` stands for the name, `*` and `?` for any
/// characters of a part. Without `{service}` its files hold the lines of several services.
///
/// The folder before the first `{service}`, `*` or `?` is the root; nothing outside is ever read,
/// nor what links beneath it point to outside. So the logs of pods are
/// `/var/log/pods/*_{service}-*/*/*.log`, not the links to them in `/var/log/containers`. With a `*`
/// right behind it, `{service}` also finds services whose names only begin like this one's.
///
/// Characters of a name that have a meaning in paths are written as `%2F` and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTemplate {
    pub path: String,
    root: PathBuf,
    /// Beneath the root.
    relative: String,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogTemplateError {
    #[error("the log path {0:?} has a part '..' after its fixed folder")]
    Parent(String),
    #[error("the log path {0:?} ends in a folder; name a file")]
    Folder(String),
}

/// Where the files of one log, or of several, should lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub root: PathBuf,
    /// Folders beneath the root, and the name of the file.
    pub parts: Vec<Glob>,
    /// Beneath the root, for people.
    relative: String,
}

impl Place {
    /// As shown to people.
    pub(super) fn shown(&self) -> String {
        self.shown_at(Path::new(&self.relative))
    }

    pub(super) fn shown_at(&self, relative: &Path) -> String {
        let path = self.root.join(relative);
        crate::visible::excerpt(&path.to_string_lossy(), 300)
    }
}

impl LogTemplate {
    /// # Errors
    /// `..` after the fixed folder, or no file name.
    pub fn new(path: impl Into<String>) -> Result<LogTemplate, LogTemplateError> {
        let path = path.into();
        let marks = [path.find(SERVICE), path.find(['*', '?'])];
        let fixed = marks.into_iter().flatten().min().unwrap_or(path.len());
        let folder_end = path[..fixed].rfind('/').map_or(0, |slash| slash + 1);
        let (root, relative) = path.split_at(folder_end);
        if relative.split('/').any(|part| part == "..") {
            return Err(LogTemplateError::Parent(path));
        }
        if relative.is_empty() || relative.ends_with('/') || relative.ends_with("/.") {
            return Err(LogTemplateError::Folder(path));
        }
        Ok(LogTemplate {
            root: PathBuf::from(if root.is_empty() { "." } else { root }),
            relative: relative.to_owned(),
            path,
        })
    }

    /// The files are of one service, and the path says which.
    pub fn names_service(&self) -> bool {
        self.relative.contains(SERVICE)
    }

    pub(super) fn place(&self, service: &ServiceId) -> Place {
        let name = path_part(service.as_str());
        Place {
            root: self.root.clone(),
            parts: self.parts(|glob| glob.push_text(&name)),
            relative: self.relative.replace(SERVICE, &name),
        }
    }

    /// The files of all services.
    pub(super) fn everywhere(&self) -> Place {
        Place {
            root: self.root.clone(),
            parts: self.parts(Glob::push_many),
            relative: self.relative.clone(),
        }
    }

    fn parts(&self, push_service: impl Fn(&mut Glob)) -> Vec<Glob> {
        let part = |text: &str| {
            let mut glob = Glob::default();
            for (i, pattern) in text.split(SERVICE).enumerate() {
                if i > 0 {
                    push_service(&mut glob);
                }
                glob.push_pattern(pattern);
            }
            glob
        };
        let parts = self.relative.split('/');
        parts.filter(|text| !text.is_empty()).map(part).collect()
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
            let parts: Vec<String> = place.parts.iter().filter_map(Glob::only).collect();
            assert_eq!(place.root, Path::new("/var/log/"));
            assert_eq!(parts, [part, "app.json"], "{name:?}");
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
        check("*", "*");
    }

    #[test]
    fn templates_are_checked() {
        let root = |path: &str| LogTemplate::new(path).map(|t| t.root);
        assert_eq!(root("/l/app-{service}.json"), Ok(PathBuf::from("/l/")));
        assert_eq!(root("{service}.json"), Ok(PathBuf::from(".")));
        assert_eq!(root("/var/log/app.json"), Ok(PathBuf::from("/var/log/")));
        assert_eq!(root("/l/a*/{service}/x.log"), Ok(PathBuf::from("/l/")));
        assert_eq!(root("/l/../m/*.log"), Ok(PathBuf::from("/l/../m/")));
        for bad in ["/l/{service}/../x", "/l/*/../x", "/l/{service}/", "/l/", ""] {
            assert!(root(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_services_name_is_no_pattern() {
        let template = LogTemplate::new("/l/{service}-?.log").unwrap();
        let place = template.place(&ServiceId::new("p*y").unwrap());
        assert!(place.parts[0].matches("p*y-1.log"));
        assert!(!place.parts[0].matches("pay-1.log"));
        assert!(template.everywhere().parts[0].matches("pay-1.log"));
    }
}
