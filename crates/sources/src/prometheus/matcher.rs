//! Label matchers for PromQL, from names that may hold anything.

use domain::escape_label_value;

/// `label="value"`, with the value escaped; none where `label` is not a label name.
///
/// ```
/// use sources::prometheus::matcher;
/// assert_eq!(matcher("service", "pay").unwrap(), "service=\"pay\"");
/// assert_eq!(matcher("a=\"x\",b", "pay"), None);
/// ```
pub fn matcher(label: &str, value: &str) -> Option<String> {
    is_label_name(label).then(|| format!("{label}=\"{}\"", escape_label_value(value)))
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(crate) fn is_label_name(label: &str) -> bool {
    let mut bytes = label.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_value_ends_its_string(value in any::<String>()) {
            let escaped = escape_label_value(&value);
            let mut chars = escaped.chars();
            while let Some(c) = chars.next() {
                prop_assert!(c != '"' && c != '\n', "{escaped:?}");
                if c == '\\' {
                    prop_assert!(chars.next().is_some(), "{escaped:?}");
                }
            }
        }
    }

    #[test]
    fn label_names_are_checked() {
        for good in ["service", "_x", "A9"] {
            assert!(is_label_name(good), "{good}");
        }
        for bad in ["", "9a", "a-b", "a b", "é", "a,b"] {
            assert!(!is_label_name(bad), "{bad}");
        }
    }
}
