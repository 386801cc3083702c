//! Collection: one look at Prometheus becomes services and, for each series, a sample or a gap.
//!
//! One query per metric for all services and three for the whole fleet; a fallback only while a
//! service needs it. At discovery one of the three asks for a range, whose end is what the instant
//! would say and whose rest says scrape intervals. Each failure is a value.

mod ask;
mod fallback;
mod judge;
mod remarks;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{
    Catalogue, Collection, Gap, MetricSpec, SeriesId, ServiceId, ServiceObservation, SourceState,
    Timestamp,
};
use jiff::SignedDuration;

use crate::backfill::{Backfill, BackfillRequest};
use crate::discover::{Fleet, FleetQueries, Places, Sightings, spacings};
use crate::evidence::EvidenceQueries;
use crate::expression::{filled, range};
use crate::identity::{DEFAULT_IDENTITY, Identity, Origin, SettingsError};
use crate::prometheus::{Prometheus, VectorSample};
use crate::selection::Selection;

use ask::{Asked, Replies, Subject};
use judge::MetricView;
use remarks::Remarks;

pub use ask::QueryTiming;

/// Spacing is asked again after this.
const DISCOVERY_EVERY: Duration = Duration::from_secs(600);
/// And because of new services, not more often than this.
const DISCOVERY_REST: Duration = Duration::from_secs(60);
/// Nobody waits longer to learn the server's clock.
const SKEW_DEADLINE: Duration = Duration::from_secs(2);
/// Discovery looks back over so many ticks.
const DISCOVERY_TICKS: u32 = 120;
/// What is collected, and within which bounds.
#[derive(Clone, Debug)]
pub struct CollectSettings {
    /// The labels that name a service, the first with a value counts.
    pub identity: Vec<String>,
    /// The labels that stand before the name, such as namespace.
    pub scope: Vec<String>,
    pub catalogue: Catalogue,
    /// The distance of evaluation instants.
    pub tick: Duration,
    /// The most services.
    pub services_max: usize,
    /// The most series, that is services times metrics.
    pub series_max: usize,
    /// The deadline of each query.
    pub metric_deadline: Duration,
}

impl CollectSettings {
    /// The defaults for a catalogue: a tick of 15 s, 2,000 services, 20,000 series, 10 s a query.
    pub fn of(catalogue: Catalogue) -> CollectSettings {
        CollectSettings {
            identity: DEFAULT_IDENTITY.map(String::from).to_vec(),
            scope: Vec::new(),
            catalogue,
            tick: Duration::from_secs(15),
            services_max: 2_000,
            series_max: 20_000,
            metric_deadline: Duration::from_secs(10),
        }
    }
}

/// What one look brought, and how the looking went.
#[derive(Clone, Debug)]
pub struct Collected {
    pub collection: Collection,
    /// Queries that were sent.
    pub queries: u32,
    /// How many series have which gap.
    pub gaps: BTreeMap<Gap, u32>,
    /// Each query, in the order of asking.
    pub timings: Vec<QueryTiming>,
    /// The server's clock minus ours, zero up to five seconds; none where no answer says it.
    pub skew: Option<SignedDuration>,
    /// The longest that the server asked us to wait.
    pub retry_after: Option<Duration>,
}

/// Looks at one Prometheus, tick by tick.
#[derive(Debug)]
pub struct Collector {
    prometheus: Prometheus,
    catalogue: Catalogue,
    identity: Identity,
    tick: Duration,
    metric_deadline: Duration,
    /// The most services and series.
    limits: (usize, usize),
    services_max: usize,
    fleet_queries: FleetQueries,
    fleet: Fleet,
    places: Places,
    discovered: Option<Timestamp>,
    newcomers: bool,
}

