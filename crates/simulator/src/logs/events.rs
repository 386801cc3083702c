//! What a service has to say during one second, given its condition.

use crate::conditions::{Cause, Condition};
use crate::counters::{HEAP_IS_WORTH_A_LINE, LogRates};
use crate::faults::{FaultKind, ScheduledFault};
use crate::fleet::{Fleet, version_at};
use crate::noise::Noise;
use crate::prometheus::instance_label;
use crate::topology::Service;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }

    /// Logback's number for it.
    pub(crate) fn value(self) -> u32 {
        match self {
            Level::Info => 20_000,
            Level::Warn => 30_000,
            Level::Error => 40_000,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) at_ns: i64,
    pub(crate) level: Level,
    pub(crate) logger: String,
    pub(crate) thread: String,
    pub(crate) pid: u32,
    pub(crate) node: String,
    pub(crate) message: String,
    pub(crate) trace: Option<Trace>,
    pub(crate) failure: Option<Failure>,
}

#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
}

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) class: &'static str,
    pub(crate) message: String,
    pub(crate) stack_trace: String,
}

/// A service at one second.
pub(crate) struct Speaker<'a> {
    service: &'a Service,
    fleet: &'a Fleet,
    faults: &'a [ScheduledFault],
    conditions: &'a [Condition],
    condition: &'a Condition,
    version: String,
    second: i64,
    noise: Noise,
    /// Shared by the fleet, so that a failure has one trace id in callee and caller.
    traces: Noise,
}

impl<'a> Speaker<'a> {
    pub(crate) fn new(
        fleet: &'a Fleet,
        position: usize,
        conditions: &'a [Condition],
        second: i64,
    ) -> Self {
        let service = &fleet.topology().services()[position];
        let faults = fleet.faults_of(position);
        Speaker {
            service,
            fleet,
            faults,
            conditions,
            condition: &conditions[position],
            version: version_at(faults, second * 1_000 + 999),
            second,
            noise: Noise::new(fleet.seed(), &service.name, 0, "log").fork(second as u64),
            traces: Noise::new(fleet.seed(), "", 0, "trace").fork(second as u64),
        }
    }

