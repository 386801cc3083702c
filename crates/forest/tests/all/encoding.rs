//! The stored form: round trips, and refusal of everything else.

use forest::{DecodeError, Forest, Parameters};
use proptest::prelude::*;

use crate::harm::{read, read_all, sealed};
use crate::series;

const AXES_END: usize = 10 + 2 * 16;

fn forest(parameters: &Parameters) -> Forest {
    let training = series::labelled(1000);
    Forest::fit(&training.rows, series::FEATURES, parameters).expect("a series can be fitted")
}

/// As version 1 had it: two features, one tree of three rows, which are split, leaf of one, split,
/// leaf, leaf. No checksum hides what else is wrong with it.
fn small() -> Vec<u8> {
    let mut bytes = b"BWIF\x01\x02\x01\x00\x03\x00".to_vec();
    for axis in [0.0_f64, 1.0, 0.0, 1.0] {
        bytes.extend(axis.to_le_bytes());
    }
    bytes.extend([0, 0, 0, 0, 0x3f, 32]);
    bytes.extend([1, 0, 0, 0, 0xbf, 32, 32]);
    bytes
}

fn check_refused(bytes: &[u8], expected: DecodeError) {
    assert_eq!(Forest::decode(bytes), Err(expected));
}

/// The small forest with its tree replaced.
fn check_tree_refused(tree: &[u8], expected: DecodeError) {
    check_refused(&[&small()[..AXES_END], tree].concat(), expected);
}

#[test]
fn a_forest_written_by_hand_is_read() {
    let forest = Forest::decode(&small()).unwrap();
    assert_eq!(
        (forest.features(), forest.trees(), forest.sample_size()),
        (2, 1, 3)
    );
    let mut second = small();
    second[4] = 2;
    assert_eq!(
        forest.encode(),
        sealed(second),
        "version 1 is read, 2 written"
    );
    assert_eq!(Forest::decode(&forest.encode()).unwrap(), forest);
    // Depth 1 against c(3), and depth 2.
    let normaliser = forest::average_path_length(3);
    assert!((forest.score(&[0.4, 0.0]) - (-1.0 / normaliser).exp2()).abs() < 1e-12);
    assert!((forest.score(&[0.5, 0.0]) - (-2.0 / normaliser).exp2()).abs() < 1e-12);
}

#[test]
fn every_header_field_is_checked() {
    let with = |at: usize, values: &[u8]| {
        let mut bytes = small();
        bytes[at..at + values.len()].copy_from_slice(values);
        bytes
    };
    check_refused(&with(0, b"X"), DecodeError::Magic);
    for version in [0, 3, 255] {
        check_refused(&with(4, &[version]), DecodeError::Version { version });
    }
    for features in [0, 33, 255] {
        let error = DecodeError::Features {
            features: features.into(),
        };
        check_refused(&with(5, &[features]), error);
    }
    for trees in [0_u16, 1001, 65535] {
        let error = DecodeError::Trees {
            trees: trees.into(),
        };
        check_refused(&with(6, &trees.to_le_bytes()), error);
    }
    for sample_size in [0_u16, 1, 4097, 65535] {
        let error = DecodeError::SampleSize {
            sample_size: sample_size.into(),
        };
        check_refused(&with(8, &sample_size.to_le_bytes()), error);
    }
    for center in [f64::NAN, f64::INFINITY] {
        check_refused(
            &with(10, &center.to_le_bytes()),
            DecodeError::Axis { feature: 0 },
        );
    }
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        check_refused(
            &with(34, &scale.to_le_bytes()),
            DecodeError::Axis { feature: 1 },
        );
    }
}