impl Collector {
    /// # Errors
    /// Labels that are none; no identity label; a tick, deadline or limit of zero.
    pub fn new(
        prometheus: Prometheus,
        settings: CollectSettings,
    ) -> Result<Collector, SettingsError> {
        let identity = Identity::new(settings.identity, settings.scope)?;
        for (field, zero) in [
            ("tick", settings.tick.is_zero()),
            ("metric_deadline", settings.metric_deadline.is_zero()),
            ("services_max", settings.services_max == 0),
            ("series_max", settings.series_max == 0),
        ] {
            if zero {
                return Err(SettingsError::Zero { field });
            }
        }
        let limits = (settings.services_max, settings.series_max);
        let services_max = services_max(limits, &settings.catalogue);
        Ok(Collector {
            limits,
            prometheus,
            fleet_queries: FleetQueries::new(&identity),
            catalogue: settings.catalogue,
            identity,
            tick: settings.tick,
            metric_deadline: settings.metric_deadline,
            services_max,
            fleet: Fleet::new(services_max),
            places: Places::default(),
            discovered: None,
            newcomers: false,
        })
    }

    /// Collects other metrics from the next look on.
    pub fn collect_metrics(&mut self, catalogue: Catalogue) {
        self.services_max = services_max(self.limits, &catalogue);
        self.fleet.allow(self.services_max);
        self.catalogue = catalogue;
    }

    /// Makes services known that were known before a restart, as gone until they are seen.
    pub fn remember(&mut self, services: impl IntoIterator<Item = ServiceId>, at: Timestamp) {
        for service in services {
            self.fleet.admit(&service, at);
        }
    }

    /// The distance of a service's samples: the larger of the tick and their median spacing.
    pub fn step(&self, service: &ServiceId) -> Duration {
        self.fleet
            .services
            .get(service)
            .map_or(self.tick, |known| known.step(self.tick))
    }

    /// The server's clock minus ours, as [`Collected::skew`], by a question that costs it nothing.
    pub async fn skew(&self, now: Timestamp) -> Option<SignedDuration> {
        let asked = self.prometheus.instant_within(
            "vector(1)",
            now,
            self.metric_deadline.min(SKEW_DEADLINE),
        );
        let answer = asked.await.ok()?;
        answer.skew.map(|_| answer.applied_skew())
    }

    /// One look: all services and all their series at `at`.
    pub async fn collect(&mut self, at: Timestamp) -> Collected {
        let mut replies = self.ask(self.plan(at), at).await;
        if replies.lacks_scrape_times(at) {
            let query = self.fleet_queries.scraped.clone();
            let subject = Subject::Scraped;
            replies.extend(self.ask(vec![Asked { subject, query }], at).await);
        }
        let mut remarks = Remarks::default();

        let mut views = self.views(&mut replies, &mut remarks);
        let sightings = self.sight(&replies, &views, at, &mut remarks);
        let certain = replies.answered(&Subject::Scraped) && replies.answered(&Subject::Up);
        self.admit(&sightings, &views, at, &mut remarks);
        self.learn_origins(&sightings, &views);
        self.see(&sightings, &views, certain, at);
        self.take_spacings(&mut replies, at);

        let fallbacks = self.fallbacks(&views, at);
        if !fallbacks.is_empty() {
            let mut second = self.ask(fallbacks, at).await;
            self.take_fallbacks(&mut second, &mut views, at, &mut remarks);
            replies.extend(second);
        }
        replies.remark_messages(&mut remarks);
        remarks.about_skew(replies.skew().unwrap_or_default());
        let source = replies.source_state();
        let series = self.judge(&sightings, &views, &source, certain, at);
        let mut gaps = BTreeMap::new();
        for gap in series.iter().filter_map(|series| series.outcome.err()) {
            *gaps.entry(gap).or_default() += 1;
        }
        Collected {
            queries: replies.count(),
            gaps,
            skew: replies.skew(),
            retry_after: replies.retry_after(),
            timings: replies.timings,
            collection: Collection {
                at,
                source,
                services: self.observed(),
                series,
                remarks: remarks.texts(),
            },
        }
    }

