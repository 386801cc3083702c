//! `GET /api/v1/sparklines`: the shape of every series over a while, in few numbers, for a page that
//! shows them all.
//!
//! What one answer takes of the disk is read once between two ticks, whoever asks for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::{Direction, Part, Row, SeriesId, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{DatasetError, Paths, Rows};
use tokio::sync::OnceCell;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::openapi::{Instant, OfService, Time};
use super::parameters::optional_time;
use super::problem::Problem;
use crate::clock;

const RANGE: Duration = Duration::from_secs(3_600);
const RANGE_MAX: Duration = Duration::from_secs(7 * 86_400);
const POINTS: usize = 40;
const POINTS_MIN: usize = 2;
const POINTS_MAX: usize = 200;
/// Samples that one answer looks at.
const SAMPLES_MAX: usize = 4_000_000;
/// Answers that are kept; the largest has 8 MB.
const KEPT_MAX: usize = 4;

/// Which series, and which part of their past.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// One hour before `to` where it is missing; RFC 3339 or epoch seconds.
    #[param(value_type = Option<Instant>)]
    from: Option<String>,
    /// The newest evaluation where it is missing; 7 days after `from` at most.
    #[param(value_type = Option<Instant>)]
    to: Option<String>,
    /// The most values of a series.
    #[param(minimum = 2, maximum = 200, default = 40)]
    points: Option<usize>,
    /// An id of `GET /services`, or a bare name where that is unique; all where it is missing.
    #[param(min_length = 1, max_length = 1024)]
    service: Option<String>,
}

/// The shape of every watched series.
#[derive(Serialize, ToSchema)]
pub struct Sparklines {
    /// Where the first stretch begins and the last one ends: on the epoch's grid, so that a line
    /// only moves from stretch to stretch.
    #[schema(value_type = Time)]
    from: Timestamp,
    #[schema(value_type = Time)]
    to: Timestamp,
    /// The length of a stretch, which is a tick at least.
    step_seconds: f64,
    /// By service and metric.
    items: Vec<Sparkline>,
}

/// The shape of a series.
#[derive(Serialize, ToSchema)]
struct Sparkline {
    service: String,
    metric: String,
    /// Of each stretch the sample that is worst in the direction in which the metric is bad; where
    /// both are, the one farthest from what was expected. Four digits; null where there is none.
    values: Vec<Option<f64>>,
}

/// Stretches of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    from: Timestamp,
    step: Duration,
    count: usize,
}

/// The newest answers.
#[derive(Default)]
pub struct Answers(Mutex<VecDeque<(Asked, Answer)>>);

type Answer = Arc<OnceCell<Bytes>>;

/// What an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    evaluated: Option<Timestamp>,
    grid: Grid,
    service: Option<ServiceId>,
}

/// The shape of every series.
#[utoipa::path(get, path = "/api/v1/sparklines", tag = "services", params(Parameters), responses(
    (status = 200, description = "All watched series, on one page.", body = Sparklines),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Problem> {
    let snapshot = api.snapshot();
    let newest = snapshot.at.unwrap_or_else(clock::now);
    let grid = grid(&parameters, newest, api.config().tick)?;
    let service = parameters.service.as_deref();
    let service = service.map(|text| api.service(&snapshot, Some(text)));
    let asked = Asked {
        evaluated: snapshot.at,
        grid,
        service: service.transpose()?,
    };
    let answer = api.sparklines.of(&asked);
    let body = answer.get_or_try_init(|| draw(&api, &asked)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body.clone()).into_response())
}

/// The stretches that are asked for, of which the last one has the end in it.
fn grid(parameters: &Parameters, newest: Timestamp, tick: Duration) -> Result<Grid, Problem> {
    let points = parameters.points.unwrap_or(POINTS);
    if !(POINTS_MIN..=POINTS_MAX).contains(&points) {
        return Err(Problem::bad_request(format!(
            "points is {points}; it must be {POINTS_MIN} to {POINTS_MAX}"
        )));
    }
    let to = optional_time("to", parameters.to.as_deref())?.unwrap_or(newest);
    let from = optional_time("from", parameters.from.as_deref())?.unwrap_or(to - RANGE);
    if from > to {
        return Err(Problem::bad_request("from is after to"));
    }
    let range = to.since(from);
    if range > RANGE_MAX {
        return Err(Problem::bad_request(
            "from is more than 7 days before to; ask for a shorter range",
        ));
    }
    let seconds = range.as_secs().div_ceil(points as u64).max(1);
    let step = Duration::from_secs(seconds).max(tick);
    let count = range.as_millis().div_ceil(step.as_millis().max(1));
    let count = usize::try_from(count).unwrap_or(points).clamp(1, points);
    let past = step * u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Grid {
        from: to.floor_to(step) + step - past,
        step,
        count,
    })
}

