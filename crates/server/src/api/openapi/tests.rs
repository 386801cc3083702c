//! The document that is served.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::api::described;

/// `BLESS=1 cargo test -p server openapi` writes it anew.
#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let (_, document) = described();
    let served = document.to_pretty_json().unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &served).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(served.lines()).find(|(a, b)| a != b);
    assert!(
        committed == served,
        "docs/openapi.json is not what is served ({differs:?}): BLESS=1 cargo test -p server --lib openapi"
    );
}

/// A parameter's words must be `#[param(inline)]`: only bodies bring their schemas along.
#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(described().1).unwrap();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    let lost = |to: &&String| document.pointer(to.trim_start_matches('#')).is_none();
    let lost: Vec<_> = references.iter().filter(lost).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn operations_have_names_of_their_own_subjects_and_a_summary() {
    let (_, document) = described();
    let mut names = BTreeSet::new();
    let subjects = super::TAGS.map(|(name, _)| name);
    for (path, item) in &document.paths.paths {
        for (method, operation) in super::operations(item) {
            let id = operation.operation_id.clone().unwrap();
            assert!(names.insert(id), "{method} {path}");
            let tags = operation.tags.clone().unwrap_or_default();
            assert!(
                tags.len() == 1 && subjects.contains(&tags[0].as_str()),
                "{method} {path}: {tags:?}"
            );
            assert!(operation.summary.is_some(), "{method} {path}");
        }
    }
}

/// Of two with one name, the document would keep one for both.
#[test]
fn every_schema_has_a_name_of_its_own() {
    let mut names = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                for name in schema_names(&text) {
                    let other = names.insert(name.clone(), path.clone());
                    assert_eq!(other, None, "{name} also in {path:?}: #[schema(as = …)]");
                }
            }
        }
    }
    assert!(names.len() > 50, "{names:?}");
}

/// The names under which a source file's types become schemas.
fn schema_names(text: &str) -> Vec<String> {
    let word = |text: &str| {
        let end = text.find(|letter: char| !letter.is_alphanumeric());
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let (mut names, mut derived, mut renamed) = (Vec::new(), false, None);
    for line in text.lines() {
        derived |= line.starts_with("#[derive(") && line.contains("ToSchema");
        if let Some((_, name)) = line.split_once("#[schema(as = ") {
            renamed = Some(word(name));
        }
        let item = line.trim_start_matches("pub ");
        let item = item.strip_prefix("struct ").or(item.strip_prefix("enum "));
        if let Some(item) = item.filter(|_| derived) {
            names.push(renamed.take().unwrap_or_else(|| word(item)));
            derived = false;
        }
    }
    names
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let to = fields.get("$ref").and_then(Value::as_str);
            references.extend(to.map(str::to_owned));
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
