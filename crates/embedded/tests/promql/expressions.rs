//! What is evaluated here and in a real Prometheus: the catalogue, the questions of explanations and
//! discovery, and each construct of the subset.

use domain::Catalogue;

use crate::samples::FROM;

/// Lines `START END STEP EXPRESSION`. No time is one of a sample.
pub fn queries() -> String {
    let (from, to) = (FROM + 1_507, FROM + 5_407);
    let all = [catalogue(), fleet(), explanations(), constructs()].concat();
    let lines = all.iter().map(|expression| {
        let expression = expression.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{from}.351 {to}.351 97 {expression}\n")
    });
    lines.collect()
}

/// Those that have no value: what is wrong with them is not in the text but in the series.
pub fn failing_queries() -> String {
    let (from, to) = (FROM + 1_507, FROM + 5_407);
    let line = |expression: &&str| format!("{from}.351 {to}.351 97 {expression}\n");
    FAILING.iter().map(line).collect()
}

/// Those in which Prometheus 3 differs from 2.
pub fn queries_of_three() -> String {
    let (from, to) = (FROM + 1_507, FROM + 5_407);
    let line = |expression: &&str| format!("{from}.351 {to}.351 97 {expression}\n");
    OF_THREE.iter().map(line).collect()
}

const IDENTITY: &str = "service, application, service_name, app, job";
const RANGE: &str = "300s";
const SECONDS: &str = "300";

pub fn catalogue() -> Vec<String> {
    let (built_in, pack) = (Catalogue::default_three(), Catalogue::spring_pack());
    let specs = built_in.iter().chain(pack.iter());
    let texts = specs.flat_map(|spec| std::iter::once(&spec.query).chain(&spec.fallback));
    let filled = texts.map(|text| {
        let text = text.replace("$identity", IDENTITY).replace("$range", RANGE);
        text.replace("$seconds", SECONDS)
    });
    filled.collect()
}

/// As discovery asks.
pub fn fleet() -> Vec<String> {
    let by = format!("{IDENTITY}, instance");
    vec![
        format!("max by ({by}) (timestamp(process_start_time_seconds))"),
        format!("max by ({by}, version) (process_start_time_seconds)"),
        format!("max by ({by}) (timestamp(up) * (2 * up - 1))"),
    ]
}

/// As explanations ask about one service: one that is named in one way, and one that is named in two.
pub fn explanations() -> Vec<String> {
    let shop = ["service=\"shop\""];
    let either = ["service=\"shop\"", "service=\"\",application=\"pay\""];
    let of = |service: &[&str]| {
        let rate = |selector: &str| each(service, &format!("rate({selector}[{RANGE}])"));
        let server = "http_server_requests_seconds";
        let own = "uri!~\"/actuator.*\"";
        let all = counted(service, &format!("{server}_count{{$service,{own}}}"));
        let failed = counted(
            service,
            &format!("{server}_count{{$service,{own},status=~\"5..\"}}"),
        );
        let calls = "http_client_requests_seconds";
        let buckets = rate(&format!("{calls}_bucket{{$service,client_name!=\"ship\"}}"));
        let errors = counted(service, "logback_events_total{$service,level=\"error\"}");
        let gauge = |selector: &str| each(service, selector);
        vec![
            format!(
                "sum by (uri, le) {}",
                rate(&format!("{server}_bucket{{$service,{own}}}"))
            ),
            format!("1000 * histogram_quantile(0.99, sum by (le) {buckets})"),
            format!(
                "1000 * sum {} / sum {}",
                rate(&format!("{calls}_sum{{$service}}")),
                rate(&format!("{calls}_count{{$service}}"))
            ),
            format!("sum by (uri) {failed}"),
            format!("100 * (sum {failed} or 0 * sum {all}) / sum {all}"),
            format!("sum {errors} / 300"),
            format!("100 * max {}", gauge("jvm_memory_usage_after_gc{$service}")),
            format!(
                "max {}",
                gauge("jvm_threads_states_threads{$service,state=\"blocked\"}")
            ),
            format!(
                "({}) and on ({IDENTITY}) group by ({IDENTITY}) ({})",
                catalogue()[0],
                gauge("process_start_time_seconds{$service}")
            ),
        ]
    };
    [of(&shop), of(&either)].concat()
}

fn each(service: &[&str], part: &str) -> String {
    let filled = service
        .iter()
        .map(|matchers| part.replace("$service", matchers));
    format!("(({}))", filled.collect::<Vec<_>>().join(" or "))
}

fn counted(service: &[&str], counter: &str) -> String {
    let process = "process_start_time_seconds{$service}";
    let returned = format!(
        "timestamp({process}) - {process} > 300 unless on (job, instance) {process} offset {RANGE}"
    );
    each(
        service,
        &format!(
            "({counter} unless {counter} offset {RANGE} unless on (job, instance) ({returned})) or increase({counter}[{RANGE}])"
        ),
    )
}

pub fn constructs() -> Vec<String> {
    CONSTRUCTS
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(String::from)
        .collect()
}

