//! What live tests stand on: a fleet, a Prometheus, a Bellwether, each ended when dropped.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::{
    DEFAULT_JOB, Discovery, Families, Fault, FaultKind, Fleet, LogOptions, LogWriter, ServeOptions,
    SharedFleet, Span, Topology, prometheus_config, serve, shared, system_clock,
    write_openmetrics_by_block,
};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How long anything local may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port that nobody listens on, below those that the system gives to whoever asks for any, and
/// given once: so that it stays free while a test wants nobody to answer there.
pub fn free_port() -> u16 {
    const LOWEST: u32 = 12_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(101);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(number < COUNT, "no loopback port is free");
        let port = LOWEST + first.wrapping_add(number) % COUNT;
        let port = u16::try_from(port).expect("the range lies below 65536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A client that follows nothing and waits at most ten seconds.
pub fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a plain client can be built")
}

/// Tries until there is something, or panics with what was waited for.
pub async fn until<T, F>(what: &str, within: Duration, mut attempt: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let began = Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(
            began.elapsed() < within,
            "{what} did not happen within {within:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How large a test is to be, where the environment says it.
pub fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}

/// Writes a figure for `make show-main-job`, and prints it.
pub fn figure(line: &str, what: &str, figure: impl std::fmt::Display, bar: &str, pass: bool) {
    let verdict = if pass { "pass" } else { "short" };
    println!("FIGURE {line} | {what} | {figure} | {bar} | {verdict}");
    if let Some(path) = std::env::var_os("BELLWETHER_FIGURES") {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .expect("figures file");
        writeln!(file, "{line}\t{what}\t{figure}\t{bar}\t{verdict}").expect("figures file");
    }
}

/// A process that is killed when dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The simulated services, answering on loopback from a runtime of their own.
pub struct SimulatedFleet {
    pub fleet: SharedFleet,
    pub address: String,
    pub logs: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl SimulatedFleet {
    /// Lays `history` at `step` down as Prometheus blocks in `blocks`, and goes on live.
    pub fn start(
        topology: Topology,
        seed: u64,
        dir: &Path,
        history: Option<(Span, Span, &Path)>,
    ) -> SimulatedFleet {
        let now = system_clock()();
        let length = history.map_or(60_000, |(length, _, _)| length.as_millis());
        let mut fleet =
            Fleet::new(topology, Vec::new(), seed, now - length).expect("no faults, no errors");
        if let Some((_, step, blocks)) = history {
            lay_down(&mut fleet, now, length, step, dir, blocks);
        }
        let logs = dir.join("logs");
        let writer = LogWriter::new(&logs, &fleet, now - 60_000, LogOptions::default())
            .expect("logs can be written");
        let fleet = shared(fleet);
        let (address, stop, thread) = answer(fleet.clone(), writer);
        SimulatedFleet {
            fleet,
            address,
            logs,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Starts a fault now; gives the instant in milliseconds.
    pub fn fault(&self, kind: FaultKind, service: &str, seconds: i64, magnitude: f64) -> i64 {
        let mut fleet = self.fleet.lock().expect("the fleet does not panic");
        let now = system_clock()();
        fleet.advance(now);
        let at = Span::from_millis(now - fleet.epoch_ms());
        let fault = Fault {
            at,
            r#for: Span::from_secs(seconds),
            service: service.to_owned(),
            kind,
            magnitude,
        };
        fleet
            .start_fault(fault)
            .expect("the fault fits the topology");
        now
    }

    pub fn log_template(&self) -> String {
        format!("{}/{{service}}/app.json", self.logs.display())
    }
}

impl Drop for SimulatedFleet {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lay_down(fleet: &mut Fleet, now: i64, length: i64, step: Span, dir: &Path, blocks: &Path) {
    let text = dir.join("openmetrics");
    fs::create_dir_all(&text).expect("a temporary folder is writable");
    // Ends before now, or live scrapes are refused as out of bounds.
    let to = now - 2_000;
    let families = Families::Catalogue;
    let files =
        write_openmetrics_by_block(fleet, now - length, to, step, families, &text, DEFAULT_JOB)
            .expect("history can be written");
    for file in files {
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&file, blocks])
            .stdout(Stdio::null())
            .status()
            .expect("promtool is installed (apt-get install prometheus)");
        assert!(made.success(), "promtool refused {}", file.display());
    }
    let _ = fs::remove_dir_all(text);
}

fn answer(
    fleet: SharedFleet,
    logs: LogWriter,
) -> (String, oneshot::Sender<()>, std::thread::JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, address) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be built");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port is free");
            let address = listener
                .local_addr()
                .expect("a bound socket has an address");
            ready
                .send(address.to_string())
                .expect("the test waits for the address");
            let options = ServeOptions {
                logs: Some(logs),
                ..ServeOptions::default()
            };
            let shutdown = async {
                let _ = stopped.await;
            };
            serve(fleet, listener, options, shutdown)
                .await
                .expect("the fleet answers");
        });
    });
    (address.recv().expect("the fleet listens"), stop, thread)
}

