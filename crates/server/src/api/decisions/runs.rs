//! Whether ticks were evaluated at an instant, and how far what they decided reaches.

use std::time::Duration;

use domain::Timestamp;
use store::{Run, RunAt};

use super::failed;
use crate::api::Api;
use crate::api::problem::Problem;
use crate::clock;
use crate::collecting::shifted;

/// Clocks that ask may run ahead of ours by this much.
const AHEAD: Duration = Duration::from_secs(5);

/// What is known of an instant.
pub enum Evaluated {
    /// The newest tick before it was at or before `until`.
    Yes { run: Run, until: Timestamp },
    /// Nobody can have evaluated it.
    Future { newest: Option<Timestamp> },
    No {
        before: Option<Run>,
        after: Option<Run>,
    },
}

/// The runs of ticks, with the one that was asked for last.
pub struct Runs<'a> {
    api: &'a Api,
    last: Option<Run>,
}

impl<'a> Runs<'a> {
    pub fn of(api: &'a Api) -> Runs<'a> {
        Runs { api, last: None }
    }

    pub async fn at(&self, at: Timestamp) -> Result<Evaluated, Problem> {
        if at > source_now(self.api) + AHEAD {
            return Ok(Evaluated::Future {
                newest: self.api.snapshot().at,
            });
        }
        let database = &self.api.storage.database;
        let found = database.run_at(at).await.map_err(|error| failed(&error))?;
        Ok(match found {
            RunAt::Within(run) => Evaluated::Yes { run, until: at },
            RunAt::Outside {
                before: Some(run), ..
            } if at < run.last + self.reach(run) => Evaluated::Yes {
                run,
                until: run.last,
            },
            RunAt::Outside { before, after } => Evaluated::No { before, after },
        })
    }

    /// The end of a decision whose successor is `next`: it doesn't outlive its process. None if it
    /// still holds.
    pub async fn end(
        &mut self,
        from: Timestamp,
        next: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, Problem> {
        let same = self.last.filter(|run| from >= run.from && from <= run.last);
        let run = match same {
            Some(run) => Some(run),
            None => {
                let database = &self.api.storage.database;
                match database
                    .run_at(from)
                    .await
                    .map_err(|error| failed(&error))?
                {
                    RunAt::Within(run) => Some(run),
                    RunAt::Outside { .. } => None,
                }
            }
        };
        self.last = run;
        Ok(run.map_or(next, |run| end_within(run, next)))
    }

    /// How long after its last tick a run still says what holds: until the next tick was due, and
    /// while it is under way, until that can have been evaluated.
    fn reach(&self, run: Run) -> Duration {
        let config = self.api.config();
        match run.is_under_way {
            true => config.evaluation_delay + 3 * config.tick,
            false => config.tick,
        }
    }
}

/// The end of a decision of a run whose successor is `next`.
pub fn end_within(run: Run, next: Option<Timestamp>) -> Option<Timestamp> {
    match next {
        Some(next) if next <= run.last => Some(next),
        // It may have gone on since it was read.
        next if run.is_under_way => next,
        _ => Some(run.last),
    }
}

/// The source's clock, by which instants are evaluated.
pub fn source_now(api: &Api) -> Timestamp {
    shifted(clock::now(), api.snapshot().skew)
}
