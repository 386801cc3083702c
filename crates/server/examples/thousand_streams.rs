//! What many clients of the event stream cost: 1,000 that read, and 100 that never do. Prints memory
//! and tick durations without them, with them, and while far more is told than is kept for them;
//! as much is told once before they come, for that costs something by itself.
//!
//!     cargo build --release -p server && cargo run --release -p server --example thousand_streams

#![expect(clippy::unwrap_used, reason = "a measurement may fail where it stands")]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{
    DEFAULT_JOB, Discovery, Fault, FaultKind, Fleet, ServeOptions, SharedFleet, Span, Topology,
    prometheus_config, serve, shared, system_clock, target_groups,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

const IDLE: usize = 1_000;
const SLOW: usize = 100;
const SERVICES: usize = 60;
const TICKS: u64 = 60;
/// More bytes than the ring holds and the kernel for a client that doesn't read.
const COMMENTS: usize = 800;
const COMMENT_CHARS: usize = 8_000;
/// What a client may cost, as a connection that is idle may.
const CLIENT_KIB_MAX: f64 = 30.0;
/// A tick of a second may take so long.
const TICK_MS_MAX: f64 = 500.0;

/// A server that is killed when dropped.
struct Server {
    child: Child,
    address: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How the server stands.
#[derive(Clone, Debug, Default)]
struct Standing {
    memory_kib: u64,
    ticks: u64,
    tick_seconds: f64,
    missed: u64,
    /// How many ticks took so long at most, by the bounds of the histogram.
    within: Vec<(f64, u64)>,
}

#[tokio::main]
async fn main() {
    let binary = std::env::args().nth(1).map(PathBuf::from);
    let binary = binary.unwrap_or_else(|| PathBuf::from("target/release/bellwether"));
    // As much is told to nobody, for that costs something by itself.
    let alone = measured(&binary, 0, 0).await;
    let with = measured(&binary, IDLE, SLOW).await;

    let clients = (IDLE + SLOW) as f64;
    let kib = |from: &Standing, to: &Standing| to.memory_kib as f64 - from.memory_kib as f64;
    let connected = kib(&with.calm, &with.connected) / clients;
    let by_itself = kib(&alone.calm, &alone.settled);
    let flooded = (kib(&with.calm, &with.settled) - by_itself) / clients;
    println!(
        "a flood by itself leaves {:.1} MiB, with the clients {:.1} MiB",
        by_itself / 1024.0,
        kib(&with.calm, &with.settled) / 1024.0
    );
    let who = format!("{IDLE} idle and {SLOW} slow clients of the event stream");
    figure(
        &format!("{who}: memory for each, when connected and of the growth by a flood"),
        &format!("{connected:.1} and {flooded:.1} KiB"),
        &format!("≤ {CLIENT_KIB_MAX} KiB"),
        connected.max(flooded) <= CLIENT_KIB_MAX,
    );
    let missed = with.followed.missed + with.flooded.missed;
    figure(
        "ticks missed with them, of as many as without",
        &format!("{missed} of {}", with.followed.ticks + with.flooded.ticks),
        "0",
        missed == 0 && with.followed.ticks > 0,
    );
    figure(
        "the slowest tick with them, while they are flooded, and without",
        &format!(
            "{:.0}, {:.0} and {:.0} ms",
            slowest(&with.followed),
            slowest(&with.flooded),
            slowest(&with.calm)
        ),
        &format!("≤ {TICK_MS_MAX} ms"),
        slowest(&with.followed).max(slowest(&with.flooded)) <= TICK_MS_MAX,
    );
    figure(
        "a slow client that reads at last is told that it missed events",
        &with.told_missed.to_string(),
        "true",
        with.told_missed,
    );
}

/// One server from its start, with clients that read and clients that don't.
struct Run {
    calm: Standing,
    connected: Standing,
    followed: Standing,
    flooded: Standing,
    settled: Standing,
    told_missed: bool,
}

async fn measured(binary: &Path, idle: usize, slow: usize) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let topology = Topology::generated(SERVICES, 3);
    let (fleet, address) = answering(&topology).await;
    let server = start(binary, dir.path(), &topology, &address).await;
    server
        .when("every service", |s| s["services"]["up"] == SERVICES)
        .await;
    let calm = server.over(TICKS).await;
    report("without clients", &calm);

