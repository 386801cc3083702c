//! How the instances of a service become one sample, live and in the past alike.

use std::sync::Arc;

use domain::{Combine, Gap, MetricSpec, Sample, Timestamp};

use crate::prometheus::Labels;

/// One instance's value; the instance where the metric keeps it.
pub(crate) type InstanceValue = (Option<Arc<str>>, f64);

pub(crate) fn instance_of(labels: &Labels) -> Option<Arc<str>> {
    labels
        .get("instance")
        .filter(|instance| !instance.is_empty())
        .map(|instance| instance.as_str().into())
}

/// One sample from the values of a service's instances at one time, and the instance that carries
/// it.
///
/// NaN is an instance without traffic and takes no part; nothing but NaN is [`Gap::Idle`]. An
/// infinity makes the result [`Gap::NonFinite`]. `values` is taken in its order, which callers keep
/// fixed, so that sums have equal bits whatever the order of the answer.
pub(crate) fn combined(
    values: &[InstanceValue],
    spec: &MetricSpec,
    time: Timestamp,
) -> (Result<Sample, Gap>, Option<Arc<str>>) {
    let busy: Vec<&InstanceValue> = values.iter().filter(|(_, v)| !v.is_nan()).collect();
    let Some(first) = busy.first() else {
        let gap = if values.is_empty() {
            Gap::NoData
        } else {
            Gap::Idle
        };
        return (Err(gap), None);
    };
    let (value, carrier) = match spec.combine {
        Combine::Max => {
            let worst = busy.iter().fold(
                first,
                |worst, next| if next.1 > worst.1 { next } else { worst },
            );
            (worst.1, worst.0.clone())
        }
        Combine::Sum => (sum(&busy), sole_carrier(&busy)),
        Combine::Avg => (sum(&busy) / busy.len() as f64, sole_carrier(&busy)),
    };
    (Sample::admit(time, value, spec.valid), carrier)
}

fn sum(values: &[&InstanceValue]) -> f64 {
    values.iter().map(|(_, value)| value).sum()
}

fn sole_carrier(values: &[&InstanceValue]) -> Option<Arc<str>> {
    match values {
        [only] => only.0.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Catalogue;

    fn check(how: Combine, values: &[f64], outcome: Result<f64, Gap>, carrier: Option<&str>) {
        let mut spec = Catalogue::default_three().iter().next().unwrap().clone();
        spec.combine = how;
        let values: Vec<InstanceValue> = values
            .iter()
            .enumerate()
            .map(|(i, v)| (Some(format!("i{i}").into()), *v))
            .collect();
        let (sample, instance) = combined(&values, &spec, Timestamp::EPOCH);
        assert_eq!(sample.map(|s| s.value), outcome, "{how:?} {values:?}");
        assert_eq!(instance.as_deref(), carrier, "{how:?} {values:?}");
    }

    #[test]
    fn f13_instances_become_one_value() {
        check(Combine::Max, &[10.0, 30.0, 20.0], Ok(30.0), Some("i1"));
        check(Combine::Max, &[10.0, 10.0], Ok(10.0), Some("i0"));
        check(Combine::Sum, &[10.0, 30.0], Ok(40.0), None);
        check(Combine::Avg, &[10.0, 30.0], Ok(20.0), None);
        check(Combine::Avg, &[10.0], Ok(10.0), Some("i0"));
    }

    #[test]
    fn f08_f19_what_is_no_number_is_a_gap() {
        let nan = f64::NAN;
        check(Combine::Max, &[nan, 5.0], Ok(5.0), Some("i1"));
        check(Combine::Max, &[nan, nan], Err(Gap::Idle), None);
        check(Combine::Max, &[], Err(Gap::NoData), None);
        for infinity in [f64::INFINITY, f64::NEG_INFINITY] {
            check(Combine::Sum, &[infinity, 5.0], Err(Gap::NonFinite), None);
        }
        check(
            Combine::Sum,
            &[f64::INFINITY, f64::NEG_INFINITY],
            Err(Gap::NonFinite),
            None,
        );
        check(Combine::Max, &[1e308], Err(Gap::OutOfRange), Some("i0"));
        check(Combine::Max, &[-1.0], Err(Gap::OutOfRange), Some("i0"));
        check(Combine::Max, &[-0.0], Ok(0.0), Some("i0"));
    }
}
