//! The index finds exactly what trying every series finds.

use embedded::store::Absent;
use embedded::{Labels, MatchOperator, Matcher};

use crate::plain::{Plain, append, open, select, settings};

const OPERATORS: [MatchOperator; 4] = [
    MatchOperator::Equal,
    MatchOperator::NotEqual,
    MatchOperator::Regex,
    MatchOperator::NotRegex,
];

fn matchers() -> Vec<Matcher> {
    let names = ["__name__", "uri", "status", "nothing"];
    let values = [
        "", "up", "requests", "/a", "/b", "200", "500", ".*", ".+", "5..", "/a|/b", "re.*|up",
        "|/a",
    ];
    let mut all = Vec::new();
    for name in names {
        for operator in OPERATORS {
            for value in values {
                all.push(Matcher::new(name, operator, value).unwrap());
            }
        }
    }
    all
}

#[test]
fn every_pair_of_matchers_finds_what_trying_every_series_finds() {
    let (store, _) = open(&settings(None), 0);
    let mut plain = Plain::default();
    for target in 0..3 {
        let mut values = Vec::new();
        for (at, uri) in ["", "/a", "/b", "/c"].into_iter().enumerate() {
            for status in ["", "200", "500", "503"] {
                let name = if (at + target as usize).is_multiple_of(2) {
                    "requests"
                } else {
                    "up"
                };
                let instance = (target / 2).to_string();
                let pairs = [
                    ("__name__", name),
                    ("uri", uri),
                    ("status", status),
                    ("instance", &instance),
                ];
                values.push((Labels::new(pairs), 1.0));
            }
        }
        append(
            &store,
            target,
            1000 + i64::from(target),
            &values,
            Absent::Stale,
        );
        plain.append(target, 1000 + i64::from(target), &values, Absent::Stale);
    }
    let all = matchers();
    let mut nonempty = 0;
    for (at, one) in all.iter().enumerate() {
        for other in all[at..].iter().step_by(7) {
            let both = [one.clone(), other.clone()];
            let found = select(&store, &both, 0, 2000);
            assert_eq!(found, plain.select(&both, 0, 2000), "{both:?}");
            nonempty += usize::from(!found.is_empty());
        }
    }
    assert!(nonempty > 500, "{nonempty}");
}
