//! What happens, from words: `at TIME` with courses of series, processes, the source, events and the
//! commands of operators.

use std::time::Duration;

use domain::{Gap, IncidentId, PostedEvent, SeriesId, Timestamp};
use incident::{CommandKind, SnoozeUntil};

use super::clauses;
use super::parser::{Parser, SEVERITIES, auto_resolve, instances, knob, positive, voice};
use super::script::{Course, Happening, Knob, Moment, Order, Wish};
use super::words::{Block, ParseError, Word, Words};

const ORDERS: [&str; 7] = [
    "ack", "resolve", "reopen", "assign", "snooze", "comment", "severity",
];
const REFUSALS: [(&str, &str); 5] = [
    ("unknown", "unknown"),
    ("already_resolved", "already_resolved"),
    ("stale", "stale"),
    ("not_gone", "not_gone"),
    ("snooze_in_the_past", "snooze_in_the_past"),
];

impl Parser {
    /// `at TIME` with one thing on its line, or several on the lines below.
    pub fn at(
        &mut self,
        words: &mut Words<'_>,
        block: &Block,
        file: &str,
    ) -> Result<(), ParseError> {
        let at = words.duration("a time")?;
        if !words.is_done() {
            let taken = words.taken();
            let rest = block.all_words().split_off(taken);
            return self.moment(at, block.line, rest, file);
        }
        if block.below.is_empty() {
            return Err(words.wrong("nothing happens; say what, here or on indented lines below"));
        }
        for line in &block.below {
            self.moment(at, line.line, line.all_words(), file)?;
        }
        Ok(())
    }

    fn moment(
        &mut self,
        at: Duration,
        line: usize,
        all: Vec<Word>,
        file: &str,
    ) -> Result<(), ParseError> {
        let mut words = Words::new(file, line, all);
        if words.skip("expect") {
            return clauses::expectation(self, &mut words, Some(at));
        }
        let what = self.happening(&mut words)?;
        words.end()?;
        self.story.moments.push(Moment { line, at, what });
        Ok(())
    }

    fn happening(&mut self, words: &mut Words<'_>) -> Result<Happening, ParseError> {
        let right = format!(
            "a series such as payments.cpu, or one of restart, replicas, gone, back, outage, \
             healthy, say, hush, post, reload, decide, auto_resolve, retrain, {}, expect",
            ORDERS.join(", ")
        );
        let head = words.take(&right)?;
        Ok(match head.as_str() {
            "restart" => Happening::Restart {
                service: self.service_named(words)?,
                version: if words.skip("version") {
                    Some(words.take("a version")?.into())
                } else {
                    None
                },
            },
            "replicas" => Happening::Replicas {
                service: self.service_named(words)?,
                instances: instances(words)?,
            },
            "gone" => Happening::Gone {
                service: self.service_named(words)?,
                lasts: lasts(words)?,
            },
            "back" => Happening::Back {
                service: self.service_named(words)?,
            },
            "outage" => Happening::Outage {
                lasts: lasts(words)?,
            },
            "healthy" => Happening::Healthy,
            "say" => Happening::Say {
                service: self.service_named(words)?,
                voice: voice(words)?,
                lasts: lasts(words)?,
            },
            "hush" => Happening::Hush {
                service: self.service_named(words)?,
                text: words.text_if_any(),
                lasts: lasts(words)?,
            },
            "post" => self.post(words)?,
            "reload" => Happening::Reload(None),
            "decide" => Happening::Reload(Some(knob(words)?)),
            "auto_resolve" => Happening::Reload(Some(Knob::AutoResolve(auto_resolve(words)?))),
            "retrain" => Happening::Retrain,
            order if ORDERS.contains(&order) => Happening::Command(command(order, words)?),
            other if other.contains('.') => {
                let series = self.series_of(other, words)?;
                course(series, words)?
            }
            other => return Err(words.unknown(other, &right)),
        })
    }