    let [noisy, quiet] = [0, 1].map(|index| topology.services()[index].name.clone());
    let events = Arc::new(AtomicUsize::new(0));
    for _ in 0..idle {
        tokio::spawn(count_events(
            follow(&server.address, &quiet).await,
            Arc::clone(&events),
        ));
    }
    let mut unread = Vec::new();
    for _ in 0..slow {
        unread.push(follow(&server.address, &noisy).await);
    }
    let connected = server.over(5).await;
    let followed = server.over(TICKS).await;
    report(
        &format!("with {idle} idle and {slow} slow clients"),
        &followed,
    );
    let flooded = flood(&server, &fleet, &noisy).await;
    report("while 6.4 MB are told of one service", &flooded);
    let settled = server.over(10).await;
    report("afterwards", &settled);
    println!(
        "events read by the idle clients: {}",
        events.load(Ordering::Relaxed)
    );
    let told_missed = match unread.pop() {
        Some(stream) => reads_missed(stream).await,
        None => false,
    };
    Run {
        calm,
        connected,
        followed,
        flooded,
        settled,
        told_missed,
    }
}

async fn count_events(mut stream: TcpStream, events: Arc<AtomicUsize>) {
    let mut buffer = [0; 4_096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let starts = buffer[..read].windows(7);
        let starts = starts.filter(|w| w == b"event: ").count();
        events.fetch_add(starts, Ordering::Relaxed);
    }
}

/// Writes a figure for `make show-api`, and prints it.
fn figure(what: &str, figure: &str, bar: &str, pass: bool) {
    let verdict = if pass { "pass" } else { "short" };
    println!("FIGURE {what} | {figure} | {bar} | {verdict}");
    if let Some(path) = std::env::var_os("BELLWETHER_FIGURES") {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        writeln!(file, "api 5\t{what}\t{figure}\t{bar}\t{verdict}").unwrap();
    }
}

/// Tells far more of an incident on a service than the ring holds; says how the server stood.
async fn flood(server: &Server, fleet: &SharedFleet, service: &str) -> Standing {
    stop_service(fleet, service);
    let incident = server.incident(service).await;
    let before = server.standing().await;
    let note = "x".repeat(COMMENT_CHARS);
    for _ in 0..COMMENTS {
        let url = format!(
            "http://{}/api/v1/incidents/{incident}/comment",
            server.address
        );
        let answer = server.client.post(url).json(&json!({ "note": note }));
        assert!(answer.send().await.unwrap().status().is_success());
    }
    since(&before, server.standing().await)
}

/// The fleet, answering in this process.
async fn answering(topology: &Topology) -> (SharedFleet, String) {
    let now = system_clock()();
    let fleet = Fleet::new(topology.clone(), Vec::new(), 3, now - 60_000).unwrap();
    let fleet = shared(fleet);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answered = Arc::clone(&fleet);
    tokio::spawn(async move {
        let never = std::future::pending::<()>();
        serve(answered, listener, ServeOptions::default(), never)
            .await
            .unwrap();
    });
    (fleet, address)
}

fn stop_service(fleet: &SharedFleet, service: &str) {
    let mut fleet = fleet.lock().unwrap();
    let now = system_clock()();
    fleet.advance(now);
    let at = Span::from_millis(now - fleet.epoch_ms());
    let fault = Fault {
        at,
        r#for: Span::from_secs(600),
        service: service.to_owned(),
        kind: FaultKind::Stopped,
        magnitude: 1.0,
    };
    fleet.start_fault(fault).unwrap();
}

async fn start(binary: &Path, dir: &Path, topology: &Topology, fleet: &str) -> Server {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let targets = Discovery::Static(target_groups(topology, fleet));
    let targets = prometheus_config(&targets, Span::from_secs(1), DEFAULT_JOB);
    std::fs::write(dir.join("targets.yml"), targets).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap().to_string();
    drop(port);
    let config = format!(
        "scrape: '{}'\ntick: 1s\nevaluation_delay: 1s\ndecide: {{ down_after: 4s }}\n\
         log: {{ level: warn }}\nlisten: {address}\ndata_dir: {}\n",
        dir.join("targets.yml").display(),
        dir.join("data").display()
    );
    std::fs::write(dir.join("bellwether.yaml"), config).unwrap();
    let child = Command::new(binary)
        .env_clear()
        .args(["serve", "--config"])
        .arg(dir.join("bellwether.yaml"))
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary was built; its path is the first argument");
    let server = Server {
        child,
        address,
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
    };
    server.when("an answer", |_| true).await;
    server
}

