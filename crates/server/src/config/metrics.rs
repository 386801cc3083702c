//! The catalogue: the built-in metrics, with what the settings change and add.

use std::collections::BTreeMap;

use domain::{
    Catalogue, CatalogueError, Combine, Direction, MetricId, MetricSpec, ServiceId, Thresholds,
};

use super::keys::key;
use super::nearest::nearest;
use super::problem::quoted;
use super::raw::{RawMetric, RawService};
use super::resolve::Resolver;

/// The pack of what Spring Boot services say.
const SPRING: &str = "spring";

type Specs = BTreeMap<MetricId, MetricSpec>;
type Services = BTreeMap<ServiceId, RawService>;

impl Resolver<'_> {
    /// Every metric is checked on its own, so that what is refused has its place; the catalogue
    /// of those that remain is returned.
    pub(super) fn catalogue(
        &mut self,
        packs: &[String],
        metrics: BTreeMap<MetricId, RawMetric>,
        services: Services,
    ) -> Catalogue {
        let pack = (!packs.is_empty()).then(Catalogue::spring_pack);
        let mut specs: Specs = Catalogue::default_three()
            .iter()
            .chain(pack.iter().flat_map(Catalogue::iter))
            .map(|spec| (spec.id.clone(), spec.clone()))
            .collect();
        let named: Vec<MetricId> = metrics.keys().cloned().collect();
        for (id, raw) in metrics {
            let path = ["metrics", id.as_str()];
            let Some(spec) = self.metric(&id, raw, &specs) else {
                continue;
            };
            if self.accepts(&spec, &path) {
                specs.insert(id, spec);
            }
        }
        self.services(services, &mut specs, &named);
        Catalogue::new(specs.into_values()).expect("each metric was checked")
    }

    /// The named sets of metrics; those that aren't known are refused.
    pub(super) fn packs(&mut self, given: Option<Vec<String>>) -> Vec<String> {
        let packs = given.unwrap_or_default();
        for (index, pack) in packs.iter().enumerate() {
            if pack != SPRING {
                let what = format!("`packs` has {}", quoted(pack));
                let advice = format!("it must be {}", key("packs").range);
                self.refuse(&["packs", &index.to_string()], what, advice);
            }
        }
        packs
    }

    fn metric(&mut self, id: &MetricId, raw: RawMetric, specs: &Specs) -> Option<MetricSpec> {
        let mut spec = match (specs.get(id), &raw.query) {
            (Some(spec), _) => spec.clone(),
            (None, Some(query)) => added(id, query),
            (None, None) => {
                let advice = match nearest(id.as_str(), specs.keys().map(MetricId::as_str)) {
                    Some(built_in) => format!("did you mean `metrics.{built_in}`?"),
                    None => {
                        "a new metric needs a query, such as 'sum by ($identity, instance) (…)'"
                            .to_owned()
                    }
                };
                let what = format!("`metrics.{id}` has no query");
                self.refuse(&["metrics", id.as_str()], what, advice);
                return None;
            }
        };
        if let Some(query) = raw.query {
            spec.fallback = None;
            spec.query = query;
        }
        if let Some((low, high)) = raw.valid {
            // Finite inside: what has no bound has the widest one.
            spec.valid = (low.max(f64::MIN), high.min(f64::MAX));
        }
        spec.title = raw.title.unwrap_or(spec.title);
        spec.unit = raw.unit.unwrap_or(spec.unit);
        spec.fallback = raw.fallback.or(spec.fallback);
        spec.direction = raw.direction.unwrap_or(spec.direction);
        spec.thresholds.high = raw.high.or(spec.thresholds.high);
        spec.thresholds.critical = raw.critical.or(spec.thresholds.critical);
        spec.minimum_deviation = raw.minimum_deviation.unwrap_or(spec.minimum_deviation);
        spec.combine = raw.combine.unwrap_or(spec.combine);
        spec.at_least_from = raw.at_least_from.or(spec.at_least_from);
        if spec.at_least_from.is_some_and(|value| !value.is_finite()) {
            let path = ["metrics", id.as_str(), "at_least_from"];
            let what = format!("`{}` is not finite", path.join("."));
            self.refuse(&path, what, "it must be finite");
        }
        Some(spec)
    }

    fn services(&mut self, services: Services, specs: &mut Specs, named: &[MetricId]) {
        for (service, raw) in services {
            for (id, raw) in raw.metrics.unwrap_or_default() {
                let path = ["services", service.as_str(), "metrics", id.as_str()];
                let Some(spec) = specs.get(&id) else {
                    if !named.contains(&id) {
                        let known: Vec<&str> = specs.keys().map(MetricId::as_str).collect();
                        let advice = match nearest(id.as_str(), known.iter().copied()) {
                            Some(known) => format!("did you mean `{known}`?"),
                            None => format!("the metrics are {}", known.join(", ")),
                        };
                        self.refuse(&path, format!("unknown metric `{id}`"), advice);
                    }
                    continue;
                };
                let thresholds = Thresholds {
                    high: raw.high.or(spec.thresholds.high),
                    critical: raw.critical.or(spec.thresholds.critical),
                };
                let alone = MetricSpec {
                    thresholds,
                    ..spec.clone()
                };
                if self.accepts(&alone, &path)
                    && let Some(spec) = specs.get_mut(&id)
                {
                    spec.of_service.insert(service.clone(), thresholds);
                }
            }
        }
    }

    /// The catalogue's own check, with its answer at the key it is about.
    fn accepts(&mut self, spec: &MetricSpec, path: &[&str]) -> bool {
        let Err(error) = Catalogue::new([spec.clone()]) else {
            return true;
        };
        let (field, what, advice) = match error {
            CatalogueError::Name(name) => ("", name.to_string(), String::new()),
            CatalogueError::NoIdentity { .. } => {
                let field = if spec.query.contains("$identity") {
                    "fallback"
                } else {
                    "query"
                };
                (
                    field,
                    format!("`{}.{field}` has no `$identity`", path.join(".")),
                    "its series can't be told apart by service; write e.g. \
                     'sum by ($identity, instance) (…)'"
                        .to_owned(),
                )
            }
            CatalogueError::Value {
                field, value, must, ..
            } => (
                field,
                format!("`{}.{field}` is `{value}`", path.join(".")),
                format!("it must be {must}"),
            ),
        };
        let field_path: Vec<&str> = path.iter().copied().chain([field]).collect();
        self.refuse(&field_path, what, advice);
        false
    }
}

fn added(id: &MetricId, query: &str) -> MetricSpec {
    MetricSpec {
        id: id.clone(),
        title: id.to_string(),
        unit: String::new(),
        query: query.to_owned(),
        fallback: None,
        direction: Direction::Up,
        thresholds: Thresholds::default(),
        minimum_deviation: 0.0,
        valid: (f64::MIN, f64::MAX),
        combine: Combine::Max,
        at_least_from: None,
        of_service: BTreeMap::new(),
    }
}
