//! The flow from collected samples to incidents, and that it can be repeated.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod fleet;

use std::sync::Arc;

use domain::{
    Actor, Gap, IncidentId, MetricId, Part, Prediction, Sample, SeriesId, Severity, Silence,
};
use engine::{
    Frame, FrameError, State, Swap, TickInput, TickOutput, decode_frame, encode_frame, step,
};
use fleet::{Fleet, TICK, at, config, memory_only, series};
use incident::{Change, Command, CommandKind, Verdict};

const SICK: &str = "service-0001";
const FAULT_AT: i64 = 20;

/// From tick 20 on the sick service burns its CPU and answers slowly.
fn input(fleet: &Fleet, tick: i64) -> TickInput {
    fleet.collected(tick, |id, sample| {
        let sick = id.service.as_str() == SICK && tick >= FAULT_AT;
        let value = match id.metric.as_str() {
            "cpu" if sick => sample.value + 58.0,
            "lat" if sick => sample.value * 12.0,
            _ => sample.value,
        };
        Ok(Sample { value, ..sample })
    })
}

fn run(state: &mut State, fleet: &Fleet, ticks: std::ops::Range<i64>) -> Vec<TickOutput> {
    ticks.map(|tick| step(state, &input(fleet, tick))).collect()
}

fn part_of(output: &TickOutput, id: &SeriesId) -> Part {
    let row = output.rows.iter().find(|row| row.series == *id);
    row.expect("every judged sample has a row").part
}

fn memory(state: &State, id: &SeriesId) -> detect::SeriesState {
    let mut memories = state.memories();
    memories
        .find(|(series, _)| *series == id)
        .unwrap()
        .1
        .clone()
}

#[test]
fn a_fault_becomes_one_incident_with_its_members_rows_and_logs() {
    let fleet = Fleet::of(3);
    let mut state = fleet.state();
    let outputs = run(&mut state, &fleet, 0..60);
    let changes: Vec<(usize, Change)> = outputs
        .iter()
        .enumerate()
        .flat_map(|(tick, output)| output.decided.changes.iter().map(move |c| (tick, *c)))
        .collect();
    let [(opened_at, Change::Opened(id)), ..] = changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(opened_at as i64, FAULT_AT + 2, "after open_after of 30 s");
    assert_eq!(changes.len(), 1, "{changes:?}");

    let incident = state.decide().incident(id).unwrap();
    let members: Vec<&str> = incident.members.iter().map(|m| m.metric.as_str()).collect();
    assert_eq!(
        (incident.service.as_str(), &members[..]),
        (SICK, &["cpu", "lat"][..])
    );
    assert_eq!(incident.first_crossing, at(FAULT_AT));
    assert_eq!(
        incident.onset,
        at(FAULT_AT),
        "a step begins where it begins"
    );
    assert_eq!(incident.severity, Severity::High);

    let opening = &outputs[opened_at];
    let moved: Vec<(&SeriesId, domain::Timestamp)> = opening
        .decided
        .moves
        .iter()
        .map(|m| (&m.series, m.from))
        .collect();
    let from = at(FAULT_AT - 2);
    assert_eq!(
        moved,
        [(&series(SICK, "cpu"), from), (&series(SICK, "lat"), from)]
    );
    let [request, joining] = &opening.decided.requests[..] else {
        panic!("{:?}", opening.decided.requests);
    };
    assert_eq!((request.incident, request.service.as_str()), (id, SICK));
    assert!(request.opening && !joining.opening);
    assert_eq!(joining.members[0].metric.as_str(), "lat");
    assert_eq!(
        (request.logs_from, request.logs_to),
        (at(FAULT_AT - 2), at(FAULT_AT + 2 + 4))
    );

    for (tick, output) in outputs.iter().enumerate() {
        assert_eq!(output.rows.len(), 9);
        for metric in ["cpu", "lat", "mem"] {
            let member = metric != "mem";
            let expected = if member && tick >= opened_at {
                Part::Anomaly
            } else {
                Part::History
            };
            assert_eq!(
                part_of(output, &series(SICK, metric)),
                expected,
                "{metric} at {tick}"
            );
            assert_eq!(
                part_of(output, &series("service-0002", metric)),
                Part::History
            );
        }
    }
}

