//! `docs/configuration.md`, printed from the table of keys.

use std::fmt::Write;

use super::keys::{KEYS, Key};

const INTRODUCTION: &str = "\
# Configuration

<!-- Written by `config::reference_markdown` from the table of keys. Change it there. -->

Everything is set in one file, `config.yaml`; every key is optional. `bellwether check-config` prints the effective whole.

- **Layers.** Defaults, then the file, then environment variables, then flags; the later one wins.
- **The file** is the one named by `--config`; else `config.yaml` in the working directory, if it is there. It has at most 1 MiB. Unknown keys, keys given twice and impossible values are refused, all at once, with their place.
- **Environment.** `BELLWETHER_` and the key in capitals, with two underscores between levels: `BELLWETHER_TICK=15s`, `BELLWETHER_PROMETHEUS__URL=http://prometheus:9090`. Lists are written with commas, or as YAML like maps. An empty variable counts as not set. Names with capitals, dots or dashes can't be reached this way; give the whole map as YAML. `BELLWETHER_CONFIG`, `BELLWETHER_TOKEN_FILE`, and the variables that Kubernetes sets for a Service named `bellwether` (`BELLWETHER_PORT…`, `BELLWETHER_SERVICE_HOST`, `BELLWETHER_SERVICE_PORT…`), are no keys.
- **Durations** are whole numbers with units, the larger first: `500ms`, `15s`, `1m30s`, `24h`, `7d`, `2w`. **Sizes** have `B`, `KiB`, `MiB`, `GiB`, `TiB`, or `kB`, `MB`, `GB`, `TB`.
- **Secrets** (passwords, tokens, header values) belong in the environment or in files; they are shown as `<secret>`.
- **Paths** are relative to the working directory.
- **Changes** take effect at a reload (`kill -HUP`, `POST /-/reload`) where they can, else at the next start; the reload names those.

`<id>` is the id of a metric, `<name>` the name of a service or header, `[]` an item of a list. The built-in metrics are `cpu`, `mem`, `lat` and those of `packs`; a key that is given for one of them replaces that part of it, and their defaults are not those of the table, which are of an added metric.
";

/// The reference of all keys as Markdown.
pub fn reference_markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut section = "";
    for key in KEYS {
        let own = section_of(key);
        if own != section {
            section = own;
            text.push_str(&heading(section));
        }
        let default = match key.default {
            "" => "–".to_owned(),
            "the id" => "the id".to_owned(),
            default => format!("`{default}`"),
        };
        // Writing to a String can't fail.
        let _ = writeln!(
            text,
            "| `{}` | {default} | {} | {} |",
            key.path, key.range, key.sentence
        );
    }
    text
}

/// The first part of a path with several; single keys share one section.
fn section_of(key: &Key) -> &'static str {
    match key.path.split_once('.') {
        Some((section, _)) => section.trim_end_matches("[]"),
        None => "single",
    }
}

fn heading(section: &str) -> String {
    let title = match section {
        "single" => "Single keys".to_owned(),
        section => format!("`{section}`"),
    };
    format!("\n## {title}\n\n| key | default | allowed | what it is |\n| --- | --- | --- | --- |\n")
}