/// A real Prometheus that scrapes a fleet.
pub struct PrometheusServer {
    pub url: String,
    port: u16,
    dir: PathBuf,
    process: Option<Process>,
}

impl PrometheusServer {
    /// Starts on what lies in `dir/prometheus`.
    pub async fn start(fleet: &SimulatedFleet, dir: &Path, interval: Span) -> PrometheusServer {
        let config = prometheus_config(
            &Discovery::Http(format!("http://{}/sd", fleet.address)),
            interval,
            DEFAULT_JOB,
        );
        fs::write(dir.join("prometheus.yml"), config).expect("a temporary folder is writable");
        let port = free_port();
        let mut server = PrometheusServer {
            url: format!("http://127.0.0.1:{port}"),
            port,
            dir: dir.to_owned(),
            process: None,
        };
        server.restart().await;
        server
    }

    pub fn stop(&mut self) {
        self.process = None;
    }

    pub async fn restart(&mut self) {
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.dir.join("prometheus.log"))
            .expect("a temporary folder is writable");
        // Another generation than the one on the path, in the long tests.
        let program = std::env::var_os("TEST_PROMETHEUS").unwrap_or("prometheus".into());
        let child = Command::new(program)
            .arg(format!(
                "--config.file={}",
                self.dir.join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                self.dir.join("prometheus").display()
            ))
            .arg("--storage.tsdb.retention.time=60d")
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus is installed (apt-get install prometheus)");
        self.process = Some(Process(child));
        let (client, url) = (client(), format!("{}/-/ready", self.url));
        until("Prometheus ready", PATIENCE, || async {
            let answer = client.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }
}

/// The running binary.
pub struct Bellwether {
    pub url: String,
    pub dir: PathBuf,
    client: reqwest::Client,
    process: Process,
}

impl Bellwether {
    /// Writes `config` (listen, data_dir and log settings are added) to `dir` and serves it.
    pub async fn start(dir: &Path, config: &str, arguments: &[&str]) -> Bellwether {
        let port = free_port();
        let mut server = Bellwether {
            url: format!("http://127.0.0.1:{port}"),
            dir: dir.to_owned(),
            client: client(),
            process: spawn(dir, config, port, arguments),
        };
        server.wait_up().await;
        server
    }

    /// Kills the process without a word and starts it again on the same data.
    pub async fn kill_and_restart(&mut self, config: &str) {
        self.kill();
        self.start_again(config).await;
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.process.0.kill();
        let _ = self.process.0.wait();
    }

    pub async fn start_again(&mut self, config: &str) {
        let port: u16 = self
            .url
            .rsplit(':')
            .next()
            .and_then(|p| p.parse().ok())
            .expect("a port");
        self.process = spawn(&self.dir, config, port, &[]);
        self.wait_up().await;
    }

