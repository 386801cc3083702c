//! The simulated fleet against what these services say now.

use simulator::alike::{EXPECTED, wrong};

use crate::harness::figure;
use crate::node::{Node, SERVICES};

/// Asked when the services have been under load for minutes, so that each kind of request was seen.
pub async fn pages_are_like_the_simulated(node: &Node) -> Vec<String> {
    let mut pages = Vec::new();
    for service in SERVICES {
        pages.push((service, node.page(service).await));
    }
    let pages: Vec<(&str, &str)> = pages
        .iter()
        .map(|(of, page)| (*of, page.as_str()))
        .collect();
    let wrong = wrong(&pages);
    figure(
        "spring 2",
        "names, types and names of labels of the simulated fleet against a live scrape",
        format!(
            "{} differences beside {} with a reason, 4 services",
            wrong.len(),
            EXPECTED.len()
        ),
        "0 beside those",
        wrong.is_empty(),
    );
    wrong
}