    pub(crate) fn service_name(&self) -> &str {
        &self.service.name
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The lines of this second in the order of time.
    pub(crate) fn events(&self) -> Vec<Event> {
        let rates = LogRates::of(self.condition);
        let mut events = Vec::new();
        for (level, rate, tag) in [
            (Level::Info, rates.info, 1_000),
            (Level::Warn, rates.warn, 2_000),
            (Level::Error, rates.error, 3_000),
        ] {
            let count = (rate + self.noise.uniform(tag)) as i64;
            for k in 0..count {
                events.push(match level {
                    Level::Info => self.info(tag + k + 1),
                    Level::Warn => self.warn(tag + k + 1),
                    Level::Error => self.error(k, tag + k + 1),
                });
            }
        }
        self.restarts(&mut events);
        events.sort_by_key(|event| event.at_ns);
        events
    }

    fn line(&self, level: Level, draw: i64, logger: &str, message: String) -> Event {
        let noise = self.noise.fork(draw as u64);
        let instance = 1 + noise.bits(0) as usize % self.condition.alive.max(1);
        let worker = 1 + noise.bits(1) % 10;
        Event {
            at_ns: self.second * 1_000_000_000 + (noise.uniform(2) * 999_999_999.0) as i64,
            level,
            logger: logger.to_owned(),
            thread: format!("http-nio-8080-exec-{worker}"),
            pid: self.pid(instance),
            node: instance_label(&self.service.name, instance),
            message,
            trace: None,
            failure: None,
        }
    }

    fn pid(&self, instance: usize) -> u32 {
        7_000 + (Noise::new(0, &self.service.name, instance, "pid").bits(0) % 2_000) as u32
    }

    fn traced(&self, mut event: Event, k: i64, draw: i64) -> Event {
        event.trace = Some(Trace {
            trace_id: format!(
                "{:016x}{:016x}",
                self.traces.bits(2 * k),
                self.traces.bits(2 * k + 1)
            ),
            span_id: format!("{:016x}", self.noise.bits(draw + 50_000)),
        });
        event
    }

    fn info(&self, draw: i64) -> Event {
        let (package, class) = self.service.java_names();
        let id = self.noise.bits(draw) % 90_000 + 10_000;
        let message = match self.noise.bits(draw + 10_000) % 4 {
            0 => format!("created {} {id}", self.service.name),
            1 => format!("looked up {} {id}", self.service.name),
            2 => format!(
                "updated {} {id} in {} ms",
                self.service.name,
                5 + self.noise.bits(draw + 20_000) % 90
            ),
            _ => format!("served {} {id} from cache", self.service.name),
        };
        let event = self.line(
            Level::Info,
            draw,
            &format!("{package}.{class}Controller"),
            message,
        );
        self.traced(event, 100_000 + draw, draw)
    }

    fn warn(&self, draw: i64) -> Event {
        let (package, class) = self.service.java_names();
        let effects = &self.condition.effects;
        let service = &self.service.name;
        let ms = (self.condition.lat * (0.6 + 0.6 * self.noise.uniform(draw))) as u64;
        let slow_call = self
            .condition
            .calls
            .iter()
            .filter(|call| !call.refused)
            .map(|call| (call.callee, call.latency.quantile(0.99)))
            .filter(|(_, p99)| *p99 > 0.7)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let (part, message) = if effects.deadlock > 0.0 {
            let waiting = self.condition.blocked_threads.round();
            (
                "LockMonitor",
                format!(
                    "{waiting} threads blocked for {} s waiting for lock on {package}.{class}Cache",
                    ms / 100
                ),
            )
        } else if effects.pool_exhausted > 0.0 {
            let waiting = self.condition.pool_pending.round();
            (
                "Repository",
                format!(
                    "HikariPool-1 - no idle connection (total=10, active=10, idle=0, waiting={waiting})"
                ),
            )
        } else if effects.bad_release > 0.0 {
            (
                "Repository",
                format!(
                    "query of {service} took {ms} ms: full scan, index not used since version {}",
                    self.version
                ),
            )
        } else if effects.slow > 0.0 {
            (
                "Backend",
                format!("backend of {service} answered after {ms} ms (expected below 300 ms)"),
            )
        } else if effects.cpu_burn > 0.0 {
            (
                "Recalculation",
                format!(
                    "recalculation of {service} index has used {} s of CPU",
                    10 + ms / 10
                ),
            )
        } else if self.condition.mem > HEAP_IS_WORTH_A_LINE {
            let heap = self.condition.mem.round();
            (
                "SessionCache",
                format!(
                    "session cache of {service} holds {} entries, heap at {heap} %",
                    100 * ms
                ),
            )
        } else if let Some((callee, p99)) = slow_call {
            let callee = &self.fleet.topology().services()[callee].name;
            let took = (p99 * 1e3 * (0.7 + 0.4 * self.noise.uniform(draw))).min(5_000.0) as u64;
            (
                "Client",
                format!("call to {callee} took {took} ms (expected below 500 ms)"),
            )
        } else {
            ("Controller", format!("request to {service} took {ms} ms"))
        };
        let event = self.line(
            Level::Warn,
            draw,
            &format!("{package}.{class}{part}"),
            message,
        );
        self.traced(event, 200_000 + draw, draw)
    }

    fn error(&self, k: i64, draw: i64) -> Event {
        let (package, class) = self.service.java_names();
        let service = &self.service.name;
        let cause = self.failing_cause(draw);
        let (message, failure) = match cause {
            Cause::Own => (
                format!("{service} processing failed"),
                self.failure("java.lang.IllegalStateException", format!("{service} ledger inconsistent"), "process"),
            ),
            Cause::Pool => (
                "HikariPool-1 - Connection is not available, request timed out after 3000ms".to_owned(),
                self.failure(
                    "org.springframework.jdbc.CannotGetJdbcConnectionException",
                    format!(
                        "Failed to obtain JDBC Connection: HikariPool-1 - Connection is not available, request timed out after 3000ms (total=10, active=10, idle=0, waiting={})",
                        self.condition.pool_pending.round()
                    ),
                    "load",
                ),
            ),
            Cause::CalleeFailed => {
                let callee = self.worst_callee(|call| call.failed);
                (
                    format!("{callee} call failed"),
                    self.failure(
                        "org.springframework.web.client.HttpServerErrorException$InternalServerError",
                        format!("500 Internal Server Error on GET request for \"http://{callee}:8080/{callee}/17\""),
                        "call",
                    ),
                )
            }
            Cause::CalleeSilent => {
                let callee = self.worst_callee(|call| call.silent);
                let refused = self
                    .fleet
                    .topology()
                    .position(&callee)
                    .is_some_and(|position| self.conditions[position].alive == 0);
                let why = if refused { "Connection refused" } else { "Read timed out after 5000 ms" };
                (
                    format!("{callee} call failed"),
                    self.failure(
                        "org.springframework.web.client.ResourceAccessException",
                        format!("I/O error on GET request for \"http://{callee}:8080/{callee}/17\": {why}"),
                        "call",
                    ),
                )
            }
        };
        let mut event = self.line(
            Level::Error,
            draw,
            &format!("{package}.{class}Controller"),
            message,
        );
        event.failure = Some(failure);
        self.traced(event, k, draw)
    }

    /// Drawn in proportion to the failing shares.
    fn failing_cause(&self, draw: i64) -> Cause {
        let failing = &self.condition.failing;
        let mut left = self.noise.uniform(draw + 30_000) * failing.iter().sum::<f64>();
        for cause in Cause::ALL {
            left -= failing[cause as usize];
            if left < 0.0 {
                return cause;
            }
        }
        Cause::Own
    }

    fn worst_callee(&self, badness: impl Fn(&crate::conditions::CallCondition) -> f64) -> String {
        self.condition
            .calls
            .iter()
            .max_by(|a, b| (badness(a) * a.rate).total_cmp(&(badness(b) * b.rate)))
            .map(|call| self.fleet.topology().services()[call.callee].name.clone())
            .unwrap_or_default()
    }

    fn failure(&self, class: &'static str, message: String, method: &str) -> Failure {
        let (package, name) = self.service.java_names();
        let mut stack_trace = format!(
            "{class}: {message}\n\tat {package}.{name}Service.{method}({name}Service.java:73)\n\tat {package}.{name}Controller.handle({name}Controller.java:41)\n"
        );
        stack_trace.push_str(FRAMEWORK_FRAMES);
        Failure {
            class,
            message,
            stack_trace,
        }
    }

    fn restarts(&self, events: &mut Vec<Event>) {
        let this_second = |t_ms: i64| t_ms.div_euclid(1_000) == self.second;
        for fault in self.faults {
            let starts = match fault.kind {
                FaultKind::BadRelease => this_second(fault.from_ms) || this_second(fault.until_ms),
                FaultKind::Stopped => this_second(fault.until_ms),
                _ => false,
            };
            if !starts {
                continue;
            }
            let stopped_ms = if this_second(fault.from_ms) {
                fault.from_ms
            } else {
                fault.until_ms
            };
            for instance in 1..=self.service.instances {
                self.startup(events, instance, stopped_ms);
            }
        }
    }

    fn startup(&self, events: &mut Vec<Event>, instance: usize, at_ms: i64) {
        let (package, class) = self.service.java_names();
        let pid = self.pid(instance);
        let application = format!("{package}.{class}Application");
        let lines = [
            (
                application.clone(),
                format!(
                    "Starting {class}Application v{} using Java 17.0.15 with PID {pid} (/app/{}.jar started by app in /app)",
                    self.version, self.service.name
                ),
            ),
            (
                "org.springframework.boot.tomcat.TomcatWebServer".to_owned(),
                "Tomcat started on port 8080 (http) with context path '/'".to_owned(),
            ),
            (
                application,
                format!("Started {class}Application in 5.814 seconds (process running for 6.402)"),
            ),
        ];
        for (k, (logger, message)) in lines.into_iter().enumerate() {
            let mut event = self.line(
                Level::Info,
                9_000 + (instance * 10 + k) as i64,
                &logger,
                message,
            );
            event.at_ns = (at_ms * 1_000_000 + k as i64 * 1_000_000)
                .min(self.second * 1_000_000_000 + 999_999_999);
            event.thread = "main".to_owned();
            event.pid = pid;
            event.node = instance_label(&self.service.name, instance);
            events.push(event);
        }
    }
}

const FRAMEWORK_FRAMES: &str = "\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)\n\
\tat org.springframework.web.method.support.InvocableHandlerMethod.doInvoke(InvocableHandlerMethod.java:252)\n\
\tat org.springframework.web.method.support.InvocableHandlerMethod.invokeForRequest(InvocableHandlerMethod.java:184)\n\
\tat org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter.invokeHandlerMethod(RequestMappingHandlerAdapter.java:934)\n\
\tat org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:963)\n\
\tat org.springframework.web.servlet.DispatcherServlet.doService(DispatcherServlet.java:866)\n\
\tat org.springframework.web.servlet.FrameworkServlet.processRequest(FrameworkServlet.java:1000)\n\
\tat jakarta.servlet.http.HttpServlet.service(HttpServlet.java:710)\n\
\tat org.apache.catalina.core.ApplicationFilterChain.doFilter(ApplicationFilterChain.java:132)\n\
\tat org.apache.coyote.http11.Http11Processor.service(Http11Processor.java:397)\n\
\tat org.apache.tomcat.util.net.NioEndpoint$SocketProcessor.doRun(NioEndpoint.java:1769)\n\
\tat java.base/java.lang.Thread.run(Thread.java:840)\n";