impl Grid {
    fn to(&self) -> Timestamp {
        self.from + self.step * u32::try_from(self.count).unwrap_or(u32::MAX)
    }

    fn place(&self, at: Timestamp) -> Option<usize> {
        let number = at.since(self.from).as_millis() / self.step.as_millis().max(1);
        let number = usize::try_from(number).ok()?;
        (at >= self.from && number < self.count).then_some(number)
    }
}

impl Answers {
    /// The answer to a question, made or not; those of earlier ticks and the oldest go.
    fn of(&self, asked: &Asked) -> Answer {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| other.evaluated == asked.evaluated);
        if let Some((_, answer)) = kept.iter().find(|(other, _)| other == asked) {
            return Arc::clone(answer);
        }
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        let answer = Answer::default();
        kept.push_back((asked.clone(), Arc::clone(&answer)));
        answer
    }
}

async fn draw(api: &Api, asked: &Asked) -> Result<Bytes, Problem> {
    let (snapshot, config, grid) = (api.snapshot(), api.config(), asked.grid);
    let views = snapshot.services.values();
    let wanted = |service: &ServiceId| asked.service.as_ref().is_none_or(|only| only == service);
    let findings = views.flat_map(|view| &view.findings);
    let findings = findings.filter(|finding| wanted(&finding.series.service));
    let series: Vec<(SeriesId, Direction)> = findings
        .filter_map(|finding| {
            let spec = config.metrics.get(&finding.series.metric)?;
            Some((finding.series.clone(), spec.direction))
        })
        .collect();
    let ticks = grid.to().since(grid.from).as_millis() / config.tick.as_millis().max(1);
    let too_many = || {
        Problem::bad_request(format!(
            "from {} to {} there are more than {SAMPLES_MAX} samples; ask for a shorter range, or for one service",
            grid.from,
            grid.to()
        ))
    };
    if ticks.saturating_mul(series.len() as u128) > SAMPLES_MAX as u128 {
        return Err(too_many());
    }
    let storage = Arc::clone(&api.storage);
    let read = move || read(storage.data_dir.paths(), series, grid);
    let read = api.read_datasets("reading the sparklines", read).await?;
    let items = read.ok_or_else(too_many)?;
    let sparklines = Sparklines {
        from: grid.from,
        to: grid.to(),
        step_seconds: grid.step.as_secs_f64(),
        items,
    };
    let body = serde_json::to_vec(&sparklines);
    let body = body.map_err(|error| Problem::internal("writing the sparklines", &error))?;
    Ok(body.into())
}

/// None where there are too many samples.
fn read(
    paths: &Paths,
    series: Vec<(SeriesId, Direction)>,
    grid: Grid,
) -> Result<Option<Vec<Sparkline>>, DatasetError> {
    let mut samples_left = SAMPLES_MAX;
    let mut items = Vec::with_capacity(series.len());
    let last = grid.to() - Duration::from_millis(1);
    for (series, direction) in series {
        let rows = Rows::open(paths, &series, None, grid.from, last)?;
        let Some(values) = values(rows, grid, direction, &mut samples_left)? else {
            return Ok(None);
        };
        items.push(Sparkline {
            service: series.service.to_string(),
            metric: series.metric.to_string(),
            values,
        });
    }
    Ok(Some(items))
}

/// Of each stretch the worst value; none where there are more than `samples_left`.
fn values(
    rows: impl Iterator<Item = Result<(Row, Part), DatasetError>>,
    grid: Grid,
    direction: Direction,
    samples_left: &mut usize,
) -> Result<Option<Vec<Option<f64>>>, DatasetError> {
    let mut worst: Vec<Option<Row>> = vec![None; grid.count];
    for row in rows {
        let (row, _) = row?;
        if *samples_left == 0 {
            return Ok(None);
        }
        *samples_left -= 1;
        if let Some(place) = grid.place(row.timestamp)
            && worst[place].is_none_or(|than| is_worse(&row, &than, direction))
        {
            worst[place] = Some(row);
        }
    }
    let rounded = |row: Option<Row>| row.map(|row| four_digits(row.value));
    Ok(Some(worst.into_iter().map(rounded).collect()))
}

/// Of two that are as bad, the later.
fn is_worse(row: &Row, than: &Row, direction: Direction) -> bool {
    let distance = |row: &Row| {
        row.band
            .map_or(0.0, |band| (row.value - band.expected).abs())
    };
    match direction {
        Direction::Up => row.value >= than.value,
        Direction::Down => row.value <= than.value,
        Direction::Both => distance(row) >= distance(than),
    }
}