#[test]
fn when_the_fault_ends_the_incident_goes_quiet_and_rows_are_history_again() {
    let fleet = Fleet::of(3);
    let mut state = fleet.state();
    run(&mut state, &fleet, 0..40);
    let outputs: Vec<TickOutput> = (40..62)
        .map(|tick| step(&mut state, &fleet.calm(tick)))
        .collect();
    let quiet = outputs
        .iter()
        .position(|o| !o.decided.changes.is_empty())
        .unwrap();
    assert_eq!(
        outputs[quiet].decided.changes,
        [Change::WentQuiet(IncidentId(1))]
    );
    assert_eq!(quiet, 20, "a quiet period after the first calm tick");
    let cpu = series(SICK, "cpu");
    assert_eq!(part_of(&outputs[quiet - 1], &cpu), Part::Anomaly);
    assert_eq!(part_of(&outputs[quiet], &cpu), Part::History);
}

#[test]
fn anomalies_without_a_crossing_are_early_warnings() {
    let fleet = Fleet::of(3);
    let mut state = fleet.state();
    for tick in 0..8 {
        let output = step(
            &mut state,
            &fleet.collected(tick, |id, sample| {
                let raised = if id.service.as_str() == SICK {
                    1.5
                } else {
                    1.0
                };
                Ok(Sample {
                    value: sample.value * raised,
                    ..sample
                })
            }),
        );
        let warned: Vec<&str> = output.early_warnings.iter().map(|s| s.as_str()).collect();
        // The first sample alone is not yet odd enough.
        let expected: &[&str] = if tick == 0 { &[] } else { &[SICK] };
        assert_eq!(warned, expected, "at {tick}");
        assert_eq!(output.decided.changes, []);
    }
}

#[test]
fn the_default_thresholds_are_those_of_the_mission() {
    let fleet = Fleet::of(1);
    for (metric, high, critical) in [
        ("cpu", 85.0, 95.0),
        ("mem", 85.0, 95.0),
        ("lat", 1000.0, 3000.0),
    ] {
        for (value, severity) in [
            (high - 0.01, Severity::Normal),
            (high, Severity::High),
            (critical - 0.01, Severity::High),
            (critical, Severity::Critical),
        ] {
            let mut state = State::new(config()).unwrap();
            let output = step(
                &mut state,
                &fleet.collected(0, |_, s| Ok(Sample { value, ..s })),
            );
            let finding = output
                .findings
                .iter()
                .find(|f| f.series.metric.as_str() == metric)
                .unwrap();
            assert_eq!(finding.severity, severity, "{metric} {value}");
            assert_eq!(
                (finding.thresholds.high, finding.thresholds.critical),
                (Some(high), Some(critical))
            );
        }
    }
}

#[test]
fn a_repeated_sample_is_not_scored_twice() {
    let fleet = Fleet::of(1);
    let mut state = fleet.state();
    let cpu = series("service-0000", "cpu");
    let first = step(&mut state, &fleet.calm(0));
    let learnt = memory(&state, &cpu);
    for (tick, gap) in [
        (1, None),
        (2, Some(Gap::QueryFailed)),
        (3, None),
        (4, Some(Gap::Repeated)),
    ] {
        let mut repeat = fleet.collected(0, |_, sample| gap.map_or(Ok(sample), Err));
        repeat.at = at(tick);
        let output = step(&mut state, &repeat);
        assert_eq!(output.rows, []);
        let finding = &output.findings[0];
        assert_eq!(finding.at, at(tick));
        if gap == Some(Gap::QueryFailed) {
            assert_eq!(
                (finding.sample, finding.severity),
                (Err(Gap::QueryFailed), Severity::Unavailable)
            );
            assert_eq!(finding.silence, Some(Silence::NoSample));
        } else {
            assert_eq!(finding.sample, Err(Gap::Repeated), "tick {tick}");
            assert_eq!(
                finding.severity,
                Severity::Normal,
                "what was judged still holds"
            );
            assert_eq!(finding.score, first.findings[0].score);
            assert_eq!(finding.newest, first.findings[0].newest);
        }
        assert_eq!(memory(&state, &cpu), learnt);
    }
}

