//! Lists of labels as bytes: each text once, and of labels that differ little from those before
//! only what differs.

use std::collections::HashMap;
use std::sync::Arc;

use super::bits::{ByteReader, put_varint};
use crate::Labels;

/// The most labels of a series that are read.
const LABELS_MAX: usize = 1000;

/// Appends the list.
///
/// Texts first: their count, then length and bytes of each. Then the count of series, and for each
/// how many values differ from those of the series before, if the names are the same, and which;
/// or 0 and all names and values.
pub(super) fn put_label_list(list: &[Labels], bytes: &mut Vec<u8>) {
    let mut texts: Vec<&str> = Vec::new();
    let mut numbers: HashMap<&str, u64> = HashMap::new();
    let mut series = Vec::new();
    let mut number = |text| {
        *numbers.entry(text).or_insert_with(|| {
            texts.push(text);
            texts.len() as u64 - 1
        })
    };
    let mut before: Vec<(u64, u64)> = Vec::new();
    for labels in list {
        let pairs: Vec<(u64, u64)> = labels
            .iter()
            .map(|(name, value)| (number(name), number(value)))
            .collect();
        let names = |pairs: &[(u64, u64)]| pairs.iter().map(|pair| pair.0).collect::<Vec<_>>();
        let differing = pairs
            .iter()
            .zip(&before)
            .filter(|(one, other)| one != other)
            .count();
        if !pairs.is_empty() && names(&pairs) == names(&before) && differing > 0 {
            put_varint(&mut series, differing as u64);
            for (at, (pair, other)) in pairs.iter().zip(&before).enumerate() {
                if pair != other {
                    put_varint(&mut series, at as u64);
                    put_varint(&mut series, pair.1);
                }
            }
        } else {
            put_varint(&mut series, 0);
            put_varint(&mut series, pairs.len() as u64);
            for (name, value) in &pairs {
                put_varint(&mut series, *name);
                put_varint(&mut series, *value);
            }
        }
        before = pairs;
    }
    put_varint(bytes, texts.len() as u64);
    for text in texts {
        put_varint(bytes, text.len() as u64);
        bytes.extend_from_slice(text.as_bytes());
    }
    put_varint(bytes, list.len() as u64);
    bytes.extend_from_slice(&series);
}

/// Reads what [`put_label_list`] wrote; none if the bytes are no such list.
pub(super) fn read_label_list(reader: &mut ByteReader<'_>) -> Option<Vec<Labels>> {
    let mut texts: Vec<Arc<str>> = Vec::new();
    for _ in 0..reader.count() {
        let length = reader.count();
        texts.push(Arc::from(std::str::from_utf8(reader.take(length)).ok()?));
    }
    let mut list = Vec::new();
    let mut before: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    for _ in 0..reader.count() {
        let text = |number: u64| texts.get(usize::try_from(number).ok()?).cloned();
        let differing = reader.varint();
        if differing == 0 {
            before.clear();
            let count = reader.count();
            if count > LABELS_MAX {
                return None;
            }
            for _ in 0..count {
                before.push((text(reader.varint())?, text(reader.varint())?));
            }
        }
        if differing > before.len() as u64 {
            return None;
        }
        for _ in 0..differing {
            let pair = before.get_mut(usize::try_from(reader.varint()).ok()?)?;
            pair.1 = text(reader.varint())?;
        }
        if reader.overrun() {
            return None;
        }
        list.push(Labels::new(before.iter().cloned()));
    }
    (!reader.overrun()).then_some(list)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_read_back(lists in prop::collection::vec(prop::collection::vec(("[a-c]", "[a-zä]{1,3}"), 0..4), 0..20)) {
            let list: Vec<Labels> = lists.into_iter().map(Labels::new).collect();
            let mut bytes = Vec::new();
            put_label_list(&list, &mut bytes);
            let mut reader = ByteReader::new(&bytes, 0);
            prop_assert_eq!(read_label_list(&mut reader), Some(list));
            prop_assert!(reader.is_at_end());
        }

        #[test]
        fn bytes_that_are_no_list_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read_label_list(&mut ByteReader::new(&bytes, 0));
        }
    }

    #[test]
    fn a_bucket_takes_a_few_bytes() {
        let bucket = |le: u32| {
            let le = le.to_string();
            Labels::new([
                ("__name__", "http_server_requests_seconds_bucket"),
                ("uri", "/orders"),
                ("le", &le),
            ])
        };
        let list: Vec<Labels> = (0..100).map(bucket).collect();
        let (mut one, mut all) = (Vec::new(), Vec::new());
        put_label_list(&list[..1], &mut one);
        put_label_list(&list, &mut all);
        assert!(
            all.len() - one.len() <= 99 * 6,
            "{} {}",
            one.len(),
            all.len()
        );
    }
}
