//! The values of one series within a block, as bits.
//!
//! Most series are whole numbers, or whole numbers of some decimal unit such as nanoseconds; their
//! steps are small or none, and often those of the series before (the buckets of a histogram are
//! sums over each other). What is left of a step after that is Rice coded, all of it or only where
//! it isn't zero. Other values are coded by their changed bits, after Pelkonen et al., "Gorilla: a
//! fast, scalable, in-memory time series database", VLDB 2015. Every bit of every value returns.

use super::bits::{
    BitReader, BitWriter, ByteReader, RICE_MAX, put_varint, rice_len, unzigzag, varint_len, zigzag,
};
use crate::{is_stale, stale_marker};

/// The bits of the NaN that stands for "no sample" where values are laid out in rows.
const HOLE: u64 = 0x7ff0_0000_0000_4e4f;

/// The value that stands for "no sample".
pub(super) fn hole() -> f64 {
    f64::from_bits(HOLE)
}

pub(super) fn is_hole(value: f64) -> bool {
    value.to_bits() == HOLE
}

/// Whole numbers are exact up to here.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

const POWERS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

// The first byte of a column: how steps are coded, two flags, and the decimal places.
const STEPS_NONE: u8 = 0;
const STEPS_DENSE: u8 = 1;
const STEPS_SPARSE: u8 = 2;
const CHANGED_BITS: u8 = 3;
const PREDICTED: u8 = 4;
const MARKED: u8 = 8;

// States of rows, where not all are values.
const VALUE: u64 = 0;
const ABSENT: u64 = 1;
const ENDED: u64 = 2;

/// The column that was coded or read last: what the next one may be predicted from.
#[derive(Clone, Debug, Default)]
pub(super) struct Previous {
    /// Empty unless it held whole numbers.
    wholes: Vec<i64>,
    scale: u8,
}

/// Working memory of [`encode`], kept between columns.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    pub(super) previous: Previous,
    values: Vec<f64>,
    wholes: Vec<i64>,
    steps: Steps,
    predicted: Steps,
}

/// The steps between the numbers of a column, without the first.
#[derive(Debug, Default)]
struct Steps {
    first: i64,
    /// As they are, or by [`zigzag`] if any is negative.
    codes: Vec<u64>,
    signed: bool,
    plan: Plan,
}

/// The cheapest way to write steps.
#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    coding: u8,
    parameter: u32,
    gap_parameter: u32,
    count: usize,
    bytes: usize,
}

impl Encoder {
    /// Appends the column with these values, holes among them; at least one is none. Returns
    /// whether the column can be read without the one before, which `alone` demands.
    pub(super) fn encode(&mut self, rows: &[f64], alone: bool, bytes: &mut Vec<u8>) -> bool {
        self.values.clear();
        let plain = |value: &f64| !is_hole(*value) && !is_stale(*value);
        self.values.extend(rows.iter().copied().filter(plain));
        let marked = if self.values.len() < rows.len() {
            MARKED
        } else {
            0
        };
        let Some(scale) = wholes_of(&self.values, &mut self.wholes) else {
            self.previous.wholes.clear();
            bytes.push(CHANGED_BITS | marked);
            put_marks(rows, bytes);
            put_changed_bits(&self.values, bytes);
            return true;
        };
        self.steps.take(self.wholes.iter().copied());
        let fits = self.previous.scale == scale && self.previous.wholes.len() == self.wholes.len();
        let mut predicted = false;
        if !alone && fits && !self.wholes.is_empty() {
            let pairs = self.wholes.iter().zip(&self.previous.wholes);
            self.predicted
                .take(pairs.map(|(value, before)| value - before));
            predicted = self.predicted.plan.bytes < self.steps.plan.bytes;
        }
        let steps = if predicted {
            &self.predicted
        } else {
            &self.steps
        };
        let flag = if predicted { PREDICTED } else { 0 };
        bytes.push(steps.plan.coding | flag | marked | scale << 4);
        put_marks(rows, bytes);
        steps.put(bytes);
        std::mem::swap(&mut self.previous.wholes, &mut self.wholes);
        self.previous.scale = scale;
        !predicted
    }
}