#[test]
fn a_gap_in_one_series_stops_no_other() {
    let fleet = Fleet::of(2);
    let mut state = fleet.state();
    let output = step(
        &mut state,
        &fleet.collected(0, |id, sample| match id.metric.as_str() {
            "lat" => Err(Gap::Idle),
            _ => Ok(sample),
        }),
    );
    assert_eq!((output.findings.len(), output.rows.len()), (6, 4));
    let judged = output
        .findings
        .iter()
        .filter(|f| f.prediction != Prediction::Unknown)
        .count();
    assert_eq!(judged, 4);
}

#[test]
fn a_swap_replays_the_samples_that_came_meanwhile() {
    for (spacing, missed) in [(1, 1), (1, 10), (4, 4), (4, 16)] {
        let fleet = Fleet::of(1).every(spacing);
        let swaps = fleet.swaps();
        let mut had_it = fleet.state();
        let mut gets_it = State::new(config()).unwrap();
        let bare = TickInput {
            swaps: swaps.iter().map(memory_only).collect(),
            ..TickInput::between(at(-1))
        };
        step(&mut gets_it, &bare);
        for tick in 0..missed {
            step(&mut had_it, &fleet.calm(tick));
            let output = step(&mut gets_it, &fleet.calm(tick));
            assert_eq!(output.findings[0].silence, Some(Silence::NoModel));
        }
        let now = missed;
        let plain = step(&mut had_it, &fleet.calm(now));
        let swapped = step(
            &mut gets_it,
            &TickInput {
                swaps,
                ..fleet.calm(now)
            },
        );
        assert_eq!(swapped.refused_swaps, []);
        assert_eq!(
            swapped.findings, plain.findings,
            "every {spacing} ticks, {missed} missed"
        );
        for id in fleet.series() {
            assert!(memory(&gets_it, &id) == memory(&had_it, &id));
        }
    }
}

#[test]
fn a_bad_swap_is_refused_and_the_old_model_goes_on() {
    let fleet = Fleet::of(2);
    let mut state = fleet.state();
    let good = fleet.swaps().swap_remove(0);
    let damaged = |bytes: &Arc<[u8]>| {
        let mut bytes = bytes.to_vec();
        bytes[1000] ^= 1;
        bytes.into()
    };
    let model = good.model.as_ref().unwrap();
    let bad = [
        Swap {
            model: Some(damaged(model)),
            ..good.clone()
        },
        Swap {
            state: good.state.as_ref().map(damaged),
            ..good.clone()
        },
        Swap {
            series: series("service-0001", "cpu"),
            ..good.clone()
        },
        Swap {
            series: series("service-0000", "gpu"),
            model: None,
            ..good.clone()
        },
    ];
    let before = state.encode();
    for swap in bad {
        let output = step(
            &mut state,
            &TickInput {
                swaps: vec![swap.clone()],
                ..TickInput::between(at(0))
            },
        );
        let [(refused, why)] = &output.refused_swaps[..] else {
            panic!("{:?}", output.refused_swaps);
        };
        assert_eq!(*refused, swap.series);
        assert!(!why.is_empty());
        assert!(state.encode() == before, "{why}");
    }
}

