//! The text an instance answers with: which families, which samples, and where each value comes from.
//! Everything but the values is written once; a scrape only appends.

mod http;
mod runtime;
mod writer;

use std::fmt::Write as _;

use crate::counters::{HistogramSlot, Layout};
use crate::gauges::{Gauge, Readings};
use crate::latency::LogNormal;
use crate::topology::Service;
use writer::Writer;

/// The samples of one service at one version, in order.
#[derive(Debug)]
pub(crate) struct Page {
    families: Vec<PageFamily>,
}

#[derive(Debug)]
struct PageFamily {
    header: String,
    in_catalogue: bool,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    /// Name and labels, up to where the value goes.
    text: String,
    value: Value,
    /// A meter exists from its first event on.
    born: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    /// A whole number without a point, as histograms count.
    Count(usize),
    /// A whole number of events in a counter.
    Events(usize),
    Amount(usize),
    Nanos(usize),
    Gauge(Gauge),
    Constant(f64),
    One,
    /// The longest of the last two minutes.
    Longest(HistogramSlot, Work),
}

/// Whose latency a maximum speaks of.
#[derive(Debug, Clone, Copy)]
enum Work {
    Requests,
    Constant(f64),
    Call(usize),
}

/// The numbers behind a page.
pub(crate) struct Figures<'a> {
    pub(crate) counted: &'a [f64],
    /// What the present stretch of time adds when it is over.
    pub(crate) adding: &'a [f64],
    /// How much of that stretch is over, 0..1.
    pub(crate) elapsed: f64,
    pub(crate) stretch_seconds: f64,
    pub(crate) readings: &'a Readings,
    pub(crate) latency: LogNormal,
    pub(crate) call_latency: &'a dyn Fn(usize) -> LogNormal,
}

impl Figures<'_> {
    fn counter(&self, slot: usize) -> f64 {
        self.counted[slot] + self.adding[slot] * self.elapsed
    }

    fn longest(&self, histogram: HistogramSlot, latency: LogNormal) -> f64 {
        let recent = self.adding[histogram.count()] / self.stretch_seconds.max(1e-3) * 120.0;
        if recent <= 0.0 {
            0.0
        } else {
            latency.quantile(1.0 - 1.0 / recent.max(2.0)).min(60.0)
        }
    }
}

/// Which families are written, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) headers: bool,
    pub(crate) catalogue_only: bool,
    /// Goes behind each value: nothing, or a timestamp.
    pub(crate) suffix: &'a str,
}

impl Page {
    /// `extra` is appended to the labels of each sample, as a scrape does with instance and job.
    pub(crate) fn new(
        service: &Service,
        layout: &Layout,
        version: &str,
        extra: &[(&str, &str)],
    ) -> Self {
        let mut page = Writer {
            service: &service.name,
            version,
            extra,
            families: Vec::new(),
        };
        page.process(service);
        page.heap();
        page.threads();
        page.logs(layout);
        page.counters(layout);
        page.server(layout);
        page.tomcat(layout);
        if !layout.client.is_empty() {
            page.client(layout);
        }
        page.executors(service, layout);
        if service.pool {
            page.pool(layout);
        }
        Page {
            families: page.families,
        }
    }

    /// Appends the page and says how many samples it had.
    pub(crate) fn write(&self, out: &mut String, figures: &Figures<'_>, form: Form<'_>) -> usize {
        let mut samples = 0;
        for family in &self.families {
            if form.catalogue_only && !family.in_catalogue {
                continue;
            }
            if form.headers {
                out.push_str(&family.header);
            }
            for sample in &family.samples {
                if sample.born.is_some_and(|slot| figures.counter(slot) < 1.0) {
                    continue;
                }
                out.push_str(&sample.text);
                sample.value.write(out, figures);
                out.push_str(form.suffix);
                out.push('\n');
                samples += 1;
            }
        }
        samples
    }
}

impl Value {
    fn write(self, out: &mut String, figures: &Figures<'_>) {
        match self {
            Value::Count(slot) => push_whole(out, figures.counter(slot) as u64),
            Value::Events(slot) => push_float(out, figures.counter(slot).floor()),
            Value::Amount(slot) => push_float(out, (figures.counter(slot) * 1e6).round() / 1e6),
            Value::Nanos(slot) => push_float(out, (figures.counter(slot) * 1e9).round()),
            Value::Gauge(gauge) => push_float(out, figures.readings.get(gauge)),
            Value::Constant(value) => push_float(out, value),
            Value::One => out.push('1'),
            Value::Longest(histogram, work) => {
                let latency = match work {
                    Work::Requests => figures.latency,
                    Work::Constant(p99) => LogNormal::from_p99(p99),
                    Work::Call(call) => (figures.call_latency)(call),
                };
                push_float(
                    out,
                    (figures.longest(histogram, latency) * 1e9).round() / 1e9,
                );
            }
        }
    }
}

fn push_float(out: &mut String, value: f64) {
    let whole = value as i64;
    if whole as f64 == value && whole.unsigned_abs() < 1 << 53 {
        if whole < 0 {
            out.push('-');
        }
        push_whole(out, whole.unsigned_abs());
        out.push_str(".0");
    } else {
        // Writing into a String cannot fail.
        let _ = write!(out, "{value:?}");
    }
}

fn push_whole(out: &mut String, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|&digit| char::from(digit)));
}