/// The decimal places with which all `values` are whole numbers, and those numbers.
fn wholes_of(values: &[f64], wholes: &mut Vec<i64>) -> Option<u8> {
    wholes.clear();
    let mut scale = 0;
    for value in values {
        while whole_of(*value, scale).is_none() {
            scale += 1;
            if scale == POWERS.len() {
                return None;
            }
        }
    }
    for value in values {
        wholes.push(whole_of(*value, scale)?);
    }
    Some(scale as u8)
}

/// The whole number that gives back `value` bit for bit when divided by the power of ten.
fn whole_of(value: f64, scale: usize) -> Option<i64> {
    let scaled = (value * POWERS[scale]).round();
    // Not for NaN, either.
    if !(-WHOLE_MAX..=WHOLE_MAX).contains(&scaled) {
        return None;
    }
    let whole = scaled as i64;
    (value_of(whole, scale).to_bits() == value.to_bits()).then_some(whole)
}

fn value_of(whole: i64, scale: usize) -> f64 {
    whole as f64 / POWERS[scale]
}

impl Steps {
    fn take(&mut self, mut numbers: impl Iterator<Item = i64>) {
        self.codes.clear();
        self.first = numbers.next().unwrap_or(0);
        let mut before = self.first;
        let mut all = 0;
        for number in numbers {
            let step = number - before;
            before = number;
            all |= step;
            self.codes.push(step as u64);
        }
        self.signed = all < 0;
        if self.signed {
            for code in &mut self.codes {
                *code = zigzag(*code as i64);
            }
        }
        self.plan = if all == 0 {
            Plan::default()
        } else {
            self.cheapest()
        };
        self.plan.bytes += varint_len(zigzag(self.first));
    }

    fn cheapest(&self) -> Plan {
        let (parameter, bits) = best_parameter(&self.codes, |code| Some(*code));
        let dense = Plan {
            coding: STEPS_DENSE,
            parameter,
            bytes: 1 + bits.div_ceil(8) as usize,
            ..Plan::default()
        };
        let count = self.codes.iter().filter(|code| **code != 0).count();
        if count * 3 > self.codes.len() {
            return dense;
        }
        let (parameter, bits) = best_parameter(&self.codes, |code| code.checked_sub(1));
        let mut gap_bits = 0;
        // Gaps are about geometric; the parameter follows from their mean.
        let gap_parameter = (self.codes.len() / count).ilog2().saturating_sub(1);
        self.gaps(|gap| gap_bits += rice_len(gap, gap_parameter));
        let sparse = Plan {
            coding: STEPS_SPARSE,
            parameter,
            gap_parameter,
            count,
            bytes: 2 + varint_len(count as u64) + (bits + gap_bits).div_ceil(8) as usize,
        };
        if sparse.bytes < dense.bytes {
            sparse
        } else {
            dense
        }
    }

    /// How many zeros stand before each step that is none.
    fn gaps(&self, mut each: impl FnMut(u64)) {
        let mut gap = 0;
        for code in &self.codes {
            if *code == 0 {
                gap += 1;
            } else {
                each(gap);
                gap = 0;
            }
        }
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        put_varint(bytes, zigzag(self.first));
        let plan = self.plan;
        if plan.coding == STEPS_NONE {
            return;
        }
        bytes.push(plan.parameter as u8 | u8::from(self.signed) << 7);
        if plan.coding == STEPS_SPARSE {
            bytes.push(plan.gap_parameter as u8);
            put_varint(bytes, plan.count as u64);
        }
        let mut writer = BitWriter::new(bytes);
        let mut gap = 0;
        for code in &self.codes {
            if plan.coding == STEPS_DENSE {
                writer.rice(*code, plan.parameter);
            } else if *code == 0 {
                gap += 1;
            } else {
                writer.rice(gap, plan.gap_parameter);
                writer.rice(*code - 1, plan.parameter);
                gap = 0;
            }
        }
        writer.finish();
    }
}

