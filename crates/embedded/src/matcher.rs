//! Conditions on labels, as in the braces of PromQL.

use regex::Regex;

use crate::Labels;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOperator {
    Equal,
    NotEqual,
    /// The whole value matches.
    Regex,
    NotRegex,
}

/// A condition on one label. A label that a series lacks is the empty text.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub name: String,
    pub operator: MatchOperator,
    pub value: String,
    /// Of the two operators that need it.
    regex: Option<Regex>,
}

/// Why a text is no regular expression.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name}: {value:?} is no regular expression: {why}")]
pub struct MatcherError {
    pub name: String,
    pub value: String,
    pub why: String,
}

impl Matcher {
    /// # Errors
    /// A value that is no regular expression where one is needed.
    pub fn new(
        name: impl Into<String>,
        operator: MatchOperator,
        value: impl Into<String>,
    ) -> Result<Matcher, MatcherError> {
        let (name, value) = (name.into(), value.into());
        let regex = match operator {
            MatchOperator::Equal | MatchOperator::NotEqual => None,
            MatchOperator::Regex | MatchOperator::NotRegex => {
                Some(whole_value(&value).map_err(|error| MatcherError {
                    why: error.to_string(),
                    name: name.clone(),
                    value: value.clone(),
                })?)
            }
        };
        Ok(Matcher {
            name,
            operator,
            value,
            regex,
        })
    }

    /// Whether a value of the label fulfils it.
    pub fn matches(&self, value: &str) -> bool {
        let fits = match &self.regex {
            Some(regex) => regex.is_match(value),
            None => self.value == value,
        };
        let wanted = matches!(self.operator, MatchOperator::Equal | MatchOperator::Regex);
        fits == wanted
    }

    pub fn matches_labels(&self, labels: &Labels) -> bool {
        self.matches(labels.get(&self.name).unwrap_or_default())
    }
}

/// As Prometheus reads it: from end to end, the point means line breaks, too, and a brace that
/// begins no count is itself, as in `/orders/{id}`.
///
/// # Errors
/// A text that is no regular expression, or too large a one.
pub(crate) fn whole_value(pattern: &str) -> Result<Regex, regex::Error> {
    let whole = |pattern: &str| Regex::new(&format!("^(?s:{pattern})$"));
    whole(pattern).or_else(|error| whole(&literal_braces(pattern)).map_err(|_| error))
}

/// With a backslash before each opening brace that begins no count of repetitions.
fn literal_braces(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len() + 8);
    let mut escaped = false;
    for (at, letter) in pattern.char_indices() {
        if letter == '{' && !escaped && !begins_count(&pattern[at + 1..]) {
            text.push('\\');
        }
        escaped = letter == '\\' && !escaped;
        text.push(letter);
    }
    text
}

/// `3}`, `3,}` and `3,5}` go on to a count.
fn begins_count(rest: &str) -> bool {
    let Some((count, _)) = rest.split_once('}') else {
        return false;
    };
    let (least, most) = count.split_once(',').unwrap_or((count, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Matcher) -> bool {
        (&self.name, self.operator, &self.value) == (&other.name, other.operator, &other.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regex_matches_the_whole_value() {
        let matcher = |operator, value: &str| Matcher::new("uri", operator, value).unwrap();
        let regex = matcher(MatchOperator::Regex, "/a.*|/b");
        assert!(regex.matches("/a/x") && regex.matches("/b") && !regex.matches("x/b"));
        assert!(matcher(MatchOperator::NotRegex, "5..").matches("200"));
        assert!(matcher(MatchOperator::Regex, "a.b").matches("a\nb"));
        assert!(Matcher::new("uri", MatchOperator::Regex, "(").is_err());
    }

    #[test]
    fn braces_that_count_nothing_are_themselves() {
        let regex = |value: &str| Matcher::new("uri", MatchOperator::Regex, value).unwrap();
        assert!(regex("/orders/{id}").matches("/orders/{id}"));
        assert!(regex("/{id}/\\{x}/a{2,3}").matches("/{id}/{x}/aaa"));
        assert!(!regex("a{2}{id}").matches("a{2}{id}"));
        assert!(regex("{,5}").matches("{,5}"));
    }

    #[test]
    fn a_label_that_is_missing_is_empty() {
        let labels = Labels::new([("a", "1")]);
        let absent = Matcher::new("b", MatchOperator::Equal, "").unwrap();
        let present = Matcher::new("b", MatchOperator::NotEqual, "").unwrap();
        assert!(absent.matches_labels(&labels) && !present.matches_labels(&labels));
    }
}
