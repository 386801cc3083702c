//! The meter families a service answers with: name, type and help text as a Spring Boot 4.1 service says them.

/// The type on the `# TYPE` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        }
    }
}

/// One row of the table: a family, and whether a default metric of the catalogue reads it.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
    pub(crate) in_catalogue: bool,
}

/// The row of a family. The callers name families literally, and a test exposes all of them.
pub(crate) fn family(name: &str) -> &'static Family {
    FAMILIES
        .iter()
        .find(|family| family.name == name)
        .expect("every exposed family is in the table")
}

const fn row(name: &'static str, kind: Kind, help: &'static str) -> Family {
    Family {
        name,
        kind,
        help,
        in_catalogue: false,
    }
}

const fn catalogue(name: &'static str, kind: Kind, help: &'static str) -> Family {
    Family {
        name,
        kind,
        help,
        in_catalogue: true,
    }
}

pub(crate) const FAMILIES: &[Family] = &[
    row(
        "application_ready_time_seconds",
        Kind::Gauge,
        "Time taken for the application to be ready to service requests",
    ),
    row(
        "application_started_time_seconds",
        Kind::Gauge,
        "Time taken to start the application",
    ),
    row("disk_free_bytes", Kind::Gauge, "Usable space for path"),
    row("disk_total_bytes", Kind::Gauge, "Total space for path"),
    row(
        "executor_active_threads",
        Kind::Gauge,
        "The approximate number of threads that are actively executing tasks",
    ),
    row(
        "executor_completed_tasks_total",
        Kind::Counter,
        "The approximate total number of tasks that have completed execution",
    ),
    row(
        "executor_pool_core_threads",
        Kind::Gauge,
        "The core number of threads for the pool",
    ),
    row(
        "executor_pool_max_threads",
        Kind::Gauge,
        "The maximum allowed number of threads in the pool",
    ),
    row(
        "executor_pool_size_threads",
        Kind::Gauge,
        "The current number of threads in the pool",
    ),
    row(
        "executor_queue_remaining_tasks",
        Kind::Gauge,
        "The number of additional elements that this queue can ideally accept without blocking",
    ),
    catalogue(
        "executor_queued_tasks",
        Kind::Gauge,
        "The approximate number of tasks that are queued for execution",
    ),
    row("hikaricp_connections", Kind::Gauge, "Total connections"),
    row(
        "hikaricp_connections_acquire_seconds",
        Kind::Summary,
        "Connection acquire time",
    ),
    row(
        "hikaricp_connections_acquire_seconds_max",
        Kind::Gauge,
        "Connection acquire time",
    ),
    row(
        "hikaricp_connections_active",
        Kind::Gauge,
        "Active connections",
    ),
    row(
        "hikaricp_connections_creation_seconds",
        Kind::Summary,
        "Connection creation time",
    ),
    row(
        "hikaricp_connections_creation_seconds_max",
        Kind::Gauge,
        "Connection creation time",
    ),
    row("hikaricp_connections_idle", Kind::Gauge, "Idle connections"),
    row("hikaricp_connections_max", Kind::Gauge, "Max connections"),
    row("hikaricp_connections_min", Kind::Gauge, "Min connections"),
    catalogue(
        "hikaricp_connections_pending",
        Kind::Gauge,
        "Pending threads",
    ),
    row(
        "hikaricp_connections_timeout_total",
        Kind::Counter,
        "Connection timeout total count",
    ),
    row(
        "hikaricp_connections_usage_seconds",
        Kind::Summary,
        "Connection usage time",
    ),
    row(
        "hikaricp_connections_usage_seconds_max",
        Kind::Gauge,
        "Connection usage time",
    ),
    row("http_client_requests_active_seconds", Kind::Histogram, ""),
    row(
        "http_client_requests_active_seconds_gcount",
        Kind::Gauge,
        "",
    ),
    row("http_client_requests_active_seconds_gsum", Kind::Gauge, ""),
    row("http_client_requests_active_seconds_max", Kind::Gauge, ""),
    row("http_client_requests_seconds", Kind::Histogram, ""),
    row("http_client_requests_seconds_max", Kind::Gauge, ""),
    row("http_server_requests_active_seconds", Kind::Histogram, ""),
    row(
        "http_server_requests_active_seconds_gcount",
        Kind::Gauge,
        "",
    ),
    row("http_server_requests_active_seconds_gsum", Kind::Gauge, ""),
    row("http_server_requests_active_seconds_max", Kind::Gauge, ""),
    catalogue("http_server_requests_seconds", Kind::Histogram, ""),
    catalogue("http_server_requests_seconds_max", Kind::Gauge, ""),
    row(
        "jdbc_connections_active",
        Kind::Gauge,
        "Current number of active connections that have been allocated from the data source.",
    ),
    row(
        "jdbc_connections_idle",
        Kind::Gauge,
        "Number of established but idle connections.",
    ),
    row(
        "jdbc_connections_max",
        Kind::Gauge,
        "Maximum number of active connections that can be allocated at the same time.",
    ),
    row(
        "jdbc_connections_min",
        Kind::Gauge,
        "Minimum number of idle connections in the pool.",
    ),
    row(
        "jvm_buffer_count_buffers",
        Kind::Gauge,
        "An estimate of the number of buffers in the pool",
    ),
    row(
        "jvm_buffer_memory_used_bytes",
        Kind::Gauge,
        "An estimate of the memory that the Java virtual machine is using for this buffer pool",
    ),
    row(
        "jvm_buffer_total_capacity_bytes",
        Kind::Gauge,
        "An estimate of the total capacity of the buffers in this pool",
    ),
    row(
        "jvm_classes_loaded_classes",
        Kind::Gauge,
        "The number of classes that are currently loaded in the Java virtual machine",
    ),
    row(
        "jvm_classes_loaded_count_classes_total",
        Kind::Counter,
        "The number of classes loaded in the Java virtual machine",
    ),
    row(
        "jvm_classes_unloaded_classes_total",
        Kind::Counter,
        "The number of classes unloaded in the Java virtual machine",
    ),
    row(
        "jvm_compilation_time_ms_total",
        Kind::Counter,
        "The approximate accumulated elapsed time spent in compilation",
    ),
    row(
        "jvm_gc_live_data_size_bytes",
        Kind::Gauge,
        "Size of long-lived heap memory pool after reclamation",
    ),
    row(
        "jvm_gc_max_data_size_bytes",
        Kind::Gauge,
        "Max size of long-lived heap memory pool",
    ),
    row(
        "jvm_gc_memory_allocated_bytes_total",
        Kind::Counter,
        "Incremented for an increase in the size of the (young) heap memory pool after one GC to before the next",
    ),
    row(
        "jvm_gc_memory_promoted_bytes_total",
        Kind::Counter,
        "Count of positive increases in the size of the old generation memory pool before GC to after GC",
    ),
    catalogue(
        "jvm_gc_overhead",
        Kind::Gauge,
        "An approximation of the percent of CPU time used by GC activities over the last lookback period or since monitoring began, whichever is shorter, in the range [0..1]",
    ),
    catalogue(
        "jvm_gc_pause_seconds",
        Kind::Summary,
        "Time spent in GC pause",
    ),
    row(
        "jvm_gc_pause_seconds_max",
        Kind::Gauge,
        "Time spent in GC pause",
    ),
    row("jvm_info", Kind::Gauge, "JVM version info"),
    row(
        "jvm_memory_committed_bytes",
        Kind::Gauge,
        "The amount of memory in bytes that is committed for the Java virtual machine to use",
    ),
    catalogue(
        "jvm_memory_max_bytes",
        Kind::Gauge,
        "The maximum amount of memory in bytes that can be used for memory management",
    ),
    catalogue(
        "jvm_memory_usage_after_gc",
        Kind::Gauge,
        "The percentage of long-lived heap pool used after the last GC event, in the range [0..1]",
    ),
    catalogue(
        "jvm_memory_used_bytes",
        Kind::Gauge,
        "The amount of used memory",
    ),
    row(
        "jvm_threads_daemon_threads",
        Kind::Gauge,
        "The current number of live daemon threads",
    ),
    row(
        "jvm_threads_live_threads",
        Kind::Gauge,
        "The current number of live threads including both daemon and non-daemon threads",
    ),
    row(
        "jvm_threads_peak_threads",
        Kind::Gauge,
        "The peak live thread count since the Java virtual machine started or peak was reset",
    ),
    row(
        "jvm_threads_started_threads_total",
        Kind::Counter,
        "The total number of application threads started in the JVM",
    ),
    catalogue(
        "jvm_threads_states_threads",
        Kind::Gauge,
        "The current number of threads",
    ),
    catalogue(
        "logback_events_total",
        Kind::Counter,
        "Number of log events that were enabled by the effective log level",
    ),
    row(
        "process_cpu_time_ns_total",
        Kind::Counter,
        "The \"cpu time\" used by the Java Virtual Machine process",
    ),
    catalogue(
        "process_cpu_usage",
        Kind::Gauge,
        "The \"recent cpu usage\" for the Java Virtual Machine process",
    ),
    row(
        "process_files_max_files",
        Kind::Gauge,
        "The maximum file descriptor count",
    ),
    row(
        "process_files_open_files",
        Kind::Gauge,
        "The open file descriptor count",
    ),
    catalogue(
        "process_start_time_seconds",
        Kind::Gauge,
        "Start time of the process since unix epoch.",
    ),
    row(
        "process_uptime_seconds",
        Kind::Gauge,
        "The uptime of the Java virtual machine",
    ),
    row(
        "system_cpu_count",
        Kind::Gauge,
        "The number of processors available to the Java virtual machine",
    ),
    row(
        "system_cpu_usage",
        Kind::Gauge,
        "The \"recent cpu usage\" of the system the application is running in",
    ),
    row(
        "system_load_average_1m",
        Kind::Gauge,
        "The sum of the number of runnable entities queued to available processors and the number of runnable entities running on the available processors averaged over a period of time",
    ),
    row(
        "tasks_scheduled_execution_active_seconds",
        Kind::Summary,
        "",
    ),
    row(
        "tasks_scheduled_execution_active_seconds_max",
        Kind::Gauge,
        "",
    ),
    row("tasks_scheduled_execution_seconds", Kind::Summary, ""),
    row("tasks_scheduled_execution_seconds_max", Kind::Gauge, ""),
    row("tomcat_connections_config_max_connections", Kind::Gauge, ""),
    row("tomcat_connections_current_connections", Kind::Gauge, ""),
    row(
        "tomcat_connections_keepalive_current_connections",
        Kind::Gauge,
        "",
    ),
    row("tomcat_global_error_total", Kind::Counter, ""),
    row("tomcat_global_received_bytes_total", Kind::Counter, ""),
    row("tomcat_global_request_seconds", Kind::Summary, ""),
    row("tomcat_global_sent_bytes_total", Kind::Counter, ""),
    row("tomcat_sessions_active_current_sessions", Kind::Gauge, ""),
    row("tomcat_sessions_active_max_sessions", Kind::Gauge, ""),
    row("tomcat_sessions_alive_max_seconds", Kind::Gauge, ""),
    row("tomcat_sessions_created_sessions_total", Kind::Counter, ""),
    row("tomcat_sessions_expired_sessions_total", Kind::Counter, ""),
    row("tomcat_sessions_rejected_sessions_total", Kind::Counter, ""),
    row("tomcat_threads_busy_threads", Kind::Gauge, ""),
    row("tomcat_threads_config_max_threads", Kind::Gauge, ""),
    row("tomcat_threads_current_threads", Kind::Gauge, ""),
];