/// The Rice parameter for these codes and the bits it takes; what `pick` leaves out isn't written.
fn best_parameter(codes: &[u64], pick: impl Fn(&u64) -> Option<u64>) -> (u32, u64) {
    let mut sum = 0_u64;
    let mut count = 0;
    for code in codes.iter().filter_map(&pick) {
        sum = sum.saturating_add(code);
        count += 1;
    }
    let mean = sum / count.max(1);
    let about = (mean + 1).ilog2().min(RICE_MAX - 1);
    let bits = |parameter: u32| -> u64 {
        let codes = codes.iter().filter_map(&pick);
        codes.map(|code| rice_len(code, parameter)).sum()
    };
    let tried = [about.saturating_sub(1), about, about + 1];
    let costs = tried.map(|parameter| (bits(parameter), parameter));
    let (bits, parameter) = costs.into_iter().min().unwrap_or((0, 0));
    (parameter, bits)
}

/// Runs of rows that are values, holes or stale markers; nothing if all are values.
fn put_marks(rows: &[f64], bytes: &mut Vec<u8>) {
    let state = |value: &f64| match *value {
        value if is_hole(value) => ABSENT,
        value if is_stale(value) => ENDED,
        _ => VALUE,
    };
    if rows.iter().all(|value| state(value) == VALUE) {
        return;
    }
    let mut rest = rows;
    while let Some(first) = rest.first().map(state) {
        let other = rest.iter().position(|value| state(value) != first);
        let length = other.unwrap_or(rest.len());
        put_varint(bytes, (length as u64) << 2 | first);
        rest = &rest[length..];
    }
}

fn put_changed_bits(values: &[f64], bytes: &mut Vec<u8>) {
    let mut writer = BitWriter::new(bytes);
    let mut before = 0;
    let mut window = Window::default();
    for (at, value) in values.iter().enumerate() {
        let bits = value.to_bits();
        let changed = bits ^ before;
        before = bits;
        if at == 0 {
            writer.put(bits, 64);
        } else if changed == 0 {
            writer.put(0, 1);
        } else {
            let tight = Window::around(changed);
            // A window that is wider than need be costs less than to say a new one.
            if window.holds(tight) && window.length < tight.length + 12 {
                writer.put(0b01, 2);
            } else {
                writer.put(0b11, 2);
                writer.put(u64::from(tight.shift), 6);
                writer.put(u64::from(tight.length - 1), 6);
                window = tight;
            }
            writer.put(changed >> window.shift, window.length);
        }
    }
    writer.finish();
}

/// The bits between the first and the last that changed.
#[derive(Clone, Copy, Default)]
struct Window {
    shift: u32,
    length: u32,
}

impl Window {
    fn around(changed: u64) -> Window {
        let shift = changed.trailing_zeros();
        Window {
            shift,
            length: 64 - changed.leading_zeros() - shift,
        }
    }

    fn holds(self, other: Window) -> bool {
        other.shift >= self.shift && other.shift + other.length <= self.shift + self.length
    }
}

/// Reads the column at `at` into `rows`, one value or hole for each row, and returns where the next
/// column begins; none if the bytes are no column.
pub(super) fn decode(
    bytes: &[u8],
    at: usize,
    row_count: usize,
    previous: &mut Previous,
    rows: &mut Vec<f64>,
) -> Option<usize> {
    let mut reader = ByteReader::new(bytes, at);
    let head = reader.byte();
    let marks = reader;
    let mut count = row_count;
    if head & MARKED != 0 {
        count = 0;
        read_marks(&mut reader, row_count, |state, length| {
            count += if state == VALUE { length } else { 0 };
        })?;
    }
    rows.clear();
    let end = if head & CHANGED_BITS == CHANGED_BITS {
        previous.wholes.clear();
        read_changed_bits(bytes, reader.at(), count, rows)
    } else {
        let end = read_steps(bytes, reader, head, count, previous)?;
        let power = *POWERS.get(usize::from(head >> 4))?;
        if power == 1.0 {
            rows.extend(previous.wholes.iter().map(|whole| *whole as f64));
        } else {
            rows.extend(previous.wholes.iter().map(|whole| *whole as f64 / power));
        }
        end
    };
    if head & MARKED != 0 {
        spread(marks, row_count, rows)?;
    }
    (end <= bytes.len()).then_some(end)
}