    /// A backfill of the known services, which runs apart from the collector.
    pub fn backfill(&self, request: BackfillRequest) -> Backfill {
        let proxied: BTreeSet<SeriesId> = self
            .fleet
            .services
            .iter()
            .flat_map(|(service, known)| {
                let proxied = known.series.iter().filter(|(_, memory)| memory.proxied);
                proxied.map(|(metric, _)| SeriesId {
                    service: service.clone(),
                    metric: metric.clone(),
                })
            })
            .collect();
        let steps: BTreeMap<ServiceId, Duration> = self
            .fleet
            .services
            .iter()
            .map(|(service, known)| (service.clone(), known.step(self.tick)))
            .collect();
        let instances = self.fleet.services.values();
        Backfill {
            prometheus: self.prometheus.clone(),
            catalogue: self.catalogue.clone(),
            identity: self.identity.clone(),
            labels: self.identity.labels_with(&[]),
            range: range(self.fleet.scrape_interval()),
            steps,
            proxied,
            raw_series: instances.map(|known| known.instances.max(1) as usize).sum(),
            request,
        }
    }

    /// Further queries about one service, which run apart from the collector. A service that isn't
    /// known is looked for in all identity labels.
    pub fn evidence(&self, service: &ServiceId) -> EvidenceQueries {
        let known = self.fleet.services.get(service);
        let origins: Vec<Origin> = known
            .into_iter()
            .flat_map(|known| known.origins.iter().cloned())
            .collect();
        let range = range(self.fleet.scrape_interval());
        EvidenceQueries {
            prometheus: self.prometheus.clone(),
            catalogue: self.catalogue.clone(),
            service: service.clone(),
            selection: Selection::of(&self.identity, service, &origins, range),
            by: self.identity.labels_with(&[]),
            deadline: self.metric_deadline,
        }
    }

    fn plan(&self, at: Timestamp) -> Vec<Asked> {
        let mut plan: Vec<Asked> = self
            .catalogue
            .iter()
            .map(|spec| Asked {
                subject: Subject::Metric(spec.id.clone()),
                query: self.expression(&spec.query),
            })
            .collect();
        let fleet = &self.fleet_queries;
        let scraped = if self.discovery_is_due(at) {
            Subject::Spacing {
                from: at - self.tick * (DISCOVERY_TICKS - 1),
                step: self.tick,
            }
        } else {
            Subject::Scraped
        };
        for (subject, query) in [
            (scraped, &fleet.scraped),
            (Subject::Started, &fleet.started),
            (Subject::Up, &fleet.up),
        ] {
            let query = query.clone();
            plan.push(Asked { subject, query });
        }
        plan
    }

    fn discovery_is_due(&self, at: Timestamp) -> bool {
        self.discovered.is_none_or(|last| {
            let rest = if self.newcomers {
                DISCOVERY_REST
            } else {
                DISCOVERY_EVERY
            };
            at.since(last) >= rest || last > at
        })
    }

    fn expression(&self, query: &str) -> String {
        let labels = self.identity.labels_with(&[]);
        filled(query, &labels, range(self.fleet.scrape_interval()))
    }

    async fn ask(&self, plan: Vec<Asked>, at: Timestamp) -> Replies {
        ask::all(&self.prometheus, plan, at, self.metric_deadline).await
    }

    fn sight(
        &mut self,
        replies: &Replies,
        views: &[MetricView],
        at: Timestamp,
        remarks: &mut Remarks,
    ) -> Sightings {
        for (service, labels) in views.iter().flat_map(MetricView::series) {
            self.places.learn_from(labels, service, at);
        }
        let sightings = Sightings::read(
            &self.identity,
            &mut self.places,
            at,
            replies.vector(&Subject::Scraped),
            replies.vector(&Subject::Started),
            replies.vector(&Subject::Up),
        );
        remarks.about_sightings(&sightings);
        sightings
    }

    fn views(&self, replies: &mut Replies, remarks: &mut Remarks) -> Vec<MetricView> {
        let view = |spec: &MetricSpec| {
            let answer = replies.take_vector(&Subject::Metric(spec.id.clone()));
            let sorted = answer.map(|answer| self.sorted(answer));
            if let Some(sorted) = &sorted {
                remarks.about_naming(&spec.id, sorted);
            }
            MetricView::new(spec.clone(), sorted)
        };
        self.catalogue.iter().map(view).collect()
    }

