//! The wrappings that container runtimes put around a line: CRI's of Kubernetes, and the name that
//! `docker compose` puts before it. Docker's own is JSON and read as such.

use domain::Timestamp;

use super::record::Reading;
use super::times::beginning_time;

const NAME_BYTES: usize = 64;

/// A piece of a container's output.
#[derive(Debug, PartialEq)]
pub(super) struct Output<'a> {
    pub time: Timestamp,
    pub text: &'a str,
    /// The line goes on in the next piece.
    pub partial: bool,
}

/// `2026-11-22T12:00:00.000000000Z stdout F the line`, where `P` marks a part of a line.
pub(super) fn output<'a>(text: &'a str, reading: &Reading) -> Option<Output<'a>> {
    let (time, rest) = text.split_once(' ')?;
    let rest = rest
        .strip_prefix("stdout ")
        .or_else(|| rest.strip_prefix("stderr "))?;
    let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let partial = match tags.split(':').next()? {
        "F" => false,
        "P" => true,
        _ => return None,
    };
    let (time, "") = beginning_time(time, reading)? else {
        return None;
    };
    Some(Output {
        time,
        text,
        partial,
    })
}

/// What stands behind the `orders-1  | ` of `docker compose logs`.
pub(super) fn behind_name(text: &str) -> Option<&str> {
    let (name, rest) = text.split_once('|')?;
    let rest = rest.strip_prefix(' ')?;
    let name = name.trim_end();
    let is_name = !name.is_empty()
        && name.len() <= NAME_BYTES
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    is_name.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_output_are_unwrapped() {
        let check = |text: &str, expected: Option<(&str, bool)>| {
            let reading = Reading::default();
            let output = output(text, &reading);
            let output = output.as_ref().map(|output| (output.text, output.partial));
            assert_eq!(output, expected, "{text}");
        };
        check(
            "2026-11-22T12:00:00.000000000Z stdout F a  b",
            Some(("a  b", false)),
        );
        check(
            "2026-11-22T13:00:00+01:00 stderr P \tat x",
            Some(("\tat x", true)),
        );
        check("2026-11-22T12:00:00Z stdout F", Some(("", false)));
        check("2026-11-22T12:00:00Z stdout X a", None);
        check("2026-11-22T12:00:00Z stdin F a", None);
        check("yesterday stdout F a", None);
        check("", None);
    }

    #[test]
    fn names_before_a_bar_are_stepped_over() {
        assert_eq!(behind_name("orders-1  | a | b"), Some("a | b"));
        for none in ["a b | c", "| c", "a|c", "a", ""] {
            assert_eq!(behind_name(none), None, "{none}");
        }
    }
}
