#!/usr/bin/env bash
# Measures the embedded store, the demo and all that works with nothing installed, line by line,
# and prints a table.
#
#   LINES="2 3"         only these
#   STORIES=one         of the demo, one fault instead of every kind on three services
set -euo pipefail
cd "$(dirname "$0")/.."

work=target/show-embedded
line_names="embedded "
titles=(
    ""
    "the demo: faults become incidents, calm stays calm"
    "PromQL of the embedded store against a real Prometheus, point by point"
    "exposition parser and evaluator: properties, corpora, speed beside a peer"
    "a day of 200 services: memory, start after kill -9, loss"
    "the whole check on a new machine"
)
. scripts/lines.sh
select_lines

scripts/require.sh cargo cc prometheus curl python3

# The tests of the evaluator and the parser: how many hold.
tests() {
    local line=$1 what=$2 log=$work/tests_$1.txt count verdict=pass
    shift 2
    cargo test -p embedded "$@" 2>&1 | tee "$log" || verdict=short
    count=$(awk '/^test result:/ { held += $4; failed += $6 } END { print held " hold, " failed + 0 " fail" }' "$log")
    figure "$line" "$what" "$count" "all hold" "$verdict"
}

if wants 1; then
    selected_before=$selected
    selected=1
    [ "${STORIES:-all}" = one ] || export BELLWETHER_DEMO_STORIES=all
    live_part
    selected=$selected_before
fi
if wants 2; then part promql tests 2 "promql: every expression and point equal to 1e-9, or both absent" --test promql; fi
if wants 3; then
    part properties tests 3 "property tests and corpora of the parser and the evaluator"
    part speed cargo bench -p embedded --bench exposition
fi
if wants 4; then part day cargo run --release -p embedded --example day_of_fleet; fi
if wants 5; then part new_machine new_machine 5; fi
table
