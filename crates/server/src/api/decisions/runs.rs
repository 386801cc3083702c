//! Whether ticks were evaluated at an instant, and how far what they decided reaches.

use std::time::Duration;

use domain::Timestamp;
use store::{Run, RunAt};

use super::failed;
use crate::api::Api;
use crate::api::problem::Problem;
use crate::clock;

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
    /// The newest tick of this process.
    newest: Option<Timestamp>,
    last: Option<Run>,
}

impl<'a> Runs<'a> {
    pub fn of(api: &'a Api) -> Runs<'a> {
        Runs {
            api,
            newest: api.snapshot().at,
            last: None,
        }
    }

    pub async fn at(&self, at: Timestamp) -> Result<Evaluated, Problem> {
        let there = source_now(clock::now(), self.api.snapshot().skew);
        if at > there + AHEAD {
            return Ok(Evaluated::Future {
                newest: self.newest,
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
        Ok(run.map_or(next, |run| self.end_within(run, next)))
    }

    pub fn end_within(&self, run: Run, next: Option<Timestamp>) -> Option<Timestamp> {
        match next {
            Some(next) if next <= run.last => Some(next),
            // Of the run under way, the newest may not have been read yet.
            next if self.is_under_way(run) => next,
            _ => Some(run.last),
        }
    }

    fn is_under_way(&self, run: Run) -> bool {
        let newest = self.newest;
        newest.is_some_and(|newest| newest >= run.from && newest <= run.last)
    }

    /// How long after its last tick a run still says what holds: until the next tick was due, and
    /// while it is under way, until that can have been evaluated.
    fn reach(&self, run: Run) -> Duration {
        let config = self.api.config();
        match self.is_under_way(run) {
            true => config.evaluation_delay + 3 * config.tick,
            false => config.tick,
        }
    }
}

/// The source's clock, by which instants are evaluated.
fn source_now(now: Timestamp, skew: jiff::SignedDuration) -> Timestamp {
    match skew.is_negative() {
        true => now - skew.unsigned_abs(),
        false => now + skew.unsigned_abs(),
    }
}