impl Server {
    async fn when(&self, what: &str, is: impl Fn(&Value) -> bool) {
        for _ in 0..600 {
            let url = format!("http://{}/api/v1/status", self.address);
            if let Ok(answer) = self.client.get(url).send().await
                && let Ok(status) = answer.json::<Value>().await
                && is(&status)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{what} did not come");
    }

    async fn incident(&self, service: &str) -> u64 {
        loop {
            let url = format!("http://{}/api/v1/incidents?service={service}", self.address);
            let page: Value = self
                .client
                .get(url)
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            if let Some(id) = page["items"][0]["id"].as_u64() {
                return id;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn standing(&self) -> Standing {
        let url = format!("http://{}/metrics", self.address);
        let text = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.trim().parse::<f64>().ok())
                .unwrap_or_default()
        };
        let within = text.lines().filter_map(|line| {
            let rest = line.strip_prefix("bellwether_tick_duration_seconds_bucket{le=\"")?;
            let (bound, count) = rest.split_once("\"} ")?;
            Some((bound.parse().unwrap_or(f64::INFINITY), count.parse().ok()?))
        });
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.unwrap().trim().trim_end_matches(" kB");
        Standing {
            memory_kib: memory.parse().unwrap(),
            ticks: number("bellwether_tick_duration_seconds_count ") as u64,
            tick_seconds: number("bellwether_tick_duration_seconds_sum "),
            missed: number("bellwether_ticks_missed_total ") as u64,
            within: within.collect(),
        }
    }

    /// What so many ticks took.
    async fn over(&self, ticks: u64) -> Standing {
        let before = self.standing().await;
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = self.standing().await;
            if now.ticks + now.missed >= before.ticks + before.missed + ticks {
                return since(&before, now);
            }
        }
    }
}

/// What came since; the memory is that of now.
fn since(before: &Standing, now: Standing) -> Standing {
    let within = now.within.iter().zip(&before.within);
    Standing {
        memory_kib: now.memory_kib,
        ticks: now.ticks - before.ticks,
        tick_seconds: now.tick_seconds - before.tick_seconds,
        missed: now.missed - before.missed,
        within: within.map(|(now, then)| (now.0, now.1 - then.1)).collect(),
    }
}

fn report(what: &str, standing: &Standing) {
    println!(
        "{what}: {:.1} MiB, {} ticks, {} missed, {:.2} ms on average, the slowest within {:.0} ms",
        standing.memory_kib as f64 / 1024.0,
        standing.ticks,
        standing.missed,
        1_000.0 * standing.tick_seconds / standing.ticks.max(1) as f64,
        slowest(standing)
    );
}

/// In milliseconds, the bound of the histogram that all ticks lie within.
fn slowest(standing: &Standing) -> f64 {
    let all = |(_, count): &&(f64, u64)| *count == standing.ticks;
    let bound = standing.within.iter().find(all);
    1_000.0 * bound.map_or(f64::INFINITY, |(bound, _)| *bound)
}

async fn follow(address: &str, service: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // So that the kernel takes little for those who don't read.
    socket.set_recv_buffer_size(8 << 10).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    let request =
        format!("GET /api/v1/stream?service={service} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads all that was told until now, and says whether some of it was lost.
async fn reads_missed(mut stream: TcpStream) -> bool {
    let (mut text, mut buffer) = (Vec::new(), vec![0; 1 << 20]);
    let patience = Duration::from_secs(5);
    while let Ok(Ok(read @ 1..)) = tokio::time::timeout(patience, stream.read(&mut buffer)).await {
        text.extend_from_slice(&buffer[..read]);
        if text.windows(13).any(|window| window == b"event: missed") {
            return true;
        }
        let kept = text.len().saturating_sub(16);
        text.drain(..kept);
    }
    false
}
