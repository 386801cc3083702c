//! The sample services as real JVMs, a real Prometheus, real load and real faults.
//!
//! The services have addresses of their own and need the machine for themselves, so this is one
//! test, whose parts follow each other. It isn't run by `cargo test`: `make test-spring` tells one
//! story, `make test-long-spring` all of them.
//!
//! - `BELLWETHER_SPRING=all`, or a kind of fault: which stories are told; without it slow-dependency
//! - `BELLWETHER_SPRING_DONE=FILE`: stories that are told are noted there and not told again

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "../live/harness.rs"]
#[allow(
    dead_code,
    reason = "what stands around live tests serves these too, in part"
)]
mod harness;

mod alike;
mod clean;
mod node;
mod story;
mod told;

use std::time::{Duration, Instant};

use simulator::FaultKind;

use harness::{figure, folder};
use node::Node;
use story::{STORIES, Story};
use told::Told;

/// Without a fault, once, before the first story of all.
const CALM: Duration = Duration::from_secs(600);
/// One story takes at most so long, counted from all four services ready.
const ONE_STORY_WITHIN: Duration = Duration::from_secs(480);
/// All of them together.
const ALL_WITHIN: Duration = Duration::from_secs(6_000);

#[tokio::test(flavor = "multi_thread")]
async fn real_services_tell_their_faults() {
    let dir = folder();
    let began = Instant::now();
    let node = Node::start(dir.path()).await;
    let asked = std::env::var("BELLWETHER_SPRING").ok();
    let mut told = Told::read();
    let mut wrong = Vec::new();
    match asked.as_deref() {
        None => {
            wrong.extend(one(&node, FaultKind::SlowDependency, &mut told).await);
            wrong.extend(alike::pages_are_like_the_simulated(&node).await);
            wrong.extend(clean::doctor_finds_everything(&node, dir.path()).await);
        }
        Some("all") => {
            wrong.extend(all(&node, &mut told).await);
            let took = began.elapsed();
            figure(
                "spring 1",
                "all faults, one after another",
                format!("{:.0} min", took.as_secs_f64() / 60.0),
                "≤ 100 min",
                took <= ALL_WITHIN,
            );
        }
        Some(kind) => wrong.extend(one(&node, kind.parse().unwrap(), &mut told).await),
    }
    told.print();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One story alone.
async fn one(node: &Node, kind: FaultKind, told: &mut Told) -> Vec<String> {
    let story = STORIES.iter().find(|story| story.kind == kind).unwrap();
    let outcome = story.tell(node).await;
    let took = node.ready.elapsed();
    let wrong = outcome.wrong.clone();
    told.add(outcome);
    figure(
        "spring 1",
        &format!("{kind} on {} with production windows", story.service),
        format!(
            "{} of {} incidents as they should be, after {:.0} s",
            story.affected.len() - wrong.len().min(story.affected.len()),
            story.affected.len(),
            took.as_secs_f64()
        ),
        "all, ≤ 480 s from all services ready",
        wrong.is_empty() && took <= ONE_STORY_WITHIN,
    );
    wrong
}

/// All that were not told yet: each begins as soon as the services that it touches are quiet, so
/// that one may recover while another begins elsewhere.
async fn all(node: &Node, told: &mut Told) -> Vec<String> {
    let mut wrong = Vec::new();
    if !told.has("calm") {
        tokio::time::sleep(CALM).await;
        let opened = node.bellwether.incidents().await;
        figure(
            "spring 1",
            "ten minutes without a fault",
            format!("{} incidents", opened.len()),
            "none",
            opened.is_empty(),
        );
        // Like a story that went wrong, it isn't noted then, so that a run which goes on repeats it.
        if opened.is_empty() {
            told.note("calm");
        }
        wrong.extend(opened.iter().map(|i| i["summary"].to_string()));
    }
    let mut waiting: Vec<&Story> = STORIES
        .iter()
        .filter(|story| !told.has(story.kind.name()))
        .collect();
    while !waiting.is_empty() {
        let Some(next) = first_quiet(node, &waiting).await else {
            tokio::time::sleep(Duration::from_secs(5)).await;
            continue;
        };
        let outcome = waiting.remove(next).tell(node).await;
        wrong.extend(outcome.wrong.clone());
        told.add(outcome);
    }
    told.figures();
    wrong
}

/// The first story whose services are all quiet.
async fn first_quiet(node: &Node, waiting: &[&Story]) -> Option<usize> {
    let incidents = node.bellwether.incidents().await;
    let firing = |service: &str| {
        incidents
            .iter()
            .any(|i| i["service"] == service && i["firing"] == true)
    };
    waiting
        .iter()
        .position(|story| !story.affected.iter().any(|of| firing(of.service)))
}
