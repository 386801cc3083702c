//! `GET /api/v1/datasets/download`: a file of a series as CSV, written anew row by row, so that no
//! cell is anything but a time, a number or one of our words, whatever an editor put into the file.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::{Part, SeriesId, Timestamp};
use futures_util::stream;
use serde::Deserialize;
use store::{DatasetError, Rows, csv_header, write_csv};
use utoipa::IntoParams;

use super::super::Api;
use super::super::openapi::{OfService, PartWord};
use super::super::problem::Problem;
use super::part;

/// Bytes that are read ahead of a client.
const CHUNK_BYTES: usize = 64 << 10;
const NAME_CHARS_MAX: usize = 100;

/// Which file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// An id of `GET /services`, a bare name where that is unique, or a service of the past.
    #[param(
        required = true,
        min_length = 1,
        max_length = 1024,
        example = "payments"
    )]
    service: Option<String>,
    /// The id of a metric.
    #[param(required = true, min_length = 1, max_length = 64, example = "lat")]
    metric: Option<String>,
    /// `history` or `anomaly`.
    #[param(value_type = Option<PartWord>, default = "history")]
    part: Option<String>,
}

/// A dataset as CSV.
#[utoipa::path(get, path = "/api/v1/datasets/download", tag = "datasets", params(Parameters), responses(
    (status = 200, description = "All rows, oldest first, below a line with the names of the columns.", body = String, content_type = "text/csv"),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Problem> {
    let part = part(parameters.part.as_deref().unwrap_or("history"))?;
    let (service, metric) = (parameters.service.as_deref(), parameters.metric.as_deref());
    let series = api.known_series(service, metric).await?;
    let name = file_name(&series, part);
    let storage = Arc::clone(&api.storage);
    let (first, last) = (
        Timestamp::from_millis(i64::MIN),
        Timestamp::from_millis(i64::MAX),
    );
    let open = move || Rows::open(storage.data_dir.paths(), &series, Some(part), first, last);
    let rows = api.read_datasets("opening the dataset", open).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    let chunks = stream::unfold(Some((rows, csv_header())), next_chunk);
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// The next part of the answer and what is left; only as fast as the client reads.
async fn next_chunk(
    left: Option<(Rows, String)>,
) -> Option<(io::Result<Bytes>, Option<(Rows, String)>)> {
    let (mut rows, mut text) = left?;
    let read = tokio::task::spawn_blocking(move || {
        let ended = fill(&mut rows, &mut text)?;
        Ok::<_, DatasetError>((text, (!ended).then_some(rows)))
    });
    let read = read.await.map_err(io::Error::other);
    let failed = |error: DatasetError| {
        tracing::error!(error = %crate::tick::chain(&error), "a download broke off");
        io::Error::other("the dataset can't be read")
    };
    match read.and_then(|read| read.map_err(failed)) {
        Ok((text, rows)) => Some((Ok(text.into()), rows.map(|rows| (rows, String::new())))),
        // A broken connection says that the file isn't whole.
        Err(error) => Some((Err(error), None)),
    }
}

/// Appends rows until there is a chunk; says whether that was all.
fn fill(rows: &mut Rows, text: &mut String) -> Result<bool, DatasetError> {
    while text.len() < CHUNK_BYTES {
        match rows.next().transpose()? {
            Some((row, _)) => write_csv(&row, text),
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// A name that any system takes, and no header is broken by.
fn file_name(series: &SeriesId, part: Part) -> String {
    let plain = |c: char| match c {
        c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') => c,
        _ => '_',
    };
    let service: String = series.service.as_str().chars().map(plain).collect();
    let service: String = service.chars().take(NAME_CHARS_MAX).collect();
    format!("{service}-{}-{}.csv", series.metric, part.as_str())
}

#[cfg(test)]
mod tests {
    use domain::{MetricId, ServiceId};

    use super::*;

    #[test]
    fn a_file_name_is_plain_whatever_the_service_is_called() {
        for (service, name) in [
            ("pay", "pay-cpu-history.csv"),
            ("../../etc/x", "______etc_x-cpu-history.csv"),
            ("a\"\r\nSet-Cookie: b", "a___Set-Cookie__b-cpu-history.csv"),
            ("=cmd|' /C calc'!A0", "_cmd____C_calc__A0-cpu-history.csv"),
        ] {
            let series = SeriesId::new(
                ServiceId::new(service).unwrap(),
                MetricId::new("cpu").unwrap(),
            );
            assert_eq!(file_name(&series, Part::History), name);
        }
        let long = ServiceId::new(&"x".repeat(1_000)).unwrap();
        let series = SeriesId::new(long, MetricId::new("cpu").unwrap());
        assert!(file_name(&series, Part::History).len() < 130);
    }
}