fn read_marks(
    reader: &mut ByteReader<'_>,
    row_count: usize,
    mut each: impl FnMut(u64, usize),
) -> Option<()> {
    let mut left = row_count;
    while left > 0 {
        let run = reader.varint();
        let length = usize::try_from(run >> 2).ok()?;
        if length == 0 || length > left || reader.overrun() {
            return None;
        }
        each(run & 3, length);
        left -= length;
    }
    Some(())
}

/// Puts holes and stale markers between the values.
fn spread(mut marks: ByteReader<'_>, row_count: usize, rows: &mut Vec<f64>) -> Option<()> {
    let values = std::mem::take(rows);
    let mut values = values.into_iter();
    rows.reserve_exact(row_count);
    read_marks(&mut marks, row_count, |state, length| match state {
        VALUE => rows.extend(values.by_ref().take(length)),
        ENDED => rows.resize(rows.len() + length, stale_marker()),
        _ => rows.resize(rows.len() + length, hole()),
    })?;
    (rows.len() == row_count).then_some(())
}

/// Reads whole numbers over those of the previous column, and returns where they end.
fn read_steps(
    bytes: &[u8],
    mut reader: ByteReader<'_>,
    head: u8,
    count: usize,
    previous: &mut Previous,
) -> Option<usize> {
    let wholes = &mut previous.wholes;
    previous.scale = head >> 4;
    if head & PREDICTED == 0 {
        wholes.clear();
        wholes.resize(count, 0);
    } else if wholes.len() != count {
        return None;
    }
    let mut offset = unzigzag(reader.varint());
    let coding = head & 3;
    if coding == STEPS_NONE {
        if offset != 0 {
            wholes
                .iter_mut()
                .for_each(|whole| *whole = whole.wrapping_add(offset));
        }
        return Some(reader.at());
    }
    let parameters = reader.byte();
    let parameter = u32::from(parameters & 0x7f).min(RICE_MAX);
    let signed = parameters & 0x80 != 0;
    let step = |code: u64| if signed { unzigzag(code) } else { code as i64 };
    if coding == STEPS_DENSE {
        let mut bits = BitReader::new(bytes, reader.at());
        let (first, others) = wholes.split_first_mut()?;
        *first = first.wrapping_add(offset);
        for whole in others {
            offset = offset.wrapping_add(step(bits.rice(parameter)));
            *whole = whole.wrapping_add(offset);
        }
        return Some(bits.end());
    }
    let gap_parameter = u32::from(reader.byte()).min(RICE_MAX);
    let step_count = reader.varint();
    let mut bits = BitReader::new(bytes, reader.at());
    let mut from = 0_usize;
    for _ in 0..step_count.min(count as u64) {
        let gap = usize::try_from(bits.rice(gap_parameter)).ok()?;
        let until = from.checked_add(gap)?.checked_add(1)?;
        let run = wholes.get_mut(from..until)?;
        run.iter_mut()
            .for_each(|whole| *whole = whole.wrapping_add(offset));
        from = until;
        let code = bits.rice(parameter).wrapping_add(1);
        offset = offset.wrapping_add(step(code));
    }
    let rest = wholes.get_mut(from..)?;
    rest.iter_mut()
        .for_each(|whole| *whole = whole.wrapping_add(offset));
    Some(bits.end())
}

fn read_changed_bits(bytes: &[u8], at: usize, count: usize, rows: &mut Vec<f64>) -> usize {
    let mut reader = BitReader::new(bytes, at);
    let mut bits = 0;
    let mut window = Window::default();
    for at in 0..count {
        if at == 0 {
            bits = reader.get(64);
        } else if reader.get(1) == 1 {
            if reader.get(1) == 1 {
                window.shift = reader.get(6) as u32;
                window.length = (reader.get(6) as u32 + 1).min(64 - window.shift);
            }
            bits ^= reader.get(window.length) << window.shift;
        }
        rows.push(f64::from_bits(bits));
    }
    reader.end()
}

#[cfg(test)]
mod tests;
