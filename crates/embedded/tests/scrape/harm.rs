//! What holds for any bytes as a scrape configuration; the fuzz target runs it, too.

use embedded::scrape::{ScrapeConfig, Targets};

/// Reads a configuration. One that is accepted keeps Prometheus's rules.
pub fn read_all(file: &[u8]) {
    let Ok(text) = std::str::from_utf8(file) else {
        return;
    };
    let Ok((mut config, warnings)) = ScrapeConfig::parse(text, "folder/prometheus.yml") else {
        return;
    };
    assert!(
        warnings
            .iter()
            .all(|line| line.starts_with("folder/prometheus.yml:"))
    );
    for job in &config.jobs {
        assert!(
            !job.timeout.is_zero() && job.timeout <= job.interval,
            "{job:?}"
        );
        assert!(job.metrics_path.starts_with('/'), "{job:?}");
    }
    // Whatever the disk holds is no matter of the configuration.
    config.jobs.iter_mut().for_each(|job| job.files.clear());
    let (targets, _) = Targets::default().find(&config);
    for target in targets {
        assert!(target.labels.get("instance").is_some(), "{target:?}");
        assert!(
            target
                .labels
                .iter()
                .all(|(name, _)| !name.starts_with("__"))
        );
    }
}