/// More can't be seen, and would be most of the answer.
fn four_digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use domain::{Band, Prediction, Severity};

    use super::*;

    const START_MS: i64 = 1_795_348_800_000;
    const TICK: Duration = Duration::from_secs(15);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(START_MS + seconds * 1_000)
    }

    fn row(seconds: i64, value: f64, expected: Option<f64>) -> Row {
        Row {
            timestamp: at(seconds),
            value,
            severity: Severity::Normal,
            prediction: Prediction::Normal,
            score: None,
            features: None,
            band: expected.map(|expected| Band {
                expected,
                lower: expected,
                upper: expected,
            }),
        }
    }

    fn asked(from: Option<i64>, to: Option<i64>, points: Option<usize>) -> Parameters {
        let text = |seconds: i64| at(seconds).to_string();
        Parameters {
            from: from.map(text),
            to: to.map(text),
            points,
            service: None,
        }
    }

    fn drawn(rows: &[Row], direction: Direction) -> Vec<Option<f64>> {
        let grid = Grid {
            from: at(0),
            step: Duration::from_secs(60),
            count: 3,
        };
        let rows = rows.iter().map(|row| Ok((*row, Part::History)));
        values(rows, grid, direction, &mut 100).unwrap().unwrap()
    }

    #[test]
    fn the_last_hour_is_forty_stretches_on_the_grid() {
        let grid = grid(&asked(None, None, None), at(10), TICK).unwrap();
        assert_eq!((grid.count, grid.step), (40, Duration::from_secs(90)));
        assert_eq!(grid.from.floor_to(grid.step), grid.from);
        assert_eq!(grid.place(at(10)), Some(39));
        assert!(grid.to() > at(10) && grid.to().since(at(10)) <= grid.step);
    }

    #[test]
    fn lines_move_from_stretch_to_stretch_only() {
        let of = |now| grid(&asked(None, None, None), at(now), TICK).unwrap();
        assert_eq!(of(15), of(30));
        assert_ne!(of(15), of(105));
    }

    #[test]
    fn no_stretch_is_shorter_than_a_tick() {
        let of = |from, points| grid(&asked(Some(from), Some(0), points), at(0), TICK).unwrap();
        assert_eq!((of(-60, None).count, of(-60, None).step), (4, TICK));
        assert_eq!(of(0, None).count, 1);
        assert_eq!(of(-86_400, Some(200)).step, Duration::from_secs(432));
        assert_eq!(of(-86_400, Some(200)).count, 200);
    }

    #[test]
    fn what_can_not_be_drawn_is_refused() {
        let refused = |parameters| grid(&parameters, at(0), TICK).is_err();
        assert!(refused(asked(None, None, Some(1))));
        assert!(refused(asked(None, None, Some(201))));
        assert!(refused(asked(Some(1), Some(0), None)));
        assert!(refused(asked(Some(-8 * 86_400), Some(0), None)));
    }

    #[test]
    fn the_worst_in_the_bad_direction_stands_for_its_stretch() {
        let rows = [
            row(0, 5.0, Some(5.0)),
            row(20, 9.0, Some(5.0)),
            row(59, 0.5, Some(5.0)),
            row(120, 7.0, None),
        ];
        assert_eq!(drawn(&rows, Direction::Up), [Some(9.0), None, Some(7.0)]);
        assert_eq!(drawn(&rows, Direction::Down), [Some(0.5), None, Some(7.0)]);
        assert_eq!(drawn(&rows, Direction::Both), [Some(0.5), None, Some(7.0)]);
    }

    #[test]
    fn rows_outside_and_a_failed_file_are_not_drawn() {
        assert_eq!(
            drawn(&[row(-1, 1.0, None), row(180, 1.0, None)], Direction::Up),
            [None; 3]
        );
        let grid = grid(&asked(None, None, None), at(0), TICK).unwrap();
        let rows = || (0..3).map(|second| Ok((row(-second, 1.0, None), Part::History)));
        assert_eq!(values(rows(), grid, Direction::Up, &mut 2).unwrap(), None);
    }

    #[test]
    fn four_digits_are_exact_decimals() {
        for (value, shown) in [
            (187.06164, "187.1"),
            (0.000_123_456, "0.0001235"),
            (12_345_678.0, "12350000"),
            (-99.995, "-100"),
            (0.0, "0"),
        ] {
            assert_eq!(four_digits(value).to_string(), shown);
        }
    }

    #[test]
    fn a_question_is_answered_once_between_two_ticks() {
        let answers = Answers::default();
        let of = |second, points| Asked {
            evaluated: Some(at(second)),
            grid: grid(&asked(None, Some(0), Some(points)), at(0), TICK).unwrap(),
            service: None,
        };
        let first = answers.of(&of(0, 40));
        assert!(Arc::ptr_eq(&first, &answers.of(&of(0, 40))));
        assert!(!Arc::ptr_eq(&first, &answers.of(&of(0, 20))));
        for points in 50..70 {
            answers.of(&of(0, points));
        }
        assert_eq!(answers.0.lock().unwrap().len(), KEPT_MAX);
        assert!(!Arc::ptr_eq(&first, &answers.of(&of(15, 40))));
        assert_eq!(answers.0.lock().unwrap().len(), 1);
    }
}
