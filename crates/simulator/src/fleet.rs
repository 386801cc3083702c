//! The fleet as it goes through time: counters that grow, processes that restart, faults that come and go.

use crate::conditions::{self, Condition, Normals};
use crate::counters::{Layout, Weather};
use crate::faults::{Effects, Fault, FaultError, FaultKind, ScheduledFault};
use crate::gauges::{InstanceNoise, Readings};
use crate::noise::Noise;
use crate::page::{Figures, Form, Page};
use crate::topology::{Service, Topology};
use crate::truth::{TruthError, TruthMetric};

/// Counters grow at one pace within a cell of this grid, whatever the steps `advance` is called with.
const CELL_MS: i64 = 15_000;

pub(crate) const FIRST_VERSION: &str = "1.0.0";

/// N simulated services. Time is passed in; nothing here reads a clock.
#[derive(Debug)]
pub struct Fleet {
    topology: Topology,
    normals: Normals,
    seed: u64,
    epoch_ms: i64,
    now_ms: i64,
    faults: Vec<Vec<ScheduledFault>>,
    next_fault_id: u64,
    stretch: Stretch,
    conditions: Vec<Condition>,
    services: Vec<RunningService>,
}

/// Part of a cell during which no fault begins or ends.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from_ms: i64,
    to_ms: i64,
}

impl Stretch {
    fn seconds(self) -> f64 {
        (self.to_ms - self.from_ms) as f64 / 1e3
    }

    fn elapsed_at(self, now_ms: i64) -> f64 {
        (now_ms - self.from_ms) as f64 / (self.to_ms - self.from_ms) as f64
    }
}

#[derive(Debug)]
struct RunningService {
    layout: Layout,
    version: String,
    page: Page,
    rate_noise: Noise,
    latency_noise: Noise,
    instances: Vec<Instance>,
}

#[derive(Debug)]
struct Instance {
    started_ms: i64,
    counted: Vec<f64>,
    adding: Vec<f64>,
    noise: InstanceNoise,
    weather: Noise,
}

impl Fleet {
    /// A fleet whose history begins at `epoch_ms` (milliseconds since 1970 UTC); `at` of the faults counts from there.
    pub fn new(
        topology: Topology,
        faults: Vec<Fault>,
        seed: u64,
        epoch_ms: i64,
    ) -> Result<Self, FaultError> {
        let normals = Normals::new(&topology, seed);
        let services = (0..topology.services().len())
            .map(|position| RunningService::new(&topology, position, seed, epoch_ms))
            .collect::<Vec<_>>();
        let mut fleet = Fleet {
            faults: vec![Vec::new(); services.len()],
            topology,
            normals,
            seed,
            epoch_ms,
            now_ms: epoch_ms,
            next_fault_id: 1,
            stretch: Stretch {
                from_ms: epoch_ms,
                to_ms: epoch_ms,
            },
            conditions: Vec::new(),
            services,
        };
        for fault in faults {
            let from_ms = epoch_ms + fault.at.as_millis();
            fleet.schedule(fault, from_ms)?;
        }
        fleet.begin_stretch(epoch_ms);
        Ok(fleet)
    }

    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn epoch_ms(&self) -> i64 {
        self.epoch_ms
    }

    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Lets time pass until `to_ms`. An earlier instant than the present one changes nothing.
    pub fn advance(&mut self, to_ms: i64) {
        while self.stretch.to_ms <= to_ms {
            let end = self.stretch.to_ms;
            self.count_until(end);
            self.begin_stretch(end);
        }
        self.now_ms = self.now_ms.max(to_ms);
    }

    /// The scrape of one instance (numbered from 1): `None` when it does not answer or does not exist.
    /// `now_ms` lies within what `advance` has reached, or less than a cell beyond.
    pub fn expose(&self, service: &str, instance: usize, now_ms: i64) -> Option<String> {
        let position = self.topology.position(service)?;
        let mut text = String::with_capacity(64 * 1024);
        let form = Form {
            headers: true,
            catalogue_only: false,
            suffix: "",
        };
        self.write_page(
            &self.services[position].page,
            position,
            instance,
            now_ms,
            form,
            &mut text,
        )?;
        Some(text)
    }

    pub(crate) fn write_page(
        &self,
        page: &Page,
        position: usize,
        instance: usize,
        now_ms: i64,
        form: Form<'_>,
        out: &mut String,
    ) -> Option<usize> {
        let index = instance.checked_sub(1)?;
        let (_, readings) = self.readings(position, index, now_ms)?;
        let condition = &self.conditions[position];
        let running = &self.services[position];
        let Instance {
            counted, adding, ..
        } = &running.instances[index];
        let gust = 0.1
            * running
                .latency_noise
                .fork(instance as u64)
                .bell(now_ms.div_euclid(60_000));
        let figures = Figures {
            counted,
            adding,
            elapsed: self.elapsed(now_ms),
            stretch_seconds: self.stretch.seconds(),
            readings: &readings,
            latency: condition.latency.scaled(gust),
            call_latency: &|call| condition.calls[call].latency.scaled(gust),
        };
        Some(page.write(out, &figures, form))
    }

