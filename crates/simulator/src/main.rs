//! `bellwether-simulator`: serves a simulated fleet, lays down its history, and says the truth about it; records real
//! services, and makes days of past of that.

mod args;
mod endpoint;
mod record;
mod remote_write;
mod tile;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use args::{Cli, Command, HistoryArgs, ServeArgs, TruthArgs};
use clap::Parser;
use simulator::{
    Discovery, LogOptions, LogWriter, ServeOptions, TruthMetric, prometheus_config, serve, shared,
    system_clock, write_openmetrics, write_openmetrics_by_block, write_sd_file,
};
use tokio::net::TcpListener;
use tracing::info;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    match cli.command {
        Command::Serve(args) => serve_fleet(args).await,
        Command::History(args) => history(&args),
        Command::Truth(args) => truth(&args),
        Command::PrometheusConfig(args) => {
            let discovery = match args.sd_file {
                Some(path) => Discovery::File(path),
                None => Discovery::Http(args.sd_url),
            };
            print!(
                "{}",
                prometheus_config(&discovery, args.interval, &args.job)
            );
            Ok(())
        }
        Command::Record(args) => record::record(&args).await,
        Command::Tile(args) => tile::tile(&args).await,
    }
}

async fn serve_fleet(args: ServeArgs) -> Result<()> {
    let clock = system_clock();
    let started_ms = clock();
    let epoch_ms = started_ms - args.history.as_millis();
    let mut fleet = args.fleet.fleet(epoch_ms)?;
    let listener = TcpListener::bind(&args.listen)
        .await
        .with_context(|| format!("listen on {}", args.listen))?;
    let address = match &args.public_address {
        Some(address) => address.clone(),
        None => listener.local_addr()?.to_string(),
    };

    if let Some(path) = &args.history_out {
        let out = create(path)?;
        let to_ms = started_ms - 1;
        let summary = write_openmetrics(
            &mut fleet,
            epoch_ms,
            to_ms,
            args.history_step,
            args.families.into(),
            out,
            &args.job,
        )
        .with_context(|| format!("write history to {}", path.display()))?;
        info!(path = %path.display(), samples = summary.samples, bytes = summary.bytes, "history written");
    }
    fleet.advance(started_ms);

    let logs = match &args.logs {
        Some(dir) => {
            let from_ms = epoch_ms.max(started_ms - args.logs_history.as_millis());
            let options = LogOptions {
                max_bytes: args.logs_max_bytes,
                ..LogOptions::default()
            };
            let mut logs = LogWriter::new(dir, &fleet, from_ms, options)?;
            logs.write_until(&fleet, started_ms)?;
            Some(logs)
        }
        None => None,
    };
    if let Some(path) = &args.sd_file {
        write_sd_file(path, fleet.topology(), &address)
            .with_context(|| format!("write service discovery to {}", path.display()))?;
    }

    let instances: usize = fleet
        .topology()
        .services()
        .iter()
        .map(|service| service.instances)
        .sum();
    println!(
        "fleet of {} services ({instances} instances) on http://{address}  discovery /sd  faults /faults  truth /truth",
        fleet.topology().services().len()
    );
    let options = ServeOptions {
        clock,
        public_address: Some(address),
        logs,
        ..ServeOptions::default()
    };
    serve(shared(fleet), listener, options, asked_to_end())
        .await
        .context("serve")?;
    info!("ended");
    Ok(())
}

async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate => info!(signal = "SIGTERM", "ending"),
        _ = tokio::signal::ctrl_c() => info!(signal = "SIGINT", "ending"),
    }
}

fn history(args: &HistoryArgs) -> Result<()> {
    let until_ms = args
        .until
        .map_or_else(|| system_clock()(), |until| until.as_millisecond());
    let from_ms = until_ms - args.length.as_millis();
    let mut fleet = args.fleet.fleet(from_ms)?;
    let (to_ms, families) = (until_ms - 1, args.families.into());
    if let Some(dir) = &args.by_block {
        let blocks = write_openmetrics_by_block(
            &mut fleet, from_ms, to_ms, args.step, families, dir, &args.job,
        )
        .with_context(|| format!("write history into {}", dir.display()))?;
        info!(files = blocks.len(), dir = %dir.display(), "history written");
        return Ok(());
    }
    let out: Box<dyn Write> = if args.out == Path::new("-") {
        Box::new(BufWriter::new(io::stdout().lock()))
    } else {
        Box::new(create(&args.out)?)
    };
    let summary = write_openmetrics(
        &mut fleet, from_ms, to_ms, args.step, families, out, &args.job,
    )
    .with_context(|| format!("write history to {}", args.out.display()))?;
    info!(
        scrapes = summary.scrapes,
        samples = summary.samples,
        bytes = summary.bytes,
        "history written"
    );
    Ok(())
}

fn truth(args: &TruthArgs) -> Result<()> {
    let metric: TruthMetric = args.metric.parse()?;
    let epoch_ms = args.epoch.as_millisecond();
    let fleet = args.fleet.fleet(epoch_ms)?;
    if let Some(service) = &args.service {
        fleet.truth(service, metric, epoch_ms)?;
    }
    if args.step.as_millis() == 0 {
        bail!("--step must be longer than 0s");
    }
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "time,service,metric,value")?;
    let from_ms = epoch_ms + args.from.as_millis();
    let mut t_ms = from_ms;
    while t_ms <= from_ms + args.length.as_millis() {
        let time = jiff::Timestamp::from_millisecond(t_ms)?;
        for (service, condition) in fleet
            .topology()
            .services()
            .iter()
            .zip(fleet.conditions_at(t_ms))
        {
            if args
                .service
                .as_ref()
                .is_none_or(|wanted| *wanted == service.name)
            {
                writeln!(
                    out,
                    "{time},{},{metric},{}",
                    service.name,
                    metric.of(&condition)
                )?;
            }
        }
        t_ms += args.step.as_millis();
    }
    out.flush()?;
    Ok(())
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(
        1 << 20,
        File::create(path).with_context(|| format!("create {}", path.display()))?,
    ))
}
