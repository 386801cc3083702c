//! The simulated shop looks like the real one: names, types and labels, against scrapes of the sample services.

use simulator::alike::{EXPECTED, wrong};

const REAL: [(&str, &str); 4] = [
    ("gateway", include_str!("../fixtures/shop/gateway.prom")),
    ("orders", include_str!("../fixtures/shop/orders.prom")),
    ("payments", include_str!("../fixtures/shop/payments.prom")),
    ("inventory", include_str!("../fixtures/shop/inventory.prom")),
];

#[test]
fn simulated_pages_differ_from_real_ones_only_where_a_reason_is_written() {
    let wrong = wrong(&REAL);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(EXPECTED.len() <= 12, "the list is short");
    assert!(EXPECTED.iter().all(|expected| expected.reason.len() > 10));
}

/// The real page of payments, changed so that nothing else may be wrong.
fn wrong_with(from: &str, to: &str) -> Vec<String> {
    let page = REAL[2].1.replace(from, to);
    assert_ne!(page, REAL[2].1, "{from}");
    wrong(&[("payments", &page)])
}

#[test]
fn a_difference_in_name_type_or_labels_is_told() {
    assert_eq!(
        wrong_with("jvm_gc_overhead", "jvm_gc_overhead_ratio"),
        [
            "payments: jvm_gc_overhead is only in the simulated page",
            "payments: jvm_gc_overhead_ratio is only in the real page"
        ]
    );
    assert_eq!(
        wrong_with(
            "# TYPE process_cpu_usage gauge",
            "# TYPE process_cpu_usage counter"
        ),
        ["payments: process_cpu_usage is a counter, and a gauge in the simulated page"]
    );
    let labels = wrong_with(
        "process_cpu_usage{",
        "process_cpu_usage{application=\"shop\",",
    );
    assert_eq!(labels.len(), 1, "{labels:?}");
    assert!(labels[0].contains("has labels [[\"application\", \"service\", \"version\"]] only"));
    let torn = wrong_with(
        "process_cpu_usage{service=\"payments\"",
        "process_cpu_usage{service=\"payments",
    );
    assert!(torn[0].starts_with("payments: line "), "{torn:?}");
}

#[test]
fn an_entry_of_the_list_that_is_no_difference_any_more_is_told() {
    let with_threads = format!(
        "{}# TYPE tomcat_threads_busy_threads gauge\ntomcat_threads_busy_threads{{name=\"http\",service=\"payments\",version=\"1.0.0\"}} 1.0\n",
        REAL[2].1
    );
    assert_eq!(
        wrong(&[("payments", &with_threads)]),
        [""; 0],
        "two more are left"
    );
    let without_calls: Vec<&str> = REAL[0]
        .1
        .lines()
        .filter(|line| !line.contains("http_client_requests_active_seconds_bucket"))
        .collect();
    assert_eq!(
        wrong(&[("gateway", &(without_calls.join("\n") + "\n"))]),
        [
            "gateway: http_client_requests_active_seconds_bucket is no difference any more; take it off the list"
        ]
    );
    assert_eq!(
        wrong(&[("billing", REAL[2].1)]),
        ["billing: the simulated shop has no such service"]
    );
}
