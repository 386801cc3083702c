//! The body of a remote write, encoded by hand: it is three nested messages of five fields in all, and a generator of
//! code for them would bring more to compile than the rest of the simulator.
//!
//! ```text
//! WriteRequest { repeated TimeSeries timeseries = 1; }
//! TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2; }
//! Label        { string name = 1; string value = 2; }
//! Sample       { double value = 1; int64 timestamp = 2; }
//! ```

use anyhow::{Context, Result};

/// `field << 3 | wire type`: 0 a varint, 1 eight bytes, 2 something with its length before it.
const TIMESERIES: u8 = 1 << 3 | 2;
const LABELS: u8 = 1 << 3 | 2;
const SAMPLES: u8 = 2 << 3 | 2;
const LABEL_NAME: u8 = 1 << 3 | 2;
const LABEL_VALUE: u8 = 2 << 3 | 2;
const SAMPLE_VALUE: u8 = 1 << 3 | 1;
const SAMPLE_TIMESTAMP: u8 = 2 << 3;

/// Gathers samples of a fixed set of series, and is used again after each [`WriteRequest::take`].
pub(crate) struct WriteRequest {
    series: Vec<Series>,
    samples: usize,
}

/// Labels are the same in every request, so they are encoded once.
struct Series {
    labels: Vec<u8>,
    samples: Vec<u8>,
}

impl WriteRequest {
    pub(crate) fn new<'a>(
        series: impl Iterator<Item = (&'a str, &'a [(String, String)])>,
    ) -> WriteRequest {
        let series = series.map(|(name, labels)| Series {
            labels: encode_labels(name, labels),
            samples: Vec::new(),
        });
        WriteRequest {
            series: series.collect(),
            samples: 0,
        }
    }

    /// The series by its position in the order given.
    pub(crate) fn push(&mut self, series: usize, t_ms: i64, value: f64) {
        let mut sample = Vec::with_capacity(20);
        sample.push(SAMPLE_VALUE);
        sample.extend_from_slice(&value.to_le_bytes());
        sample.push(SAMPLE_TIMESTAMP);
        // As protobuf has it: the two's complement of 64 bits.
        push_varint(&mut sample, t_ms as u64);
        push_field(&mut self.series[series].samples, SAMPLES, &sample);
        self.samples += 1;
    }

    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// The request as it goes over the wire, in the block format of snappy. No samples are left.
    pub(crate) fn take(&mut self) -> Result<Vec<u8>> {
        let body = self.encode();
        snap::raw::Encoder::new()
            .compress_vec(&body)
            .context("compress samples")
    }

    fn encode(&mut self) -> Vec<u8> {
        self.samples = 0;
        let mut body = Vec::new();
        for series in self.series.iter_mut().filter(|one| !one.samples.is_empty()) {
            body.push(TIMESERIES);
            push_varint(
                &mut body,
                (series.labels.len() + series.samples.len()) as u64,
            );
            body.extend_from_slice(&series.labels);
            body.append(&mut series.samples);
        }
        body
    }
}

/// Sorted by name, which the receiver relies on.
fn encode_labels(name: &str, labels: &[(String, String)]) -> Vec<u8> {
    let mut all: Vec<(&str, &str)> = labels
        .iter()
        .map(|(label, value)| (label.as_str(), value.as_str()))
        .chain([("__name__", name)])
        .collect();
    all.sort_unstable();
    let mut encoded = Vec::new();
    for (label, value) in all {
        let mut pair = Vec::new();
        push_field(&mut pair, LABEL_NAME, label.as_bytes());
        push_field(&mut pair, LABEL_VALUE, value.as_bytes());
        push_field(&mut encoded, LABELS, &pair);
    }
    encoded
}

fn push_field(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    push_varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

/// Seven bits in a byte, the lowest first; the highest bit says that more follow.
fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_encoded_as_the_specification_of_protobuf_has_it() {
        let labels = vec![("Z".to_owned(), "1".to_owned())];
        let mut request = WriteRequest::new([("up", labels.as_slice()), ("idle", &[])].into_iter());
        request.push(0, 300, 1.0);
        assert_eq!(request.samples(), 1);
        let expected = [
            [0x0a, 35].as_slice(),
            // Z comes before __name__.
            &[0x0a, 6, 0x0a, 1, b'Z', 0x12, 1, b'1'],
            &[0x0a, 14, 0x0a, 8],
            b"__name__",
            &[0x12, 2, b'u', b'p'],
            &[0x12, 12, 0x09],
            &1f64.to_le_bytes(),
            &[0x10, 0xac, 0x02],
        ]
        .concat();
        let mut expected = expected;
        expected[1] = u8::try_from(expected.len() - 2).unwrap();
        assert_eq!(request.encode(), expected);
        assert_eq!(request.samples(), 0);
        assert!(
            request.encode().is_empty(),
            "series without samples stay out"
        );
    }
}
