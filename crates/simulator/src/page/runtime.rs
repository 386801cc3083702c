//! What the process and its virtual machine say of themselves: processor, heap, threads, executors, connection pool.

use super::Value;
use super::writer::Writer;
use crate::conditions::POOL_SIZE;
use crate::counters::{CPU_COUNT, HEAP_MAX, Layout, Tally};
use crate::gauges::Gauge;
use crate::topology::Service;

impl Writer<'_> {
    pub(super) fn process(&mut self, service: &Service) {
        let (package, class) = service.java_names();
        let main = format!("{package}.{class}Application");
        let application = [("main_application_class", main.as_str())];
        self.family("application_ready_time_seconds").put(
            "",
            &application,
            Value::Constant(5.855),
            None,
        );
        self.family("application_started_time_seconds").put(
            "",
            &application,
            Value::Constant(5.814),
            None,
        );
        self.family("jvm_info").put(
            "",
            &[
                ("runtime", "OpenJDK Runtime Environment"),
                ("vendor", "Debian"),
                ("version", "17.0.15+6-Debian-1deb12u1"),
            ],
            Value::One,
            None,
        );
        for (name, bytes) in [
            ("disk_free_bytes", 46_699_626_496.0),
            ("disk_total_bytes", 270_553_174_016.0),
        ] {
            let path = [("path", "/srv/shop/.")];
            self.family(name)
                .put("", &path, Value::Constant(bytes), None);
        }
        self.gauge("process_start_time_seconds", Gauge::StartTime);
        self.gauge("process_uptime_seconds", Gauge::Uptime);
        self.gauge("process_cpu_usage", Gauge::ProcessCpu);
        self.gauge("process_files_open_files", Gauge::OpenFiles);
        self.constant("process_files_max_files", 20_000.0);
        self.gauge("system_cpu_usage", Gauge::SystemCpu);
        self.constant("system_cpu_count", f64::from(CPU_COUNT));
        self.gauge("system_load_average_1m", Gauge::LoadAverage);
        self.constant("jvm_classes_loaded_classes", 14_212.0);
        self.constant("jvm_classes_loaded_count_classes_total", 14_224.0);
        self.constant("jvm_classes_unloaded_classes_total", 12.0);
        self.family("jvm_compilation_time_ms_total").put(
            "",
            &[("compiler", "HotSpot 64-Bit Tiered Compilers")],
            Value::Constant(18_421.0),
            None,
        );
    }

    pub(super) fn heap(&mut self) {
        const HEAP: [&str; 3] = ["G1 Eden Space", "G1 Survivor Space", "G1 Old Gen"];
        /// Used, committed and maximum of what lies outside the heap.
        const NON_HEAP: [(&str, [f64; 3]); 5] = [
            (
                "CodeHeap 'non-nmethods'",
                [1_353_856.0, 2_555_904.0, 5_828_608.0],
            ),
            (
                "CodeHeap 'non-profiled nmethods'",
                [9_191_808.0, 9_211_264.0, 122_916_864.0],
            ),
            (
                "CodeHeap 'profiled nmethods'",
                [21_046_208.0, 22_058_624.0, 122_912_768.0],
            ),
            (
                "Compressed Class Space",
                [9_229_616.0, 9_536_640.0, 1_073_741_824.0],
            ),
            ("Metaspace", [71_573_976.0, 72_228_864.0, -1.0]),
        ];
        let used = [Gauge::Eden, Gauge::Survivor, Gauge::OldGen].map(Value::Gauge);
        let committed = [
            Value::Gauge(Gauge::EdenCommitted),
            Value::Gauge(Gauge::Survivor),
            Value::Gauge(Gauge::OldGenCommitted),
        ];
        let max = [-1.0, -1.0, HEAP_MAX].map(Value::Constant);
        let pools = [
            ("jvm_memory_used_bytes", used, 0),
            ("jvm_memory_committed_bytes", committed, 1),
            ("jvm_memory_max_bytes", max, 2),
        ];
        for (name, heap, column) in pools {
            let mut family = self.family(name);
            for (id, value) in HEAP.into_iter().zip(heap) {
                family.put("", &[("area", "heap"), ("id", id)], value, None);
            }
            for (id, sizes) in NON_HEAP {
                family.put(
                    "",
                    &[("area", "nonheap"), ("id", id)],
                    Value::Constant(sizes[column]),
                    None,
                );
            }
        }
        self.family("jvm_memory_usage_after_gc").put(
            "",
            &[("area", "heap"), ("pool", "long-lived")],
            Value::Gauge(Gauge::UsageAfterGc),
            None,
        );
        self.gauge("jvm_gc_overhead", Gauge::GcOverhead);
        self.gauge("jvm_gc_live_data_size_bytes", Gauge::LiveData);
        self.constant("jvm_gc_max_data_size_bytes", HEAP_MAX);
        for name in [
            "jvm_buffer_memory_used_bytes",
            "jvm_buffer_total_capacity_bytes",
            "jvm_buffer_count_buffers",
        ] {
            let direct = if name == "jvm_buffer_count_buffers" {
                13.0
            } else {
                101_038.0
            };
            let mut family = self.family(name);
            for (id, value) in [
                ("direct", direct),
                ("mapped", 0.0),
                ("mapped - 'non-volatile memory'", 0.0),
            ] {
                family.put("", &[("id", id)], Value::Constant(value), None);
            }
        }
    }

    pub(super) fn threads(&mut self) {
        self.gauge("jvm_threads_live_threads", Gauge::ThreadsLive);
        self.gauge("jvm_threads_daemon_threads", Gauge::ThreadsDaemon);
        self.gauge("jvm_threads_peak_threads", Gauge::ThreadsPeak);
        let mut states = self.family("jvm_threads_states_threads");
        for (state, value) in [
            ("blocked", Value::Gauge(Gauge::ThreadsBlocked)),
            ("new", Value::Constant(0.0)),
            ("runnable", Value::Gauge(Gauge::ThreadsRunnable)),
            ("terminated", Value::Constant(0.0)),
            ("timed-waiting", Value::Gauge(Gauge::ThreadsTimedWaiting)),
            ("waiting", Value::Gauge(Gauge::ThreadsWaiting)),
        ] {
            states.put("", &[("state", state)], value, None);
        }
    }

    pub(super) fn logs(&mut self, layout: &Layout) {
        let mut events = self.family("logback_events_total");
        let counted = |tally| Value::Events(layout.tally(tally));
        for (level, value) in [
            ("debug", Value::Constant(0.0)),
            ("error", counted(Tally::ErrorLines)),
            ("info", counted(Tally::InfoLines)),
            ("trace", Value::Constant(0.0)),
            ("warn", counted(Tally::WarnLines)),
        ] {
            events.put("", &[("level", level)], value, None);
        }
    }

    pub(super) fn counters(&mut self, layout: &Layout) {
        let slot = |tally| layout.tally(tally);
        self.family("process_cpu_time_ns_total").put(
            "",
            &[],
            Value::Nanos(slot(Tally::CpuSeconds)),
            None,
        );
        self.family("jvm_gc_memory_allocated_bytes_total").put(
            "",
            &[],
            Value::Events(slot(Tally::Allocated)),
            None,
        );
        self.family("jvm_gc_memory_promoted_bytes_total").put(
            "",
            &[],
            Value::Events(slot(Tally::Promoted)),
            None,
        );
        self.family("jvm_threads_started_threads_total").put(
            "",
            &[],
            Value::Events(slot(Tally::ThreadsStarted)),
            None,
        );
        let minor = [
            ("action", "end of minor GC"),
            ("cause", "G1 Evacuation Pause"),
            ("gc", "G1 Young Generation"),
        ];
        let major = [
            ("action", "end of major GC"),
            ("cause", "G1 Compaction Pause"),
            ("gc", "G1 Old Generation"),
        ];
        let pauses = [
            (
                minor,
                Tally::MinorPauses,
                Tally::MinorPauseSeconds,
                Gauge::MinorPauseMax,
            ),
            (
                major,
                Tally::MajorPauses,
                Tally::MajorPauseSeconds,
                Gauge::MajorPauseMax,
            ),
        ];
        let mut family = self.family("jvm_gc_pause_seconds");
        for (labels, count, sum, _) in pauses {
            family.summary(&labels, slot(count), slot(sum), Some(slot(count)));
        }
        let mut family = self.family("jvm_gc_pause_seconds_max");
        for (labels, count, _, max) in pauses {
            family.put("", &labels, Value::Gauge(max), Some(slot(count)));
        }
    }

    pub(super) fn executors(&mut self, service: &Service, layout: &Layout) {
        let own = format!("{}Executor", service.name);
        let own = [("name", own.as_str())];
        let scheduler = [("name", "taskScheduler")];
        let unbounded = Value::Constant(2_147_483_647.0);
        for (name, executor, ticks) in [
            (
                "executor_active_threads",
                Value::Gauge(Gauge::ExecutorActive),
                Value::Constant(0.0),
            ),
            (
                "executor_completed_tasks_total",
                Value::Events(layout.tally(Tally::TasksCompleted)),
                Value::Events(layout.tally(Tally::TicksCompleted)),
            ),
            (
                "executor_pool_core_threads",
                Value::Constant(2.0),
                Value::Constant(1.0),
            ),
            ("executor_pool_max_threads", Value::Constant(4.0), unbounded),
            (
                "executor_pool_size_threads",
                Value::Constant(4.0),
                Value::Constant(1.0),
            ),
            (
                "executor_queue_remaining_tasks",
                Value::Gauge(Gauge::ExecutorRemaining),
                unbounded,
            ),
            (
                "executor_queued_tasks",
                Value::Gauge(Gauge::ExecutorQueued),
                Value::Constant(1.0),
            ),
        ] {
            let mut family = self.family(name);
            family.put("", &own, executor, None);
            family.put("", &scheduler, ticks, None);
        }
        let (package, class) = service.java_names();
        let controller = format!("{package}.{class}Controller");
        let labels = [
            ("code_function", "tick"),
            ("code_namespace", controller.as_str()),
            ("error", "none"),
            ("exception", "none"),
            ("outcome", "SUCCESS"),
        ];
        let ticks = layout.tally(Tally::TicksCompleted);
        self.family("tasks_scheduled_execution_seconds").summary(
            &labels,
            ticks,
            layout.tally(Tally::TickSeconds),
            Some(ticks),
        );
        self.family("tasks_scheduled_execution_seconds_max").put(
            "",
            &labels,
            Value::Constant(0.004),
            Some(ticks),
        );
    }

    pub(super) fn pool(&mut self, layout: &Layout) {
        let pool = [("pool", "HikariPool-1")];
        let size = POOL_SIZE;
        let slot = |tally| layout.tally(tally);
        for (name, value) in [
            ("hikaricp_connections", Value::Constant(size)),
            (
                "hikaricp_connections_active",
                Value::Gauge(Gauge::ConnectionsActive),
            ),
            (
                "hikaricp_connections_idle",
                Value::Gauge(Gauge::ConnectionsIdle),
            ),
            ("hikaricp_connections_max", Value::Constant(size)),
            ("hikaricp_connections_min", Value::Constant(size)),
            (
                "hikaricp_connections_pending",
                Value::Gauge(Gauge::ConnectionsPending),
            ),
            (
                "hikaricp_connections_timeout_total",
                Value::Events(slot(Tally::AcquireTimeouts)),
            ),
            (
                "hikaricp_connections_acquire_seconds_max",
                Value::Gauge(Gauge::AcquireMax),
            ),
            (
                "hikaricp_connections_creation_seconds_max",
                Value::Constant(0.0),
            ),
            (
                "hikaricp_connections_usage_seconds_max",
                Value::Gauge(Gauge::UsageMax),
            ),
        ] {
            self.family(name).put("", &pool, value, None);
        }
        // The pool is full before its meters are there, and stays so.
        let mut creation = self.family("hikaricp_connections_creation_seconds");
        creation.put("_count", &pool, Value::Constant(0.0), None);
        creation.put("_sum", &pool, Value::Constant(0.0), None);
        let acquired = slot(Tally::ConnectionsAcquired);
        self.family("hikaricp_connections_acquire_seconds").summary(
            &pool,
            acquired,
            slot(Tally::AcquireSeconds),
            None,
        );
        self.family("hikaricp_connections_usage_seconds").summary(
            &pool,
            acquired,
            slot(Tally::UsageSeconds),
            None,
        );
        let source = [("name", "dataSource")];
        for (name, value) in [
            (
                "jdbc_connections_active",
                Value::Gauge(Gauge::ConnectionsActive),
            ),
            (
                "jdbc_connections_idle",
                Value::Gauge(Gauge::ConnectionsIdle),
            ),
            ("jdbc_connections_max", Value::Constant(size)),
            ("jdbc_connections_min", Value::Constant(size)),
        ] {
            self.family(name).put("", &source, value, None);
        }
    }
}