    /// SIGTERM; gives the exit status and how long it took.
    pub async fn terminate(&mut self) -> (std::process::ExitStatus, Duration) {
        let began = Instant::now();
        let _ = Command::new("kill")
            .arg(self.process.0.id().to_string())
            .status();
        let process = &mut self.process.0;
        loop {
            if let Some(status) = process.try_wait().expect("a child can be waited for") {
                return (status, began.elapsed());
            }
            assert!(began.elapsed() < PATIENCE, "it does not end on SIGTERM");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops it in the middle of whatever it does, and lets it go on after `pause`.
    pub async fn stall(&self, pause: Duration) {
        for (signal, pause) in [("-STOP", pause), ("-CONT", Duration::ZERO)] {
            let told = Command::new("kill")
                .args([signal, &self.process.0.id().to_string()])
                .status();
            assert!(told.is_ok_and(|status| status.success()), "{signal}");
            tokio::time::sleep(pause).await;
        }
    }

    /// As [`Bellwether::start`], without waiting for an answer; [`Bellwether::up`] waits.
    pub fn spawned(dir: &Path, config: &str) -> Bellwether {
        let port = free_port();
        Bellwether {
            url: format!("http://127.0.0.1:{port}"),
            dir: dir.to_owned(),
            client: client(),
            process: spawn(dir, config, port, &[]),
        }
    }

    /// As [`Bellwether::start_again`], without waiting for an answer.
    pub fn spawn_again(&mut self, config: &str) {
        let port = self.url.rsplit(':').next().and_then(|p| p.parse().ok());
        self.process = spawn(&self.dir, config, port.expect("a port"), &[]);
    }

    /// Waits until it answers; says how long that took.
    pub async fn up(&mut self) -> Duration {
        let began = Instant::now();
        self.wait_up().await;
        began.elapsed()
    }

    async fn wait_up(&mut self) {
        let (client, url) = (self.client.clone(), format!("{}/healthz", self.url));
        let log = self.dir.join("bellwether.log");
        let process = &mut self.process.0;
        let began = Instant::now();
        loop {
            if client
                .get(&url)
                .send()
                .await
                .is_ok_and(|answer| answer.status().is_success())
            {
                return;
            }
            let ended = process.try_wait().expect("a child can be waited for");
            assert!(
                ended.is_none() && began.elapsed() < PATIENCE,
                "Bellwether does not come up ({ended:?}): {}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Its own log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("bellwether.log")).unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.client.get(format!("{}{path}", self.url));
        answer_of(request, path).await
    }

    pub async fn post(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.client.post(format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer_of(request.timeout(Duration::from_secs(300)), path).await
    }

    pub async fn text(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await;
        answer.expect("an answer").text().await.expect("a text")
    }

    /// Waits until so many models are in use.
    pub async fn models(&self, count: u64, within: Duration) {
        until("models", within, || async {
            let (_, status) = self.get("/api/v1/status").await;
            (status["models"].as_u64()? >= count).then_some(())
        })
        .await;
    }

    /// Incidents of the list, newest first.
    pub async fn incidents(&self) -> Vec<Value> {
        let (status, page) = self.get("/api/v1/incidents?limit=1000").await;
        assert_eq!(status, 200, "{page}");
        page["items"].as_array().cloned().unwrap_or_default()
    }
}

async fn answer_of(request: reqwest::RequestBuilder, path: &str) -> (u16, Value) {
    let answer = request
        .send()
        .await
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap_or_default();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

fn spawn(dir: &Path, config: &str, port: u16, arguments: &[&str]) -> Process {
    let file = dir.join("bellwether.yaml");
    let data = dir.join("data");
    let whole = format!(
        "{config}\nlisten: 127.0.0.1:{port}\ndata_dir: {}\n",
        data.display()
    );
    fs::write(&file, whole).expect("a temporary folder is writable");
    let log = File::options()
        .append(true)
        .create(true)
        .open(dir.join("bellwether.log"))
        .expect("a temporary folder is writable");
    let child = Command::new(env!("CARGO_BIN_EXE_bellwether"))
        .args(["serve", "--config"])
        .arg(&file)
        .args(arguments)
        .env_clear()
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the binary was built");
    Process(child)
}

/// The `decide` and tick settings of the mission, every duration scaled by tick ÷ 15 s.
pub fn scaled(tick: Duration) -> String {
    let scale = |seconds: f64| {
        format!(
            "{}ms",
            (seconds * 1000.0 * tick.as_secs_f64() / 15.0).round() as u64
        )
    };
    format!(
        "tick: {}ms\nevaluation_delay: 1s\ndecide: {{ open_after: {}, critical_after: {}, quiet_period: {}, down_after: {} }}\n",
        tick.as_millis(),
        scale(30.0),
        scale(120.0),
        scale(300.0),
        scale(60.0)
    )
}

/// A temporary folder; kept where BELLWETHER_KEEP is set, for a look after a failure.
pub fn folder() -> TempDir {
    let mut folder = tempfile::tempdir().expect("a temporary folder can be made");
    if std::env::var_os("BELLWETHER_KEEP").is_some() {
        folder.disable_cleanup(true);
        println!("kept: {}", folder.path().display());
    }
    folder
}

/// Runs a build of the binary to its end: any subcommand but `serve`.
pub fn run(binary: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new(binary)
        .args(arguments)
        .env_clear()
        .output()
        .expect("the binary was built")
}