    /// When an instance (numbered from 0) was started and what its gauges show; `None` when it does not answer.
    pub(crate) fn readings(
        &self,
        position: usize,
        index: usize,
        now_ms: i64,
    ) -> Option<(i64, Readings)> {
        let condition = &self.conditions[position];
        let instance = self.services[position].instances[..condition.alive].get(index)?;
        let readings = Readings::take(
            &self.topology.services()[position],
            condition,
            &instance.noise,
            instance.started_ms,
            now_ms,
        );
        Some((instance.started_ms, readings))
    }

    pub(crate) fn layout(&self, position: usize) -> &Layout {
        &self.services[position].layout
    }

    /// The value of a counter of an instance (numbered from 0).
    pub(crate) fn counter(&self, position: usize, index: usize, slot: usize, now_ms: i64) -> f64 {
        let Instance {
            counted, adding, ..
        } = &self.services[position].instances[index];
        counted[slot] + adding[slot] * self.elapsed(now_ms)
    }

    /// How much of the present stretch is over, 0..1.
    fn elapsed(&self, now_ms: i64) -> f64 {
        self.stretch.elapsed_at(now_ms).clamp(0.0, 1.0)
    }

    pub(crate) fn page_for_history(&self, position: usize, labels: &[(&str, &str)]) -> Page {
        let running = &self.services[position];
        Page::new(
            &self.topology.services()[position],
            &running.layout,
            &running.version,
            labels,
        )
    }

    /// What is deployed of a service at the present instant.
    pub fn version(&self, service: &str) -> Option<&str> {
        Some(
            self.services[self.topology.position(service)?]
                .version
                .as_str(),
        )
    }

    pub(crate) fn version_at(&self, position: usize) -> &str {
        &self.services[position].version
    }

    /// The noise-free truth at any instant, before or after the present one; NaN where nothing answers.
    pub fn truth(&self, service: &str, metric: TruthMetric, t_ms: i64) -> Result<f64, TruthError> {
        let Some(position) = self.topology.position(service) else {
            return Err(TruthError::UnknownService {
                service: service.to_owned(),
                known: self.topology.names(),
            });
        };
        Ok(metric.of(&self.conditions_at(t_ms)[position]))
    }

    /// The noise-free condition of all services, in the order of the topology.
    pub fn conditions_at(&self, t_ms: i64) -> Vec<Condition> {
        conditions::conditions(&self.topology, &self.normals, &self.faults, t_ms)
    }

    /// All faults, past and to come, in the order they begin.
    pub fn faults(&self) -> Vec<&ScheduledFault> {
        let mut faults: Vec<_> = self.faults.iter().flatten().collect();
        faults.sort_by_key(|fault| (fault.from_ms, fault.id));
        faults
    }

    /// Adds a fault that begins at the present instant; its `at` is not looked at.
    pub fn start_fault(&mut self, fault: Fault) -> Result<ScheduledFault, FaultError> {
        let now_ms = self.now_ms;
        let scheduled = self.schedule(fault, now_ms)?;
        self.cut();
        Ok(scheduled)
    }

    /// Ends a fault at the present instant; one that has not begun never does.
    pub fn end_fault(&mut self, id: u64) -> Result<ScheduledFault, FaultError> {
        let now_ms = self.now_ms;
        let fault = self
            .faults
            .iter_mut()
            .flatten()
            .find(|fault| fault.id == id)
            .ok_or(FaultError::UnknownId { id })?;
        fault.until_ms = fault.until_ms.min(now_ms.max(fault.from_ms));
        let ended = fault.clone();
        if ended.from_ms > now_ms {
            self.faults
                .iter_mut()
                .for_each(|list| list.retain(|fault| fault.id != id));
        }
        self.cut();
        Ok(ended)
    }

