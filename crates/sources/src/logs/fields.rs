//! Which fields of a JSON line are read: the names that a source gives, before the built-in ones.

/// Names of fields that are tried before the built-in ones. A name with dots is found flat
/// (`"log.level": …`) as well as nested (`"log": {"level": …}`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFields {
    pub time: Option<String>,
    pub level: Option<String>,
    pub logger: Option<String>,
    pub message: Option<String>,
    pub exception: Option<String>,
    pub stack_trace: Option<String>,
    pub trace_id: Option<String>,
    pub span_id: Option<String>,
    pub service: Option<String>,
}