#[test]
fn a_configuration_is_in_force_from_its_tick_on() {
    let fleet = Fleet::of(1);
    let mut state = fleet.state();
    let mut cpu_only = config();
    let cpu = MetricId::new("cpu").unwrap();
    let mut spec = cpu_only.catalogue.get(&cpu).unwrap().clone();
    spec.thresholds.high = Some(1.0);
    cpu_only.catalogue = domain::Catalogue::new([spec]).unwrap();
    let output = step(
        &mut state,
        &TickInput {
            config: Some(cpu_only.clone()),
            ..fleet.calm(0)
        },
    );
    let [finding] = &output.findings[..] else {
        panic!(
            "a metric that isn't configured isn't judged: {:?}",
            output.findings
        );
    };
    assert_eq!(finding.severity, Severity::High);
    assert_eq!(state.memories().count(), 1);

    let mut nowhere = config();
    nowhere.timezone = "Europe/Atlantis".into();
    assert!(State::new(nowhere.clone()).is_err());
    step(
        &mut state,
        &TickInput {
            config: Some(nowhere),
            ..fleet.calm(1)
        },
    );
    assert_eq!(*state.config(), cpu_only);
}

#[test]
fn between_ticks_only_commands_are_answered() {
    let fleet = Fleet::of(3);
    let mut state = fleet.state();
    run(&mut state, &fleet, 0..30);
    let command = Command {
        number: 3,
        incident: IncidentId(1),
        actor: Actor::Unverified("kim".into()),
        kind: CommandKind::Acknowledge,
        note: Some("looking".into()),
        expected: None,
        stored: None,
    };
    let output = step(
        &mut state,
        &TickInput {
            commands: vec![command],
            ..TickInput::between(at(30))
        },
    );
    assert!(
        output.findings.is_empty() && output.rows.is_empty() && output.early_warnings.is_empty()
    );
    assert_eq!(output.decided.answers.len(), 1);
    let acknowledged = output.decided.answers[0].result.as_ref().unwrap();
    assert_eq!(acknowledged.status, domain::Status::Acknowledged);
}

#[test]
fn equal_inputs_give_equal_hashes_and_others_give_others() {
    let fleet = Fleet::of(3);
    let (mut one, mut two, mut other) = (fleet.state(), fleet.state(), fleet.state());
    for tick in 0..30 {
        let hash = step(&mut one, &input(&fleet, tick)).hash();
        assert_eq!(hash, step(&mut two, &input(&fleet, tick)).hash());
        let disturbed = fleet.collected(tick, |_, s| {
            Ok(Sample {
                value: s.value + 1e-9,
                ..s
            })
        });
        assert_ne!(hash, step(&mut other, &disturbed).hash());
    }
    assert!(one.encode() == two.encode());
}

#[test]
fn a_decoded_state_goes_on_as_the_original_would() {
    let fleet = Fleet::of(3);
    let mut original = fleet.state();
    for boundary in [5, FAULT_AT + 1, 40] {
        let from = boundary - 5;
        run(&mut original, &fleet, from..boundary);
        let bytes = original.encode();
        let mut decoded = State::decode(&bytes).unwrap();
        assert!(decoded.encode() == bytes);
        let mut copy = original.clone();
        let hashes = |state: &mut State| -> Vec<[u8; 32]> {
            let outputs = run(state, &fleet, boundary..boundary + 10);
            outputs.iter().map(TickOutput::hash).collect()
        };
        assert_eq!(
            hashes(&mut decoded),
            hashes(&mut copy),
            "from tick {boundary}"
        );
    }
    for length in [0, 1, 100, 10_000] {
        assert!(State::decode(&original.encode()[..length]).is_err());
    }
}

#[test]
fn a_state_restored_from_what_is_stored_keeps_its_incidents() {
    let fleet = Fleet::of(3);
    let mut state = fleet.state();
    run(&mut state, &fleet, 0..30);
    let stored = state.decide().without_incidents();
    let incidents = state.decide().incidents().cloned().collect();
    let mut restored = State::restored(config(), stored, incidents, None).unwrap();
    assert_eq!(restored.decide(), state.decide());
    let memories = state.memories().map(|(id, memory)| Swap {
        series: id.clone(),
        model: state.model(id).map(|(model, _)| model.encode().into()),
        state: Some(memory.encode().into()),
    });
    let swaps = TickInput {
        swaps: memories.collect(),
        ..TickInput::between(at(29))
    };
    assert_eq!(step(&mut restored, &swaps).refused_swaps, []);
    for tick in 30..40 {
        let goes_on = input(&fleet, tick);
        assert_eq!(
            step(&mut restored, &goes_on).hash(),
            step(&mut state, &goes_on).hash()
        );
    }
}

