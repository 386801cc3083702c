//! What holds for any bytes as a page; the fuzz target runs it, too.

use embedded::exposition::{Entry, Format, Parser};

/// Reads a page in both formats to the end. What is read must be sound in itself.
pub fn read_all(page: &[u8]) {
    for format in [Format::Text, Format::OpenMetrics] {
        let Ok(parser) = Parser::of_bytes(page, format) else {
            assert!(std::str::from_utf8(page).is_err());
            return;
        };
        for entry in parser {
            let Ok(Entry::Sample(line)) = entry else {
                continue;
            };
            let labels = line.to_labels([]);
            let given = line.labels().filter(|(_, value)| !value.is_empty()).count();
            assert_eq!(labels.len(), given + 1, "{}", line.series);
            // The text of a series means the same wherever it stands.
            let again = format!("{} 0", line.series);
            let again = Parser::new(&again, Format::Text).next();
            let Some(Ok(Entry::Sample(again))) = again else {
                panic!("{:?} doesn't read again: {again:?}", line.series);
            };
            assert_eq!((again.series, again.to_labels([])), (line.series, labels));
        }
    }
}
