//! Bodies: versioned JSON in a column, and how an older version becomes the present one.

use domain::{Evidence, Incident, LogWindow, PostedEvent, TimelineEntry};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a `body` column can hold.
pub trait Body: Serialize + DeserializeOwned {
    /// The version that is written. Raised when an older reader, or a newer one with an older
    /// body, would go wrong.
    const VERSION: u32 = 1;

    /// Content of `version` as one of the next version; none if there was no such version, or the
    /// content is not of it.
    fn upgrade(_version: u32, _content: Value) -> Option<Value> {
        None
    }
}

impl Body for LogWindow {}
impl Body for TimelineEntry {}
impl Body for PostedEvent {}

impl Body for Evidence {
    /// Version 2 brought log patterns, and what similar incidents share of them.
    const VERSION: u32 = 2;

    fn upgrade(version: u32, mut content: Value) -> Option<Value> {
        if version != 1 {
            return None;
        }
        let evidence = content.as_object_mut()?;
        evidence.insert("patterns".to_owned(), Value::Null);
        let similar = evidence.get_mut("similar")?.as_array_mut();
        for one in similar.into_iter().flatten() {
            let one = one.as_object_mut()?;
            one.insert("shared_patterns".to_owned(), json!([]));
        }
        Some(content)
    }
}

impl Body for Incident {
    /// Version 2 brought the operator's severity, owner, snooze, resolution, evidence, and the
    /// range in which an onset lies.
    const VERSION: u32 = 2;

    fn upgrade(version: u32, mut content: Value) -> Option<Value> {
        if version != 1 {
            return None;
        }
        let incident = content.as_object_mut()?;
        for member in incident.get_mut("members")?.as_array_mut()? {
            let member = member.as_object_mut()?;
            let onset = member.get("onset")?.clone();
            member.insert("onset_between".to_owned(), json!([onset, onset]));
        }
        let nothing = json!({
            "changes": null, "shifts": null, "breakdowns": [], "unusual": [], "similar": null,
            "failed": [],
        });
        incident.insert("evidence".to_owned(), nothing);
        for unsaid in ["operator_severity", "owner", "snooze", "resolution"] {
            incident.insert(unsaid.to_owned(), Value::Null);
        }
        Some(content)
    }
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    content: T,
}

pub fn written<T: Body>(content: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Versioned {
        version: T::VERSION,
        content,
    })
}

/// The content of a body of this or an older version; otherwise what is wrong with it.
pub fn read<T: Body>(body: &str) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let wrong = |error: serde_json::Error| error.to_string();
    let Version { version } = serde_json::from_str(body).map_err(wrong)?;
    if version == T::VERSION {
        let versioned: Versioned<T> = serde_json::from_str(body).map_err(wrong)?;
        return Ok(versioned.content);
    }
    let Versioned { mut content, .. } =
        serde_json::from_str::<Versioned<Value>>(body).map_err(wrong)?;
    if version > T::VERSION {
        return Err(format!(
            "its version is {version}, and this program knows {}",
            T::VERSION
        ));
    }
    for step in version..T::VERSION {
        content = T::upgrade(step, content)
            .ok_or_else(|| format!("its version is {version}, which it is not as"))?;
    }
    serde_json::from_value(content).map_err(wrong)
}