    fn schedule(&mut self, fault: Fault, from_ms: i64) -> Result<ScheduledFault, FaultError> {
        let position = fault.check(&self.topology)?;
        let until_ms = from_ms.saturating_add(fault.r#for.as_millis());
        let scheduled = ScheduledFault {
            id: self.next_fault_id,
            service: fault.service,
            kind: fault.kind,
            magnitude: fault.magnitude,
            from_ms,
            until_ms,
            planned_until_ms: until_ms,
        };
        self.next_fault_id += 1;
        self.faults[position].push(scheduled.clone());
        Ok(scheduled)
    }

    /// Ends the present stretch here and now, because the faults are no longer those it began with.
    fn cut(&mut self) {
        self.count_until(self.now_ms);
        self.begin_stretch(self.now_ms);
    }

    fn count_until(&mut self, t_ms: i64) {
        let elapsed = self.stretch.elapsed_at(t_ms);
        for instance in self
            .services
            .iter_mut()
            .flat_map(|service| &mut service.instances)
        {
            for (counted, adding) in instance.counted.iter_mut().zip(&instance.adding) {
                *counted += adding * elapsed;
            }
        }
    }

    fn begin_stretch(&mut self, from_ms: i64) {
        let grid = (from_ms.div_euclid(CELL_MS) + 1) * CELL_MS;
        let to_ms = self
            .faults
            .iter()
            .flatten()
            .flat_map(|fault| [fault.from_ms, fault.until_ms])
            .filter(|&boundary| boundary > from_ms)
            .fold(grid, i64::min);
        self.stretch = Stretch { from_ms, to_ms };
        let middle_ms = from_ms + (to_ms - from_ms) / 2;
        self.conditions = self.conditions_at(middle_ms);
        for (position, running) in self.services.iter_mut().enumerate() {
            let service = &self.topology.services()[position];
            running.restart(service, &self.faults[position], from_ms);
            running.plan(service, &self.conditions[position], self.stretch, middle_ms);
        }
    }
}

impl RunningService {
    fn new(topology: &Topology, position: usize, seed: u64, epoch_ms: i64) -> Self {
        let service = &topology.services()[position];
        let layout = Layout::new(topology, position);
        let instances = (1..=service.instances)
            .map(|number| {
                let weather = Noise::new(seed, &service.name, number, "weather");
                Instance {
                    started_ms: epoch_ms - 8_000 - (weather.uniform(-1) * 60_000.0) as i64,
                    counted: vec![0.0; layout.len],
                    adding: vec![0.0; layout.len],
                    noise: InstanceNoise::new(seed, &service.name, number),
                    weather,
                }
            })
            .collect();
        RunningService {
            page: Page::new(service, &layout, FIRST_VERSION, &[]),
            layout,
            version: FIRST_VERSION.to_owned(),
            rate_noise: Noise::new(seed, &service.name, 0, "rate"),
            latency_noise: Noise::new(seed, &service.name, 0, "latency"),
            instances,
        }
    }

    /// New processes where a release was rolled out or back, and where what was stopped comes up again.
    fn restart(&mut self, service: &Service, faults: &[ScheduledFault], at_ms: i64) {
        let touches = |fault: &ScheduledFault, kind| {
            fault.kind == kind && (fault.from_ms == at_ms || fault.until_ms == at_ms)
        };
        let released = faults
            .iter()
            .any(|fault| touches(fault, FaultKind::BadRelease));
        let resumed = faults
            .iter()
            .any(|fault| fault.kind == FaultKind::Stopped && fault.until_ms == at_ms);
        if !released && !resumed {
            return;
        }
        let stayed = if released {
            0
        } else {
            Effects::at(faults, at_ms - 1).alive(service.instances)
        };
        for instance in self.instances.iter_mut().skip(stayed) {
            instance.started_ms = at_ms;
            instance.counted.fill(0.0);
        }
        let version = version_at(faults, at_ms);
        if version != self.version {
            self.page = Page::new(service, &self.layout, &version, &[]);
            self.version = version;
        }
    }

    fn plan(&mut self, service: &Service, condition: &Condition, stretch: Stretch, middle_ms: i64) {
        let cell = middle_ms.div_euclid(CELL_MS);
        let tide = 0.04 * self.rate_noise.smooth(middle_ms, 600_000);
        let swell = 0.04 * self.latency_noise.smooth(middle_ms, 240_000);
        for (i, instance) in self.instances.iter_mut().enumerate() {
            if i >= condition.alive {
                instance.adding.fill(0.0);
                continue;
            }
            let noise = instance.weather;
            let weather = Weather {
                rate: 1.0 + tide + 0.03 * noise.bell(cell),
                ln_latency: swell + 0.04 * noise.fork(1).bell(cell),
                failing: 1.0 + 0.1 * noise.fork(2).bell(cell),
            };
            self.layout.fill(
                &mut instance.adding,
                service,
                condition,
                stretch.seconds(),
                weather,
            );
        }
    }
}

/// The k-th bad release of a service is version 1.k.0; otherwise it runs the first.
pub(crate) fn version_at(faults: &[ScheduledFault], t_ms: i64) -> String {
    let mut releases: Vec<_> = faults
        .iter()
        .filter(|fault| fault.kind == FaultKind::BadRelease)
        .collect();
    releases.sort_by_key(|fault| (fault.from_ms, fault.id));
    releases
        .iter()
        .rposition(|fault| fault.holds_at(t_ms))
        .map_or_else(|| FIRST_VERSION.to_owned(), |k| format!("1.{}.0", k + 1))
}

impl Fleet {
    pub(crate) fn faults_of(&self, position: usize) -> &[ScheduledFault] {
        &self.faults[position]
    }
}
