//! Reading: which series fulfil conditions, and their samples one series after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chunk::{Birth, Chunk, Cursor};
use super::column::is_hole;
use super::names::NameId;
use super::target::Target;
use super::{Store, read};
use crate::{Labels, Matcher, Sample, SeriesSource};

impl SeriesSource for Store {
    fn select(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        visit: &mut dyn FnMut(&Labels, &[Sample]),
    ) {
        if from_ms > to_ms {
            return;
        }
        let _reading = read(&self.reading);
        let candidates = read(&self.names).candidates(matchers);
        let mut by_target: BTreeMap<u32, Vec<NameId>> = BTreeMap::new();
        let mut shared: BTreeMap<NameId, Vec<u32>> = BTreeMap::new();
        for candidate in candidates {
            if candidate.shared {
                shared
                    .entry(candidate.name)
                    .or_default()
                    .push(candidate.target);
            } else {
                by_target
                    .entry(candidate.target)
                    .or_default()
                    .push(candidate.name);
            }
        }
        for (slot, names) in by_target {
            self.show(slot, &names, from_ms, to_ms, &mut |name, samples| {
                visit(&name, samples);
            });
        }
        for (name, slots) in shared {
            // One series, of which two targets have had samples, mostly one after the other.
            let mut merged: BTreeMap<i64, f64> = BTreeMap::new();
            for slot in slots {
                self.show(slot, &[name], from_ms, to_ms, &mut |_, samples| {
                    merged.extend(samples.iter().map(|sample| (sample.time_ms, sample.value)));
                });
            }
            let sample = |(time_ms, value)| Sample { time_ms, value };
            let samples: Vec<Sample> = merged.into_iter().map(sample).collect();
            if !samples.is_empty() {
                let labels = read(&self.names).labels(name);
                visit(&labels, &samples);
            }
        }
    }
}

/// What is read of a target: its chunks, and copies of the columns that aren't sealed.
struct View {
    chunks: Vec<Arc<Chunk>>,
    times: Vec<i64>,
    /// A value or hole for each of the times, one series after the other.
    values: Vec<f64>,
    series: Vec<(Birth, NameId)>,
}

impl View {
    fn of(target: &Target, names: &[NameId], from_ms: i64, to_ms: i64) -> View {
        let state = read(&target.state);
        let birth = |name: &NameId| state.birth_of(*name).map(|birth| (birth, *name));
        let mut series: Vec<(Birth, NameId)> = names.iter().filter_map(birth).collect();
        series.sort_unstable();
        let within = |kept: &&super::target::Kept| {
            kept.chunk.last_ms >= from_ms && kept.chunk.first_ms <= to_ms
        };
        let chunks = state.chunks.iter().filter(within);
        let chunks = chunks.map(|kept| Arc::clone(&kept.chunk)).collect();
        let times = state.head.times();
        let rows = rows_within(times, from_ms, to_ms);
        let mut values = Vec::with_capacity(series.len() * rows.len());
        for (birth, _) in &series {
            // Series and columns are in the same order, but a search is quick.
            let column = state.position(*birth).unwrap_or(usize::MAX);
            state.head.column(column, rows.clone(), &mut values);
        }
        View {
            chunks,
            times: times[rows].to_vec(),
            values,
            series,
        }
    }
}

fn rows_within(times: &[i64], from_ms: i64, to_ms: i64) -> std::ops::Range<usize> {
    let begin = times.partition_point(|time| *time < from_ms);
    let end = times.partition_point(|time| *time <= to_ms);
    begin..end.max(begin)
}

impl Store {
    fn show(
        &self,
        slot: u32,
        names: &[NameId],
        from_ms: i64,
        to_ms: i64,
        visit: &mut dyn FnMut(Labels, &[Sample]),
    ) {
        let target = read(&self.targets)
            .slots
            .get(slot as usize)
            .and_then(|slot| slot.target.clone());
        let Some(target) = target else { return };
        let view = View::of(&target, names, from_ms, to_ms);
        let labels: Vec<Labels> = {
            let names = read(&self.names);
            view.series
                .iter()
                .map(|(_, name)| names.labels(*name))
                .collect()
        };
        let cursor = |chunk| {
            let cursor = Cursor::new(chunk);
            let rows = rows_within(cursor.times(), from_ms, to_ms);
            let times = cursor.times()[rows.clone()].to_vec();
            (cursor, rows, times)
        };
        let mut cursors: Vec<_> = view.chunks.iter().map(|chunk| cursor(&**chunk)).collect();
        let mut samples = Vec::new();
        for (at, ((birth, _), labels)) in view.series.iter().zip(labels).enumerate() {
            samples.clear();
            for (cursor, rows, times) in &mut cursors {
                if let Some(values) = cursor.column(*birth) {
                    add(times, &values[rows.clone()], &mut samples);
                }
            }
            let count = view.times.len();
            add(
                &view.times,
                &view.values[at * count..(at + 1) * count],
                &mut samples,
            );
            if !samples.is_empty() {
                visit(labels, &samples);
            }
        }
    }
}

fn add(times: &[i64], values: &[f64], samples: &mut Vec<Sample>) {
    let all = times.iter().zip(values);
    let present = all.filter(|(_, value)| !is_hole(**value));
    samples.extend(present.map(|(time_ms, value)| Sample {
        time_ms: *time_ms,
        value: *value,
    }));
}
