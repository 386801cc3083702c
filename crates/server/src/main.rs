//! The program: settings, build, say what listens where, run, drain, leave.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use server::app::App;
use server::cli::{Cli, Command, LabCommand, ModelCommand, NotifyCommand, Serve, Settings};
use server::config::{Config, Loaded, LogFormat};
use server::live::Loading;
use server::terminal::Terminal;
use server::{
    backup, config, credentials, demo, doctor, incidents, lab, manual, model, notify_test, offline,
    remote, replay, source, why,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bellwether: {error:#}");
            if is_about_settings(&error) {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Also what only shows when the settings are put to use, such as a CA file without a certificate.
fn is_about_settings(error: &anyhow::Error) -> bool {
    error.is::<config::ConfigError>()
        || error.is::<sources::PrometheusError>()
        || error.is::<lab::InputError>()
        || error.is::<lab::DetectionError>()
        || error.is::<lab::LogShiftError>()
        || error.is::<lab::LogsError>()
        || error.is::<lab::PromqlError>()
        || error.is::<access::IssueError>()
        || error.is::<source::TargetsError>()
        || error.is::<remote::RemoteError>()
        || error.is::<doctor::DoctorError>()
        || error.is::<notify_test::NotifyTestError>()
        || error.is::<model::ModelShowError>()
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(serve) => in_runtime(serve_until_stopped(serve)),
        Command::Demo(asked) => in_runtime(async move {
            let stop = stop_signal()?;
            demo::run(asked, stop).await
        }),
        Command::Replay(replay) => match &replay.file {
            Some(file) => replay::recording(file, replay.json),
            None => {
                let loaded = load(&replay.settings)?;
                start_logging(&loaded.config, None);
                in_runtime(replay::past(loaded.config, &replay))
            }
        },
        Command::Train(train) => {
            let loaded = load(&train.settings)?;
            start_logging(&loaded.config, None);
            in_runtime(offline::train(loaded.config, &train))
        }
        Command::Doctor(asked) => {
            let loaded = load(&asked.settings)?;
            for warning in &loaded.warnings {
                eprintln!("bellwether: warning: {warning}");
            }
            in_runtime(doctor::doctor(loaded.config, &asked))
        }
        Command::Why(asked) => in_runtime(async move { why::why(&asked).await }),
        Command::Incidents(asked) => in_runtime(async move { incidents::incidents(&asked).await }),
        Command::Backup(asked) => {
            let config = load(&asked.settings)?.config;
            in_runtime(async move { backup::backup(config, &asked).await })
        }
        Command::Completions(asked) => Ok(manual::completions(&asked)),
        Command::Man(asked) => manual::man(&asked),
        Command::Notify(notify) => match &notify.command {
            NotifyCommand::Test(asked) => {
                let loaded = load(&asked.settings)?;
                in_runtime(notify_test::notify_test(loaded.config, asked))
            }
        },
        Command::Model(asked) => match &asked.command {
            ModelCommand::Show(show) => model::show(&load(&show.settings)?.config, show),
        },
        Command::Lab(lab) => match &lab.command {
            LabCommand::Week(week) => lab::week(week),
            LabCommand::Story(story) => lab::story(story),
            LabCommand::Detect(asked) => lab::detect(asked),
            LabCommand::LogShift(asked) => lab::log_shift(asked),
            LabCommand::Logs(logs) => lab::logs(logs),
            LabCommand::Promql(asked) => lab::promql(asked),
        },
        Command::CheckConfig(settings) => {
            let loaded = load(&settings)?;
            println!("# effective configuration, from {}", loaded.source);
            for warning in &loaded.warnings {
                println!("# warning: {warning}");
            }
            for line in source::kept(&loaded.config)? {
                println!("# {line}");
            }
            print!("{}", config::effective_yaml(&loaded.config));
            Ok(ExitCode::SUCCESS)
        }
        Command::Access(asked) => {
            credentials::issue(&asked.command)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Version => {
            println!(
                "bellwether {}\nlayout of data_dir: {}, model format: 1, recording format: 1",
                env!("CARGO_PKG_VERSION"),
                store::LAYOUT_VERSION
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn load(settings: &Settings) -> anyhow::Result<Loaded> {
    Ok(settings.load()?)
}

fn in_runtime(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let code = runtime.block_on(work);
    runtime.shutdown_background();
    code
}

async fn serve_until_stopped(serve: Serve) -> anyhow::Result<ExitCode> {
    let loaded = load(&serve.settings)?;
    let on_terminal = io::stderr().is_terminal() && loaded.config.log.format == LogFormat::Text;
    let terminal = on_terminal.then(Terminal::default);
    let log_level = start_logging(&loaded.config, terminal.as_ref());
    for warning in &loaded.warnings {
        tracing::warn!(warning, "configuration");
    }
    let metrics = match &loaded.config.scrape {
        Some(targets) => format!("scraped from the targets of {}", targets.display()),
        None => loaded.config.prometheus.url.to_string(),
    };
    let data_dir = loaded.config.data_dir.display().to_string();
    let source = loaded.source.to_string();
    let stop = stop_signal()?;
    let mut hangup = signal(SignalKind::hangup())?;
    let settings = serve.settings;
    let loading = Loading {
        loaded,
        again: Box::new(move || settings.load()),
        applied: Box::new(move |config| log_level.set(config)),
    };
    let app = App::start(loading, serve.record.as_deref()).await?;
    tracing::info!(address = %format!("http://{}", app.address), metrics, data_dir, config = %source, "listening");
    let work = app.work();
    let shown = async move {
        match terminal {
            Some(terminal) => terminal.show(work).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(stop, shown);
    loop {
        tokio::select! {
            () = &mut stop => break,
            () = &mut shown => {}
            Some(()) = hangup.recv() => {
                // What came of it is logged, and shown in the status.
                let _ = app.reloads.reload().await;
            }
        }
    }
    tracing::info!("stopping");
    app.stop().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Signals count from now on, also those that come before anyone waits for them.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The level of the log, which a reload may change.
struct LogLevel(Option<reload::Handle<EnvFilter, Registry>>);

impl LogLevel {
    fn set(&self, config: &Config) {
        let Some(handle) = &self.0 else { return };
        if let Err(error) = handle.reload(filter(config)) {
            tracing::error!(%error, "the level of the log could not be changed");
        }
    }
}

fn filter(config: &Config) -> EnvFilter {
    let level = format!("{:?}", config.log.level).to_lowercase();
    EnvFilter::new(format!(
        "warn,server={level},bellwether={level},sources={level},store={level}"
    ))
}

/// On a terminal, text goes through it, so that bars stay below.
fn start_logging(config: &Config, terminal: Option<&Terminal>) -> LogLevel {
    let (filter, handle) = reload::Layer::new(filter(config));
    let registry = tracing_subscriber::registry().with(filter);
    let started = match (config.log.format, terminal) {
        (LogFormat::Json, _) => {
            let logs = fmt::layer().json().flatten_event(true);
            registry.with(logs.with_writer(io::stderr)).try_init()
        }
        (LogFormat::Text, Some(terminal)) => {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
            let logs = fmt::layer().with_ansi(!plain).with_writer(terminal.clone());
            registry.with(logs).try_init()
        }
        (LogFormat::Text, None) => {
            let logs = fmt::layer().with_ansi(false).with_writer(io::stderr);
            registry.with(logs).try_init()
        }
    };
    if started.is_err() {
        eprintln!("bellwether: logging was started already");
        return LogLevel(None);
    }
    LogLevel(Some(handle))
}
