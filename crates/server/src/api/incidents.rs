//! `/api/v1/incidents`: lists, and one incident with all that explains it.

pub mod actions;
pub mod bulk;
mod evidence;
mod view;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Incident, IncidentId, IncidentKind, Severity, Status};
use serde::{Deserialize, Serialize};
use store::{Cursor, IncidentFilter, OwnerFilter, Sort, SortBy};
use utoipa::{IntoParams, ToSchema};

use super::openapi::{Crossing, IncidentKindWord, IncidentStatus, Instant, NotThere, words};
use super::parameters::{metric_id, optional_time, page_limit};
use super::problem::Problem;
use super::{Api, visible};

pub use actions::actor;
pub use evidence::{ComponentView, component};
use view::IncidentView;
pub(crate) use view::entry;
pub use view::said_by;

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;
const TEXT_CHARS_MAX: usize = 200;

words! {
    /// What a list is sorted by; with `-` in front the greatest comes first.
    SortWord: "id", "opened", "last_seen", "severity", "service",
        "-id", "-opened", "-last_seen", "-severity", "-service";
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListParameters {
    #[param(min_length = 1, max_length = 1024)]
    service: Option<String>,
    /// Incidents that this metric crossed in, alone or among others.
    #[param(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9_]*$")]
    metric: Option<String>,
    /// Any of these, separated by commas.
    #[param(value_type = Option<Vec<IncidentStatus>>, style = Form, explode = false)]
    status: Option<String>,
    /// Any of these, separated by commas; an operator's word counts more than the thresholds.
    #[param(value_type = Option<Vec<Crossing>>, style = Form, explode = false)]
    severity: Option<String>,
    #[param(inline, value_type = Option<IncidentKindWord>)]
    kind: Option<String>,
    firing: Option<bool>,
    snoozed: Option<bool>,
    /// A name, or nothing for incidents without an owner.
    owner: Option<String>,
    /// Seen since then.
    #[param(value_type = Option<Instant>)]
    from: Option<String>,
    /// Opened until then.
    #[param(value_type = Option<Instant>)]
    to: Option<String>,
    /// The newest first where it is missing.
    #[param(inline, value_type = Option<SortWord>)]
    sort: Option<String>,
    /// The `next_cursor` of the page before, in the same order.
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// Words that the incident tells of somewhere.
    text: Option<String>,
}

/// A page of incidents.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentPage)]
pub struct Page {
    items: Vec<IncidentView>,
    next_cursor: Option<String>,
}

/// Incidents, filtered and sorted, page by page.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(ListParameters), responses(
    (status = 200, description = "A page; without `revision`, `explanation`, `logs` and `timeline`.", body = Page),
))]
pub async fn list(
    State(api): State<Api>,
    Query(parameters): Query<ListParameters>,
) -> Result<Json<Page>, Problem> {
    let filter = filter(&parameters)?;
    let page = api
        .storage
        .database
        .incidents(&filter)
        .await
        .map_err(|error| Problem::internal("reading the incidents", &error))?;
    Ok(Json(Page {
        items: page
            .incidents
            .into_iter()
            .map(|incident| IncidentView::of(incident, false))
            .collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}

fn filter(parameters: &ListParameters) -> Result<IncidentFilter, Problem> {
    let limit = page_limit(parameters.limit, PAGE, PAGE_MAX)?;
    let from = optional_time("from", parameters.from.as_deref())?;
    let to = optional_time("to", parameters.to.as_deref())?;
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(Problem::bad_request("from is after to"));
    }
    let service = parameters.service.as_deref().map(|text| {
        domain::ServiceId::new(text).map_err(|error| Problem::bad_request(error.to_string()))
    });
    let metric = parameters.metric.as_deref().map(metric_id);
    let sort = sort(parameters.sort.as_deref())?;
    let cursor = parameters.cursor.as_deref().map(|text| {
        Cursor::parse(text, sort).map_err(|error| Problem::bad_request(error.to_string()))
    });
    Ok(IncidentFilter {
        service: service.transpose()?,
        metric: metric.transpose()?,
        statuses: words(parameters.status.as_deref(), status)?,
        severities: words(parameters.severity.as_deref(), severity)?,
        kind: parameters.kind.as_deref().map(kind).transpose()?,
        firing: parameters.firing,
        owner: parameters.owner.as_deref().map(|owner| match owner {
            "" => OwnerFilter::Nobody,
            name => OwnerFilter::Person(name.to_owned()),
        }),
        snoozed: parameters.snoozed,
        from,
        to,
        sort,
        after: cursor.transpose()?,
        limit,
        text: text(parameters.text.as_deref())?,
    })
}

/// Words that are looked for.
fn text(given: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = given.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(Problem::bad_request(format!(
            "text is longer than {TEXT_CHARS_MAX} characters; look for fewer words"
        )));
    }
    Ok(Some(text.to_owned()))
}

/// A comma-separated list.
fn words<T>(
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    text.into_iter()
        .flat_map(|text| text.split(','))
        .map(|word| parse(word.trim()))
        .collect()
}

fn status(word: &str) -> Result<Status, Problem> {
    [Status::Open, Status::Acknowledged, Status::Resolved]
        .into_iter()
        .find(|status| status.as_str().eq_ignore_ascii_case(word))
        .ok_or_else(|| {
            Problem::bad_request(format!(
                "status {} is none of OPEN, ACKNOWLEDGED, RESOLVED",
                visible(word)
            ))
        })
}

fn severity(word: &str) -> Result<Severity, Problem> {
    [Severity::High, Severity::Critical]
        .into_iter()
        .find(|severity| severity.as_str().eq_ignore_ascii_case(word))
        .ok_or_else(|| {
            let word = visible(word);
            Problem::bad_request(format!("severity {word} is none of High, Critical"))
        })
}

fn kind(word: &str) -> Result<IncidentKind, Problem> {
    match word {
        "metrics" => Ok(IncidentKind::Metrics),
        "availability" => Ok(IncidentKind::Availability),
        _ => Err(Problem::bad_request(format!(
            "kind {} is none of metrics, availability",
            visible(word)
        ))),
    }
}

/// Newest number first, unless another order is named.
fn sort(text: Option<&str>) -> Result<Sort, Problem> {
    let Some(text) = text else {
        return Ok(Sort::default());
    };
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let by = SortBy::ALL.into_iter().find(|by| by.as_str() == name);
    by.map(|by| Sort { by, descending }).ok_or_else(|| {
        Problem::bad_request(format!(
            "sort {} is none of {}; put - in front to begin with the greatest",
            visible(text),
            SortBy::ALL.map(SortBy::as_str).join(", ")
        ))
    })
}

/// One incident with its explanation, logs and timeline.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = u64, Path, description = "Its number.", minimum = 1, example = 1)),
    responses(
        (status = 200, description = "The incident.", body = IncidentView,
            headers(("etag" = String, description = "Its revision, for If-Match."))),
        NotThere,
))]
pub async fn get(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(whole(stored(&api, number(&id)?).await?))
}

/// An incident with everything, and its revision as the entity tag.
fn whole(incident: Incident) -> Response {
    let tag = format!("\"{}\"", incident.revision());
    let body = Json(IncidentView::of(incident, true));
    ([(header::ETAG, tag)], body).into_response()
}

/// The revision that a caller has seen, where the request says so.
fn expected(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(tag) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = tag.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.trim_matches('"').parse();
    number.map(Some).map_err(|_| {
        Problem::bad_request(format!(
            "If-Match is {}; it must be the ETag of the incident, such as \"3\"",
            visible(text)
        ))
    })
}

async fn stored(api: &Api, id: IncidentId) -> Result<Incident, Problem> {
    let found = api.storage.database.incident(id).await;
    let found = found.map_err(|error| Problem::internal("reading the incident", &error))?;
    found.ok_or_else(|| no_such_incident(id))
}

fn no_such_incident(id: IncidentId) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such incident").detail(format!(
        "there is no incident {id}; GET /api/v1/incidents lists them"
    ))
}

fn number(text: &str) -> Result<IncidentId, Problem> {
    text.parse()
        .map(IncidentId)
        .map_err(|_| Problem::bad_request(format!("{} is no incident number", visible(text))))
}
