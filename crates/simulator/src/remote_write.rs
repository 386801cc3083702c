//! Samples for a Prometheus that was started with `--web.enable-remote-write-receiver` (remote write 1.0).

mod message;

use anyhow::{Result, bail};
pub(crate) use message::WriteRequest;
use reqwest::StatusCode;

use crate::endpoint::{Endpoint, Refusal};

const EMPTY: &str = "the past can only be written into an empty Prometheus that scrapes nothing yet: stop it, empty its data folder, start it without scrape_configs, write the past, then give it its configuration and reload";

/// Sends one encoded and compressed [`WriteRequest`].
pub(crate) async fn send(prometheus: &Endpoint, body: Vec<u8>) -> Result<()> {
    let request = prometheus
        .post("api/v1/write")?
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "snappy")
        .header("x-prometheus-remote-write-version", "0.1.0")
        .body(body);
    match prometheus.send(request).await? {
        Ok(_) => Ok(()),
        Err(refusal) => bail!(explained(&refusal)),
    }
}

fn explained(refusal: &Refusal) -> String {
    let Refusal { status, words } = refusal;
    let mut text = format!("Prometheus refuses the samples ({status}): {words}");
    let of_time = [
        "out of bounds",
        "out of order",
        "too old",
        "duplicate sample",
    ];
    if of_time.iter().any(|part| words.contains(part)) {
        text = format!("{text}; {EMPTY}");
    } else if *status == StatusCode::NOT_FOUND && !words.contains("--web.enable") {
        text = format!("{text}; start it with --web.enable-remote-write-receiver");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(status: StatusCode, words: &str) -> String {
        let words = words.to_owned();
        explained(&Refusal { status, words })
    }

    #[test]
    fn refusals_are_told_in_the_words_of_prometheus_and_what_to_do() {
        let told = text(StatusCode::BAD_REQUEST, "out of bounds");
        assert!(
            told.contains("(400 Bad Request): out of bounds; "),
            "{told}"
        );
        assert!(told.contains("empty Prometheus"), "{told}");
        let told = text(StatusCode::NOT_FOUND, "404 page not found");
        assert!(
            told.contains("--web.enable-remote-write-receiver"),
            "{told}"
        );
        let told = text(StatusCode::INTERNAL_SERVER_ERROR, "disk full");
        assert!(told.ends_with("disk full"), "{told}");
    }
}