    fn sorted(&self, answer: Vec<VectorSample>) -> crate::identity::Sorted<f64> {
        self.identity.sort(
            answer
                .into_iter()
                .map(|sample| (sample.labels, sample.value)),
        )
    }

    /// New services come from values, or from targets whose own labels name them; a process or a
    /// job alone doesn't make a service, or Prometheus itself would be one.
    fn admit(
        &mut self,
        sightings: &Sightings,
        views: &[MetricView],
        at: Timestamp,
        remarks: &mut Remarks,
    ) {
        let by_target = sightings.of.iter().filter(|(_, s)| s.named_by_target);
        let mut names: BTreeSet<&ServiceId> = by_target.map(|(service, _)| service).collect();
        names.extend(views.iter().flat_map(MetricView::services));
        let mut refused = Vec::new();
        for service in names {
            let is_new = !self.fleet.services.contains_key(service);
            if !self.fleet.admit(service, at) {
                refused.push(service);
            } else if is_new {
                self.newcomers = true;
            }
        }
        remarks.about_refused(&refused, self.services_max);
        remarks.about_collisions(&self.identity, sightings, views);
    }

    fn learn_origins(&mut self, sightings: &Sightings, views: &[MetricView]) {
        for (service, origins) in sightings
            .origins
            .iter()
            .chain(views.iter().flat_map(MetricView::origins))
        {
            if let Some(known) = self.fleet.services.get_mut(service) {
                known.learn_origins(origins.iter());
            }
        }
    }

    fn see(&mut self, sightings: &Sightings, views: &[MetricView], certain: bool, at: Timestamp) {
        for (service, known) in &mut self.fleet.services {
            let has_values = views.iter().any(|view| view.has(service));
            known.see(sightings.of.get(service), has_values, certain, at);
            for view in views.iter().filter(|view| view.has(service)) {
                let memory = known.series.entry(view.spec.id.clone()).or_default();
                memory.exposed = Some(at);
                memory.proxied = false;
            }
        }
    }

    fn take_spacings(&mut self, replies: &mut Replies, at: Timestamp) {
        if !replies.asked_spacing() {
            return;
        }
        self.discovered = Some(at);
        let answer = replies.take_matrix();
        self.newcomers = answer.is_none();
        let answer = answer.unwrap_or_default();
        for (service, spacings) in spacings(&self.identity, answer) {
            if let Some(known) = self.fleet.services.get_mut(&service) {
                known.set_spacings(spacings);
            }
        }
    }

    fn observed(&self) -> Vec<ServiceObservation> {
        let services = self.fleet.services.iter();
        services
            .map(|(id, known)| {
                let process = known.newest_process.as_ref();
                ServiceObservation {
                    id: id.clone(),
                    presence: known.presence,
                    instances: known.instances,
                    started: process.map(|process| process.started),
                    version: process.and_then(|process| process.version.clone()),
                    step: known.step(self.tick),
                }
            })
            .collect()
    }

    fn judge(
        &mut self,
        sightings: &Sightings,
        views: &[MetricView],
        source: &SourceState,
        certain: bool,
        at: Timestamp,
    ) -> Vec<domain::SeriesObservation> {
        let tick = self.tick;
        let mut series = Vec::with_capacity(self.fleet.services.len() * views.len());
        for (service, known) in &mut self.fleet.services {
            let sighting = sightings.of.get(service);
            let instant = judge::Instant::of(known, sighting, certain, tick, at);
            for view in views {
                let memory = known.series.entry(view.spec.id.clone()).or_default();
                series.push(if source.is_down() {
                    view.gap(service, Gap::SourceDown)
                } else {
                    view.judge(service, &instant, sighting, memory)
                });
            }
        }
        series
    }
}

/// As many services as both limits allow.
fn services_max((services, series): (usize, usize), catalogue: &Catalogue) -> usize {
    let by_series = series / catalogue.len().max(1);
    services.min(by_series.max(1))
}
