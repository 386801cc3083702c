//! Names and labels as the exposition format and selectors write them.

const EXCERPT_CHARS: usize = 60;

/// Names and values, sorted by name.
pub(crate) type Labels = Vec<(String, String)>;

/// From behind the opening brace to behind the closing one.
pub(crate) fn parse_labels(mut rest: &str) -> Result<(Labels, &str), String> {
    let mut labels = Labels::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            labels.sort();
            if let Some(pair) = labels.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(format!("the label {} is there twice", pair[0].0));
            }
            return Ok((labels, rest));
        }
        if !labels.is_empty() {
            rest = rest
                .strip_prefix(',')
                .ok_or_else(|| format!("{:?} should begin with a comma", excerpt(rest)))?;
        }
        let (name, tail) = rest
            .split_once("=\"")
            .filter(|(name, _)| is_label_name(name))
            .ok_or_else(|| format!("{:?} doesn't begin with a label", excerpt(rest)))?;
        let (value, tail) = parse_quoted(tail)
            .ok_or_else(|| format!("the value of the label {name} doesn't end"))?;
        labels.push((name.to_owned(), value));
        rest = tail;
    }
}

/// From behind the opening quotation mark to behind the closing one.
fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => match chars.next()?.1 {
                'n' => value.push('\n'),
                c @ ('\\' | '"') => value.push(c),
                _ => return None,
            },
            (_, c) => value.push(c),
        }
    }
}

pub(crate) fn is_metric_name(text: &str) -> bool {
    is_label_name(&text.replace(':', "_"))
}

fn is_label_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(fits) && text.chars().all(|c| fits(c) || c.is_ascii_digit())
}

pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}
