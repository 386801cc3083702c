//! Stored models and states: what is written is read, and nothing else is.

use std::sync::LazyLock;

use detect::{Model, ModelError, SeriesState};
use proptest::prelude::*;

use crate::series::*;

static TRAINED: LazyLock<Learnt> = LazyLock::new(|| a_day(1, &cpu()));
static MODEL: LazyLock<Vec<u8>> = LazyLock::new(|| TRAINED.model.encode());
static STATE: LazyLock<Vec<u8>> = LazyLock::new(|| TRAINED.state.encode());

const HASH_BYTES: usize = 32;

/// The first bytes, the last ones, and every 251st between.
fn places(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let end = bytes.len();
    (0..700)
        .chain((700..end).step_by(251))
        .chain(end - 100..end)
}

fn check_damage<T, E>(bytes: &[u8], read: impl Fn(&[u8]) -> Result<T, E>) {
    assert!(read(bytes).is_ok());
    for place in places(bytes) {
        let mut damaged = bytes.to_vec();
        damaged[place] ^= 1 << (place % 8);
        assert!(read(&damaged).is_err(), "flipped at {place}");
        assert!(read(&bytes[..place]).is_err(), "cut at {place}");
    }
    assert!(read(&[bytes, b"x"].concat()).is_err());
}

/// The bytes with a checksum that matches: damage that only understanding finds.
fn summed(content: &[u8]) -> Vec<u8> {
    [content, blake3::hash(content).as_bytes()].concat()
}

#[test]
fn a_model_is_read_as_it_was_written() {
    let read = Model::decode(&MODEL, &id("pay")).unwrap();
    assert_eq!(read, TRAINED.model);
    assert!(read.encode() == *MODEL);
}

#[test]
fn any_share_in_the_header_is_read_to_the_last_bit() {
    let mut model = TRAINED.model.clone();
    for above in 1..300 {
        model.header.raw_share = f64::from(above) / 5755.0;
        let read = Model::decode(&model.encode(), &id("pay")).unwrap();
        assert_eq!(
            read.header.raw_share.to_bits(),
            model.header.raw_share.to_bits()
        );
    }
}

#[test]
fn a_damaged_model_is_refused() {
    check_damage(&MODEL, |bytes| Model::decode(bytes, &id("pay")));
}

#[test]
fn the_model_of_another_series_is_refused_by_name() {
    let error = Model::decode(&MODEL, &id("cart")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it is the model of pay:cpu, not of cart:cpu"
    );
}

#[test]
fn a_model_of_other_feature_formulas_is_refused() {
    let mut model = TRAINED.model.clone();
    model.header.features_version += 1;
    let error = Model::decode(&model.encode(), &id("pay")).unwrap_err();
    assert!(matches!(error, ModelError::Features { .. }), "{error}");
}

#[test]
fn a_model_with_impossible_numbers_is_refused() {
    let refused = |change: fn(&mut Model)| {
        let mut model = TRAINED.model.clone();
        change(&mut model);
        Model::decode(&model.encode(), &id("pay")).is_err()
    };
    assert!(refused(|m| m.forest_threshold = f64::NAN));
    assert!(refused(|m| m.extremes.0 = f64::NEG_INFINITY));
    assert!(refused(|m| m.extremes = (2.0, 1.0)));
}

#[test]
fn a_model_is_named_by_its_bytes() {
    let name = TRAINED.model.reference(&MODEL);
    assert_eq!(name.hash.len(), 16);
    assert_eq!(name.trained_at, at(DAY));
    let mut other = TRAINED.model.clone();
    other.header.seed += 1;
    assert_ne!(other.reference(&other.encode()).hash, name.hash);
}

#[test]
fn a_usual_model_and_its_state_are_small() {
    assert!(MODEL.len() < 85_000, "{}", MODEL.len());
    assert!(STATE.len() < 64_000, "{}", STATE.len());
}

#[test]
fn a_state_is_read_as_it_was_written() {
    let read = SeriesState::decode(&STATE).unwrap();
    assert_eq!(read, TRAINED.state);
    assert!(read.encode() == *STATE);
}

#[test]
fn a_damaged_state_is_refused() {
    check_damage(&STATE, SeriesState::decode);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for magic in [&b""[..], b"BWMODEL2", b"BWSTATE2"] {
            let content = [magic, &bytes].concat();
            for bytes in [content.clone(), summed(&content)] {
                prop_assert!(Model::decode(&bytes, &id("pay")).is_err());
                prop_assert!(SeriesState::decode(&bytes).is_err());
            }
        }
    }

    #[test]
    fn what_is_read_of_forged_bytes_can_be_stepped(place: prop::sample::Index, byte: u8) {
        let forged = |bytes: &[u8]| {
            let mut content = bytes[..bytes.len() - HASH_BYTES].to_vec();
            let place = place.index(content.len());
            content[place] = byte;
            summed(&content)
        };
        let model = Model::decode(&forged(&MODEL), &id("pay")).unwrap_or_else(|_| TRAINED.model.clone());
        let mut state = SeriesState::decode(&forged(&STATE)).unwrap_or_else(|_| TRAINED.state.clone());
        for sample in stationary(5, DAY, 10) {
            judge(&mut state, Some(&model), sample, &cpu(), false);
        }
    }
}
