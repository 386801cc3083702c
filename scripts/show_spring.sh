#!/usr/bin/env bash
# Measures Bellwether on real Spring Boot services, line by line, and prints a table.
#
#   LINES="1 3"   only these
#   MINUTES=30    how long the whole node runs within its limits
set -euo pipefail
cd "$(dirname "$0")/.."

work=target/show-spring
line_names="spring "
titles=(
    ""
    "the whole system with real JVMs, a real Prometheus, real load and all faults"
    "names and labels of the simulated fleet against these services"
    "the doctor on these services, on the ten lines, without histograms, on jobs"
    "NGINX with TLS in front; the files of deploy/"
    "the whole node in 2 CPUs and 4 GiB; disk; upgrade, backup and restore"
    "the whole check on a new machine"
)
. scripts/lines.sh
select_lines

scripts/require.sh cargo cc java mvn prometheus curl nginx openssl objdump systemd-analyze

deploy() {
    local log=$work/deploy.txt verdict=pass
    cargo build --release -p server --bin bellwether
    scripts/check_deploy.sh "$target/release/bellwether" 2>&1 | tee "$log" || verdict=short
    figure 4 "promtool, nginx -t, systemd-analyze verify, compose, GLIBC of the release binary" \
        "$(grep -c '^ok' "$log") checks ok; $(grep -i glibc "$log" | head -n 1)" "all; at most 2.35" "$verdict"
}

if wants 1; then part long scripts/test_long_spring.sh; fi
if wants 1 2 3; then part one make --no-print-directory test-spring; fi
live_part
if wants 4; then part deploy deploy; fi
if wants 5; then part node scripts/node_run.sh; fi
if wants 6; then part new_machine new_machine 6; fi
table