#[test]
fn malformed_trees_are_refused() {
    let split = |feature: u8, threshold: f32| {
        let mut bytes = vec![feature];
        bytes.extend(threshold.to_le_bytes());
        bytes
    };
    let at = AXES_END;
    let unknown = DecodeError::UnknownFeature {
        tree: 0,
        feature: 2,
        offset: at,
    };
    check_tree_refused(&[&split(2, 0.0)[..], &[33, 32]].concat(), unknown);
    for threshold in [f32::NAN, f32::INFINITY] {
        let error = DecodeError::Threshold {
            tree: 0,
            offset: at,
        };
        check_tree_refused(&[&split(0, threshold)[..], &[33, 32]].concat(), error);
    }
    // Three rows allow two splits on a way, not three.
    let error = DecodeError::TooHigh {
        tree: 0,
        limit: 2,
        offset: at + 10,
    };
    check_tree_refused(&split(0, 0.0).repeat(3), error);
    for (leaves, rows) in [([32, 32], 2), ([33, 33], 4), ([240, 32], 209)] {
        let error = DecodeError::LeafRows {
            tree: 0,
            rows,
            sample_size: 3,
        };
        check_tree_refused(&[&split(0, 0.0)[..], &leaves].concat(), error);
    }
    for size in [0_u16, 223, 4097] {
        let [low, high] = size.to_le_bytes();
        check_tree_refused(
            &[255, low, high],
            DecodeError::Leaf {
                tree: 0,
                offset: at + 1,
            },
        );
    }
    check_refused(
        &[small(), vec![32]].concat(),
        DecodeError::Trailing { bytes: 1 },
    );
}

#[test]
fn every_cut_is_refused() {
    let bytes = forest(&Parameters {
        trees: 3,
        ..Parameters::default()
    })
    .encode();
    for end in 0..bytes.len() {
        let error = Forest::decode(&bytes[..end]).unwrap_err();
        let expected = match end {
            0..18 => matches!(error, DecodeError::Truncated { .. }),
            _ => error == DecodeError::Checksum,
        };
        assert!(expected, "cut at {end}: {error}");
    }
    // And where the checksum was made to fit.
    for end in 10..bytes.len() - 8 {
        let error = Forest::decode(&sealed(bytes[..end].to_vec())).unwrap_err();
        let expected = matches!(error, DecodeError::Truncated { .. });
        assert!(expected, "cut at {end} and sealed: {error}");
    }
}

#[test]
fn what_fuzzing_found_does_no_harm() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/forest");
    let mut accepted = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        read_all(&bytes);
        accepted += u32::from(Forest::decode(&bytes).is_ok());
    }
    assert!(accepted >= 2, "both versions, to begin with");
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = forest(&Parameters {
        trees: 3,
        sample_size: 32,
        seed: 1,
    })
    .encode();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(Forest::decode(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn claims_beyond_the_bytes_are_refused_where_these_end() {
    // A thousand trees of 4,096 rows, by ten bytes: the claim is refused where the bytes end.
    let claim = b"BWIF\x01\x20\xe8\x03\x00\x10".to_vec();
    check_refused(&claim, DecodeError::Truncated { offset: 10 });
    let mut second = claim;
    second[4] = 2;
    check_refused(&sealed(second), DecodeError::Truncated { offset: 10 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_forest_survives_a_round_trip(
        trees in 1_usize..20,
        sample_size in 2_usize..1000,
        seed: u64,
    ) {
        let forest = forest(&Parameters { trees, sample_size, seed });
        let bytes = forest.encode();
        let decoded = Forest::decode(&bytes).unwrap();
        prop_assert_eq!(&decoded, &forest);
        prop_assert_eq!(decoded.encode(), bytes);
        let rows = series::labelled(150).rows;
        for row in rows.chunks(series::FEATURES) {
            prop_assert_eq!(decoded.score(row).to_bits(), forest.score(row).to_bits());
        }
    }

    #[test]
    fn mutated_bytes_are_refused_or_a_sound_forest(
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        near_the_start: bool,
    ) {
        let mut bytes = forest(&Parameters { trees: 4, sample_size: 64, seed: 1 }).encode();
        let reach = if near_the_start { 100 } else { bytes.len() };
        for (at, byte) in mutations {
            bytes[at.index(reach)] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read(&bytes);
        // Where the checksum was made to fit, too.
        bytes.truncate(bytes.len().saturating_sub(8));
        read(&sealed(bytes));
    }

    #[test]
    fn random_bytes_never_panic(
        body in prop::collection::vec(any::<u8>(), 0..400),
        features in 1_u8..4,
    ) {
        let _ = Forest::decode(&body);
        let mut bytes = b"BWIF\x01".to_vec();
        bytes.push(features);
        bytes.extend([1, 0, 5, 0]);
        for _ in 0..features {
            bytes.extend(0.0_f64.to_le_bytes());
            bytes.extend(1.0_f64.to_le_bytes());
        }
        // Mostly small tags, so that trees are sometimes whole.
        bytes.extend(body.iter().map(|byte| byte % 40));
        read(&bytes);
    }
}
