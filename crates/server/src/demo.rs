//! `bellwether demo`: a simulated shop, the embedded store and one fault, in this process.
//!
//! Nothing in it is special: the shop answers scrapes over HTTP, the server runs by a configuration
//! that is written out beside its data, and what is told comes from the server's own API.

mod fault;
mod narrator;
mod past;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use simulator::{
    DEFAULT_JOB, Discovery, Fleet, LogOptions, LogWriter, ServeOptions, SharedFleet, Span,
    Topology, prometheus_config, target_groups,
};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::App;
use crate::cli::Demo;
use crate::clock;
use crate::config::{Config, Loaded};
use crate::live::Loading;
use crate::stopping::stopped;
use crate::storage::Storage;

pub use fault::Story;
use narrator::Narrator;

/// Distance of the scrapes of the past.
const PAST_STEP: Duration = Duration::from_secs(60);
const SCRAPE_INTERVAL: Span = Span::from_secs(5);
/// Log files begin so long before the demo.
const LOGGED_PAST: Duration = Duration::from_secs(600);
/// Ports that are tried after the wanted one.
const PORTS_TRIED: u16 = 50;

/// Runs until `stop`, or until its seconds are over.
///
/// # Errors
/// A story that can't be told, a folder that is in use or can't be written, no free port.
pub async fn run(demo: Demo, stop: impl Future<Output = ()>) -> anyhow::Result<ExitCode> {
    let topology = topology(&demo)?;
    let story = Story::of(&demo, &topology)?;
    let run = demo.dir.join("run");
    let _lock = lock(&demo.dir)?;
    renew(&run)?;
    log_into(&run.join("bellwether.log"))?;
    let (stopping, told) = watch::channel(false);
    let narrated = narrated(&demo, topology, story, &run, told);
    tokio::pin!(stop, narrated);
    let outcome = tokio::select! {
        outcome = &mut narrated => outcome,
        () = stop => {
            say("Ending Bellwether and the shop.");
            stopping.send_replace(true);
            narrated.await
        }
    };
    outcome?;
    say(&format!(
        "Ended. What was written lies in {} until the next start.",
        run.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Starts the parts, tells what happens, and ends the parts in the order in which they lean on
/// each other.
async fn narrated(
    demo: &Demo,
    topology: Topology,
    story: Story,
    run: &Path,
    mut told: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let services = topology.services().len();
    let (fleet_listener, fleet_address) =
        listener(SocketAddr::from((Ipv4Addr::LOCALHOST, 9600))).await?;
    let (listener, address) = listener(demo.listen).await?;
    if address != demo.listen {
        say(&format!(
            "Port {} is taken; Bellwether listens on {}.",
            demo.listen.port(),
            address.port()
        ));
    }
    let config = write_config(run, address, fleet_address, &topology)?;
    say(&format!(
        "Laying down {} days of history for {services} services.",
        demo.history.as_millis() / 86_400_000
    ));
    let now = clock::now();
    let began = tokio::time::Instant::now();
    let (seed, history) = (
        demo.seed,
        Duration::from_secs_f64(demo.history.as_secs_f64().max(0.0)),
    );
    let settings = config.config.clone();
    // Held while the past is laid into it.
    let storage = Storage::open(&settings.data_dir, now).await?;
    let work = tokio::task::spawn_blocking(move || {
        let epoch = now - history;
        let mut fleet = Fleet::new(topology, Vec::new(), seed, epoch.as_millis())?;
        past::lay_down(&mut fleet, &settings, (epoch, now), PAST_STEP)?;
        anyhow::Ok(fleet)
    });
    let fleet = tokio::select! {
        fleet = work => fleet??,
        () = stopped(&mut told) => return Ok(()),
    };
    drop(storage);
    say(&format!(
        "Laid down in {:.1} s.",
        began.elapsed().as_secs_f64()
    ));

    let shop = Shop::open(fleet, fleet_listener, &run.join("logs"))?;
    // The port was only held so that nobody else takes it.
    drop(listener);
    let app = App::start(Loading::fixed(config.config), None).await?;
    let narrator = Narrator::new(
        app.address,
        Arc::clone(&shop.fleet),
        story,
        services,
        demo.seconds.map(Duration::from_secs),
    )?;
    let outcome = narrator.tell(told).await;
    app.stop().await;
    shop.close().await;
    outcome
}

/// The simulated services, answering.
struct Shop {
    fleet: SharedFleet,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Shop {
    fn open(mut fleet: Fleet, listener: TcpListener, logs: &Path) -> anyhow::Result<Shop> {
        let now = clock::now();
        fleet.advance(now.as_millis());
        let from = (now - LOGGED_PAST).as_millis().max(fleet.epoch_ms());
        let mut logs = LogWriter::new(logs, &fleet, from, LogOptions::default())?;
        logs.write_until(&fleet, now.as_millis())?;
        let fleet = simulator::shared(fleet);
        let (stop, mut told) = watch::channel(false);
        let options = ServeOptions {
            logs: Some(logs),
            ..ServeOptions::default()
        };
        let serving = tokio::spawn(simulator::serve(
            Arc::clone(&fleet),
            listener,
            options,
            async move { stopped(&mut told).await },
        ));
        Ok(Shop {
            fleet,
            stop,
            serving,
        })
    }

    async fn close(self) {
        self.stop.send_replace(true);
        // Connections that are kept open are nobody's any more.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.serving).await;
    }
}

fn topology(demo: &Demo) -> anyhow::Result<Topology> {
    let Some(path) = &demo.topology else {
        return Ok(Topology::shop());
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    Topology::parse(&text).with_context(|| format!("topology {}", path.display()))
}

/// Writes what the demo runs with, so that it can be read and run by `serve` as well.
fn write_config(
    run: &Path,
    address: SocketAddr,
    fleet: SocketAddr,
    topology: &Topology,
) -> anyhow::Result<Loaded> {
    let targets = Discovery::Static(target_groups(topology, &fleet.to_string()));
    let targets = prometheus_config(&targets, SCRAPE_INTERVAL, DEFAULT_JOB);
    std::fs::write(run.join("prometheus.yml"), targets)?;
    let path = |name: &str| quoted(&run.join(name));
    let text = format!(
        "# What the demo runs with; everything else is the default.\n\
         scrape: {}\n\
         packs: [spring]\n\
         tick: 5s\n\
         evaluation_delay: 5s\n\
         embedded: {{ retention: 7d }}\n\
         logs: [ {{ path: {} }} ]\n\
         listen: {address}\n\
         data_dir: {}\n",
        path("prometheus.yml"),
        path("logs/{service}/app.json"),
        path("data"),
    );
    let file = run.join("config.yaml");
    std::fs::write(&file, text)?;
    Ok(Config::load(Some(&file), std::iter::empty(), &[])?)
}

/// A path as a text of YAML.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}

/// The wanted address, or the next port that is free.
async fn listener(wanted: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let mut address = wanted;
    for _ in 0..PORTS_TRIED {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let address = listener.local_addr()?;
                return Ok((listener, address));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                address.set_port(address.port().wrapping_add(1).max(1024));
            }
            Err(error) => return Err(error).with_context(|| format!("listen on {address}")),
        }
    }
    anyhow::bail!("no free port from {wanted} on; choose another with --listen")
}

/// One demo in a folder.
fn lock(dir: &Path) -> anyhow::Result<std::fs::File> {
    std::fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
    let path = dir.join("lock");
    let file = std::fs::File::create(&path).with_context(|| format!("make {}", path.display()))?;
    let held = file.try_lock();
    anyhow::ensure!(
        held.is_ok(),
        "another demo runs in {}; end it first, or choose another folder with --dir",
        dir.display()
    );
    Ok(file)
}

/// An empty folder in place of what the last demo left.
fn renew(run: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(run) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("empty {}", run.display()))?;
        }
        _ => {}
    }
    std::fs::create_dir_all(run).with_context(|| format!("make {}", run.display()))
}

/// Our own events go into a file; the terminal is for the story.
fn log_into(path: &Path) -> anyhow::Result<()> {
    let file = std::fs::File::create(path).with_context(|| format!("make {}", path.display()))?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(
            "warn,server=info,sources=info",
        ))
        .with_ansi(false)
        .with_writer(Mutex::new(file));
    if logs.try_init().is_err() {
        say("Logging was started already.");
    }
    Ok(())
}

/// A line of the story, with the time of day.
fn say(text: &str) {
    let now = clock::now();
    let time = jiff::Timestamp::from_millisecond(now.as_millis()).map_or_else(
        |_| String::new(),
        |time| {
            let local = time.to_zoned(jiff::tz::TimeZone::system());
            local.strftime("%H:%M:%S").to_string()
        },
    );
    tell(&format!("{time}  {text}"));
}

/// A text as it is. Where nobody reads any more, the demo goes on all the same.
fn tell(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