#[test]
fn a_recording_replays_to_the_same_hashes() {
    let fleet = Fleet::of(3);
    let mut state = fleet.state();
    let mut recording = encode_frame(&Frame::State(state.encode()));
    for tick in 0..30 {
        let input = Box::new(input(&fleet, tick));
        let output_hash = step(&mut state, &input).hash();
        recording.extend(encode_frame(&Frame::Tick { input, output_hash }));
    }

    let (Frame::State(head), mut offset) = decode_frame(&recording).unwrap() else {
        panic!("a recording begins with a state");
    };
    let mut replayed = State::decode(&head).unwrap();
    let mut ticks = 0;
    while offset < recording.len() {
        let (frame, length) = decode_frame(&recording[offset..]).unwrap();
        let Frame::Tick { input, output_hash } = frame else {
            panic!("one state only");
        };
        assert_eq!(step(&mut replayed, &input).hash(), output_hash);
        offset += length;
        ticks += 1;
    }
    assert_eq!(ticks, 30);
}

#[test]
fn frames_are_read_as_written_and_damage_is_found() {
    let fleet = Fleet::of(1);
    let mut whole = fleet.calm(0);
    whole.config = Some(config());
    whole.swaps = fleet.swaps();
    whole.swaps.truncate(1);
    for frame in [
        Frame::State(vec![7; 100]),
        Frame::State(Vec::new()),
        Frame::Tick {
            input: Box::new(whole),
            output_hash: [9; 32],
        },
    ] {
        let bytes = encode_frame(&frame);
        let followed = [&bytes[..], b"more"].concat();
        assert_eq!(decode_frame(&followed), Ok((frame.clone(), bytes.len())));
        let places = (0..bytes.len()).filter(|place| *place < 300 || place % 499 == 0);
        for place in places {
            match decode_frame(&bytes[..place]) {
                Err(FrameError::CutShort { missing }) => {
                    assert!(missing >= 1 && missing <= bytes.len() - place)
                }
                other => panic!("cut at {place}: {other:?}"),
            }
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            assert!(decode_frame(&damaged).is_err(), "flipped at {place}");
        }
    }
    assert_eq!(decode_frame(b"not a recording"), Err(FrameError::Magic));
}

#[test]
fn a_latency_in_the_last_bucket_is_a_lower_bound() {
    let fleet = Fleet::of(1);
    let mut state = fleet.state();
    let slow = |tick| {
        fleet.collected(tick, |_, s| {
            Ok(Sample {
                value: 10_000.0,
                ..s
            })
        })
    };
    let mut at_least = Vec::new();
    for tick in 0..9 {
        let output = step(&mut state, &slow(tick));
        at_least = output.findings.iter().map(|f| f.at_least).collect();
    }
    assert_eq!(at_least, [false, true, false], "cpu, lat, mem");
    let lat = series("service-0000", "lat");
    let incident = state.decide().firing(&lat.service).unwrap();
    assert_eq!(incident.members.len(), 3);
}

#[test]
fn every_finding_is_decided_on() {
    let fleet = Fleet::of(3);
    let mut state = fleet.state();
    for output in run(&mut state, &fleet, 0..30) {
        let found: Vec<&SeriesId> = output.findings.iter().map(|f| &f.series).collect();
        let decided: Vec<&SeriesId> = output.decided.decisions.iter().map(|d| &d.series).collect();
        assert_eq!(found, decided);
        let calm = output
            .decided
            .decisions
            .iter()
            .filter(|d| d.verdict == Verdict::Calm);
        assert!(calm.count() >= 6);
    }
    assert_eq!(TICK, config().tick);
}
