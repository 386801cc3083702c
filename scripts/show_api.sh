#!/usr/bin/env bash
# Measures the API, access control and paging, line by line, and prints a table.
#
#   LINES="2 4"   only these
#   EXAMPLES=100  requests that schemathesis makes up for each operation and phase
set -euo pipefail
cd "$(dirname "$0")/.."

work=target/show-api
line_names="api "
titles=(
    ""
    "every operation of the document, called and attacked"
    "attacks, each refused as it should be"
    "10,000 notifications through 100 kills; an Alertmanager for twelve minutes"
    "how fast metrics are answered, also while models are trained"
    "a thousand clients of the event stream, a hundred slow ones"
    "backup while running, restored; older and newer layouts"
    "the whole check on a new machine"
)
. scripts/lines.sh
select_lines

scripts/require.sh cargo cc prometheus prometheus-alertmanager curl python3

schemathesis() {
    local log=$work/schemathesis.txt verdict=pass found operations cases
    scripts/schemathesis.sh 2>&1 | tee "$log" || verdict=short
    # Of three passes: simulated data, access control from outside, access control with a token.
    operations=$(grep -oE "Tested: +[0-9]+" "$log" | grep -oE "[0-9]+" | paste -sd, || true)
    cases=$(grep -oE "[0-9]+ generated" "$log" | awk '{ sum += $1 } END { print sum + 0 }')
    found=$(grep -cE "No issues found" "$log" || true)
    [ "$found" -eq 3 ] || verdict=short
    figure 1 "schemathesis over the whole document" "${operations:-no} operations, $cases requests: no issue in $found of 3 passes" "no 5xx, nothing undocumented" "$verdict"
}

older_layouts() {
    local log=$work/older.txt verdict=pass count
    cargo test -p store 2>&1 | tee "$log" || verdict=short
    count=$(grep -cE "^test .*(older|newer|migrat|sample).* ok$" "$log" || true)
    [ "$count" -gt 0 ] || verdict=short
    figure 6 "stored samples of older layouts migrated, newer ones refused" "$count tests hold" "all" "$verdict"
}

if wants 3; then
    export BELLWETHER_PAGING_KILLS=100 BELLWETHER_ALERTMANAGER_MINUTES=12 BELLWETHER_STORM_SECONDS=60
fi
live_part
if wants 1; then part schemathesis schemathesis; fi
if wants 4; then part bench scripts/bench_api.sh; fi
if wants 5; then
    cargo build --quiet --release -p server --bin bellwether
    part streams cargo run --release -p server --example thousand_streams -- "$target/release/bellwether"
fi
if wants 6; then part older older_layouts; fi
if wants 7; then part new_machine new_machine 7; fi
table