    /// `post deploy service=payments version=2.0`.
    fn post(&self, words: &mut Words<'_>) -> Result<Happening, ParseError> {
        let kind = words.take("the kind of the event, such as deploy")?;
        let mut event = PostedEvent {
            id: 0,
            key: None,
            at: Timestamp::EPOCH,
            kind,
            service: None,
            title: None,
            version: None,
            link: None,
            by: None,
        };
        let mut happened = None;
        while !words.is_done() {
            let right = "service=…, version=…, key=…, by=…, at=…, or title \"…\"";
            if words.skip("title") {
                event.title = Some(words.text("the title")?);
                continue;
            }
            let word = words.take(right)?;
            let pair = word.split_once('=');
            let (name, value) = pair.ok_or_else(|| words.unknown(&word, right))?;
            let text = Some(value.to_owned());
            match name {
                "service" => {
                    let word = Word {
                        line: words.line(),
                        text: value.to_owned(),
                        quoted: false,
                    };
                    let mut one = Words::new(&self.story.file, words.line(), vec![word]);
                    event.service = Some(self.service_named(&mut one)?);
                }
                "version" => event.version = text,
                "key" => event.key = text,
                "by" => event.by = text,
                "at" => {
                    let refused = || words.unknown(&word, "at=TIME, such as at=10m");
                    let span: simulator::Span = value.parse().map_err(|_| refused())?;
                    happened = Some(Duration::from_millis(span.as_millis().unsigned_abs()));
                }
                _ => return Err(words.unknown(&word, right)),
            }
        }
        Ok(Happening::Post {
            event: Box::new(event),
            happened,
        })
    }
}

/// `for 10m`.
fn lasts(words: &mut Words<'_>) -> Result<Option<Duration>, ParseError> {
    let has = words.skip("for");
    has.then(|| words.duration("how long")).transpose()
}

/// What follows a series: `-> 92 for 12m`, `ramps to 95 over 40m`, `flaps 90 30 every 45s`,
/// `gap no_data for 5m`.
fn course(series: SeriesId, words: &mut Words<'_>) -> Result<Happening, ParseError> {
    let right =
        "-> VALUE, -> normal, ramps to VALUE over TIME, flaps A B every TIME, or gap REASON";
    let course = match words.take(right)?.as_str() {
        "->" if words.skip("normal") => Course::Normal,
        "->" => Course::Level(words.number("the new level, or normal,")?),
        "ramps" => {
            words.must("to")?;
            let to = words.number("the level it rises or falls to")?;
            words.must("over")?;
            let over = positive(words, "how long that takes")?;
            Course::Ramp { to, over }
        }
        "flaps" => {
            let values = (words.number("one level")?, words.number("the other level")?);
            words.must("every")?;
            let every = positive(words, "the time between two changes")?;
            Course::Flap { values, every }
        }
        "gap" => {
            let ends = ("none", None);
            let gaps = Gap::ALL.into_iter().map(|gap| (gap.as_str(), Some(gap)));
            let choices: Vec<(&str, Option<Gap>)> = gaps.chain([ends]).collect();
            let gap = words.one_of("the reason of the gap", &choices)?;
            let lasts = lasts(words)?;
            return Ok(Happening::Gap { series, gap, lasts });
        }
        other => return Err(words.unknown(other, right)),
    };
    let lasts = lasts(words)?;
    Ok(Happening::Course {
        series,
        course,
        lasts,
    })
}

/// `#1 … by kim "a note" refused stale`.
fn command(order: &str, words: &mut Words<'_>) -> Result<Order, ParseError> {
    let incident = words.incident()?;
    let kind = match order {
        "ack" => CommandKind::Acknowledge,
        "resolve" => CommandKind::Resolve {
            decommissioned: words.skip("decommissioned"),
        },
        "reopen" => CommandKind::Reopen,
        "assign" => {
            words.must("to")?;
            let owner = words.take("a name, or nobody")?;
            CommandKind::Assign {
                owner: (owner != "nobody").then_some(owner),
            }
        }
        "snooze" if words.skip("now") => CommandKind::Snooze {
            until: SnoozeUntil::Now,
        },
        "snooze" => {
            words.must("until")?;
            if !words.skip("change") {
                let until = words.duration("a time, or change,")?;
                return finish_order(words, incident, Wish::SnoozeUntil(until));
            }
            CommandKind::Snooze {
                until: SnoozeUntil::Change,
            }
        }
        "comment" => CommandKind::Comment,
        _ => CommandKind::SetSeverity {
            severity: if words.skip("computed") {
                None
            } else {
                Some(words.one_of("a severity, or computed", &SEVERITIES)?)
            },
        },
    };
    finish_order(words, incident, Wish::Plain(kind))
}

fn finish_order(
    words: &mut Words<'_>,
    incident: IncidentId,
    kind: Wish,
) -> Result<Order, ParseError> {
    words.must("by")?;
    let mut order = Order {
        incident,
        by: words.take("who asks for it")?,
        kind,
        note: words.text_if_any(),
        seen: None,
        refused: None,
    };
    if words.skip("seen") {
        order.seen = Some(words.count("the revision that was seen")?);
    }
    if words.skip("refused") {
        order.refused = Some(words.one_of("why it is refused", &REFUSALS)?);
    }
    if order.kind == Wish::Plain(CommandKind::Comment) && order.note.is_none() {
        return Err(words.wrong("a comment has no words; add them in quotation marks"));
    }
    Ok(order)
}