const CONSTRUCTS: &str = r#"
    up
    up{instance=~"shop-.*|pay.*",job!="other"}
    up{instance!~"shop-.*",job="spring"}
    {__name__=~"host_load|zone_info",zone="a"}
    host_load offset 10m
    host_load offset -90s
    gappy
    rare
    odd
    timestamp(uneven_total)
    timestamp(rare offset 3m)
    timestamp(host_load + 0)
    rate(uneven_total[5m])
    rate(gappy_total[2m])
    rate(http_server_requests_seconds_count[90s])
    increase(uneven_total[7m])
    increase(http_server_requests_seconds_count{status="500"}[5m] offset 1m)
    delta(gappy[10m])
    delta(odd[5m])
    irate(uneven_total[3m])
    idelta(uneven_total[3m])
    changes(gappy[8m])
    changes(odd[5m])
    resets(uneven_total[20m])
    resets(odd[5m])
    last_over_time(rare[20m])
    last_over_time(gappy[7m])
    avg_over_time(process_cpu_usage[5m])
    avg_over_time(odd{kind!~"cancel|huge"}[4m])
    sum_over_time(odd{kind!="cancel"}[4m])
    min_over_time(odd[4m])
    max_over_time(odd[4m])
    count_over_time(gappy[9m])
    present_over_time(rare[1m])
    quantile_over_time(0.9, odd[6m])
    quantile_over_time(2, gappy[6m])
    quantile_over_time(-1, gappy[6m])
    quantile_over_time(scalar(odd{kind="nan"}), gappy[6m])
    stddev_over_time(uneven_total[5m])
    stdvar_over_time(host_load[5m])
    sum(host_load)
    sum by (zone) (host_load)
    sum without (host) (host_load)
    avg by (zone, nothing) (host_load)
    min(odd)
    max(odd{kind=~"nan|negative"})
    count by (one) (odd)
    group by (zone) (host_load)
    stddev by (zone) (host_load)
    stdvar(host_load)
    max by (__name__) ({__name__=~"twin_.|host_load"})
    avg(up) by (job)
    histogram_quantile(0.5, hard_bucket)
    histogram_quantile(0.9, rate(hard_bucket[5m]))
    histogram_quantile(0.1, rate(hard_bucket[5m]))
    histogram_quantile(0, hard_bucket)
    histogram_quantile(1, hard_bucket)
    histogram_quantile(1.2, hard_bucket)
    histogram_quantile(-0.2, hard_bucket)
    histogram_quantile(scalar(vector(0.75)), sum by (le, service) (rate(http_server_requests_seconds_bucket[5m])))
    histogram_quantile(0.999, sum by (le, uri) (rate(http_server_requests_seconds_bucket[5m])))
    host_load + 1
    2 - host_load
    host_load * on (zone) group_left (owner) zone_info
    zone_info * on (zone) group_right (owner) host_load
    host_load / ignoring (host) group_left zone_info{owner!=""} or host_load
    host_load % 3
    -7.5 % 3 + 0 * sum(up)
    host_load ^ 2
    2 ^ host_load
    odd / 0
    -odd
    -2 ^ 2
    2 ^ 3 ^ 2
    -(1 - 2) * +3
    10 % 4 * 2 - 1 / 3
    host_load > 5
    5 > host_load
    host_load > bool 5
    5 <= bool host_load
    host_load == host_load
    host_load != bool ignoring (host) group_left sum by (zone) (host_load)
    host_load >= on (host, zone) (host_load offset 1m)
    host_load < (host_load offset 1m)
    odd > -1
    1 > bool 2
    NaN == bool NaN
    Inf - Inf
    0x1F + 1e3
    up and on (instance) process_start_time_seconds
    up unless on (instance) (process_cpu_usage > 0.5)
    host_load or odd
    host_load{zone="a"} or on (zone) host_load
    host_load and host_load > 3
    up and ignoring (instance) nothing
    rare or gappy or uneven_total
    sum(up == 0) or vector(0)
    absent(nothing{a="b",c=~"d",e="f",e="g"})
    absent(up)
    absent(sum(nothing))
    absent(rare)
    scalar(sum(up))
    scalar(up)
    vector(time())
    time() - 1700000000
    vector(1) - 1
    clamp(odd, -2, 3)
    clamp(gappy, 5, 2)
    clamp_min(odd, 1)
    clamp_max(odd, scalar(odd{kind="nan"}))
    abs(odd)
    ceil(odd / 3)
    floor(odd / 3)
    round(host_load)
    round(odd, 0.3)
    round(-host_load, 5)
    sgn(odd)
    sqrt(odd)
    exp(odd / 1000)
    ln(odd)
    log2(odd)
    log10(odd)
    sort(host_load)
    sort_desc(odd)
    label_replace(host_load, "where", "$1-${host}-$2", "zone", "(a)()|b(?P<host>)")
    label_replace(up, "port", "$1", "instance", ".*:(\\d+)")
    label_replace(up, "job", "", "job", ".*")
    label_replace({__name__=~"twin_."}, "__name__", "one_$1", "__name__", "twin_(.)")
    sum by (owner) (rate(uneven_total[5m]) * on () group_left (owner) zone_info{zone="a"})
    max_over_time(process_start_time_seconds[5m]) - min_over_time(process_start_time_seconds[5m])
    (time() - process_start_time_seconds) / 3600 > 1
"#;

const OF_THREE: [&str; 5] = [
    "{\"host_load\",zone!=\"a\"}",
    "rate(born_total[5m])",
    "increase(born_total[5m])",
    "avg_over_time(odd[4m])",
    "sum_over_time(odd{kind=\"cancel\"}[4m])",
];

const FAILING: [&str; 9] = [
    "sum(rate({__name__=~\"uneven_total|gappy_total\"}[5m])) by (one)",
    "abs({__name__=~\"twin_.\"})",
    "-{__name__=~\"twin_.\"}",
    "{__name__=~\"twin_.\"} + 1",
    "label_replace(host_load, \"host\", \"\", \"host\", \".*\")",
    "host_load + on (zone) host_load",
    "zone_info + on (zone) host_load",
    "host_load * on (zone) zone_info",
    "host_load * on (zone) group_left (host) label_replace(zone_info, \"host\", \"1\", \"\", \"\")",
];
