//! Label values as they are written in PromQL.

/// Escapes a label value for a double-quoted PromQL string.
///
/// ```
/// use domain::escape_label_value;
/// assert_eq!(escape_label_value("x\"} or up{a=\""), "x\\\"} or up{a=\\\"");
/// ```
pub fn escape_label_value(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if u32::from(c) < 0x20 || c == '\u{7f}' => {
                escaped.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c => escaped.push(c),
        }
    }
    escaped
}
