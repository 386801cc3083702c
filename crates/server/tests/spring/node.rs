//! One node: four services under load, Prometheus with their past, Bellwether with the sample
//! configuration, all of it real and ended when dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use domain::{Catalogue, MetricSpec, Timestamp};
use serde_json::Value;
use simulator::FaultKind;

use crate::harness::{Bellwether, client, free_port, until};

pub const SERVICES: [&str; 4] = ["gateway", "orders", "payments", "inventory"];
const MODELS_WITHIN: Duration = Duration::from_secs(180);
/// What the five minutes of a rate are filled with before a fault begins, at least.
const WARM_WITHIN: Duration = Duration::from_secs(180);

pub struct Node {
    pub bellwether: Bellwether,
    pub prometheus: String,
    /// When all four services answered.
    pub ready: Instant,
    parts: Parts,
    client: reqwest::Client,
}

impl Node {
    /// Services, load, Prometheus, Bellwether, until every service has its models.
    pub async fn start(dir: &Path) -> Node {
        let parts = Parts {
            run: dir.join("run"),
            port: free_port(),
        };
        parts.shop(&["build"]);
        parts.shop(&["start"]);
        let ready = Instant::now();
        assert!(parts.spring("up"), "scripts/spring.sh up");
        let prometheus = format!("http://127.0.0.1:{}", parts.port);
        let sample = fs::read_to_string(root().join("services/bellwether.yaml")).unwrap();
        let config = sample
            .replace("http://127.0.0.1:9490", &prometheus)
            .replace("services/run", parts.run.to_str().unwrap());
        let node = Node {
            bellwether: Bellwether::start(dir, &config, &[]).await,
            prometheus,
            ready,
            parts,
            client: client(),
        };
        node.wait_for_models().await;
        node
    }

    async fn wait_for_models(&self) {
        for service in SERVICES {
            until("models of every service", MODELS_WITHIN, || async {
                let (_, answer) = self
                    .bellwether
                    .get(&format!("/metrics?service={service}"))
                    .await;
                let metrics = answer["metrics"].as_array()?;
                let judged = |id: &str| {
                    metrics
                        .iter()
                        .any(|m| m["id"] == id && m["prediction"] != "Unknown")
                };
                ["cpu", "mem", "lat"].into_iter().all(judged).then_some(())
            })
            .await;
        }
        // The live stretch has taken the place of what came before it in every five-minute range.
        until("live samples", WARM_WITHIN, || async {
            let counted = self.query("min(count_over_time(up[2m]))").await;
            (counted >= Some(8.0)).then_some(())
        })
        .await;
    }

    /// Where a service answers.
    pub fn address(service: &str) -> String {
        let at = SERVICES.iter().position(|known| *known == service).unwrap();
        format!("127.0.0.{}:8480", 11 + at)
    }

    pub fn fault(&self, kind: FaultKind, service: &str) {
        self.parts.shop(&["fault", kind.name(), service]);
    }

    pub fn heal(&self, kind: FaultKind, service: &str) {
        self.parts.shop(&["heal", kind.name(), service]);
    }

    /// The value of a query that has one.
    pub async fn query(&self, query: &str) -> Option<f64> {
        let answer = self.ask(&[("query", query)], "query").await;
        number(&answer["data"]["result"][0]["value"][1])
    }

    /// The values of a metric of one service at the instants of the tick's grid, as Prometheus has
    /// them.
    pub async fn values(
        &self,
        spec: &MetricSpec,
        service: &str,
        (from, to): (Timestamp, Timestamp),
    ) -> Vec<f64> {
        let query = spec
            .query
            .replace("$identity", "service")
            .replace("$range", "5m")
            .replace("$seconds", "300");
        let grid = |at: Timestamp| (at.as_seconds() / 15.0).ceil() * 15.0;
        let parameters = [
            ("query", query.as_str()),
            ("start", &grid(from).to_string()),
            ("end", &grid(to).to_string()),
            ("step", "15"),
        ];
        let answer = self.ask(&parameters, "query_range").await;
        let series = answer["data"]["result"].as_array().unwrap().iter();
        series
            .filter(|series| series["metric"]["service"] == service)
            .flat_map(|series| series["values"].as_array().unwrap().clone())
            .filter_map(|point| number(&point[1]))
            .collect()
    }

    async fn ask(&self, parameters: &[(&str, &str)], endpoint: &str) -> Value {
        let url = format!("{}/api/v1/{endpoint}", self.prometheus);
        let answer = self.client.get(url).query(parameters).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["status"], "success", "{answer}");
        answer
    }

    /// What a service answers to a scrape.
    pub async fn page(&self, service: &str) -> String {
        let url = format!("http://{}/actuator/prometheus", Node::address(service));
        let answer = self.client.get(url).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// The catalogue as the sample configuration has it.
    pub fn catalogue() -> Vec<MetricSpec> {
        let (three, pack) = (Catalogue::default_three(), Catalogue::spring_pack());
        let mut specs: Vec<MetricSpec> = three.iter().chain(pack.iter()).cloned().collect();
        for spec in &mut specs {
            if spec.id.as_str() == "cpu" {
                spec.thresholds.high = Some(35.0);
            }
        }
        specs
    }
}

/// Services, load and Prometheus, as the scripts start them; ended when dropped.
struct Parts {
    run: PathBuf,
    port: u16,
}

impl Parts {
    fn shop(&self, arguments: &[&str]) {
        let mut command = Command::new(root().join("services/shop"));
        command.args(arguments).env("SHOP_RUN", &self.run);
        assert!(
            command.status().unwrap().success(),
            "services/shop {arguments:?}"
        );
    }

    fn spring(&self, word: &str) -> bool {
        // Built beside the binary under test.
        let simulator =
            Path::new(env!("CARGO_BIN_EXE_bellwether")).with_file_name("bellwether-simulator");
        let mut command = Command::new(root().join("scripts/spring.sh"));
        command
            .arg(word)
            .env("PROMETHEUS_PORT", self.port.to_string())
            .env("SPRING_SIMULATOR", simulator)
            .env("SPRING_RUN", &self.run)
            .env("SHOP_RUN", &self.run);
        command.status().unwrap().success()
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // Where a test fails already, a second panic would hide the first.
        let is_down = self.spring("down");
        assert!(
            is_down || std::thread::panicking(),
            "scripts/spring.sh down"
        );
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn number(value: &Value) -> Option<f64> {
    let number: f64 = value.as_str()?.parse().ok()?;
    number.is_finite().then_some(number)
}
