#!/usr/bin/env bash
# How fast `GET /metrics?service=` is answered by a server at work: 100 simulated services, a real
# Prometheus that scrapes them and Bellwether with its defaults. wrk at 16 connections, the server on
# one core, all else on the other; then while models are trained all the time, the server free to use
# both.
#
#   SECONDS_EACH=45   of each of the two runs; three ticks
#   SERVICES=100      of the fleet; three series each
#   HOURS=8           of history at 60 s
#
# Everything lies in target/bench/api. With BELLWETHER_FIGURES its lines are added to that file, as
# line, what, figure, bar and verdict with tabs between.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh
# shellcheck source=scripts/fleet.sh
. scripts/fleet.sh

seconds=${SECONDS_EACH:-45}
services=${SERVICES:-100}
hours=${HOURS:-8}
seed=7
jobs=2
beside=(taskset -c 1)
run=$target/bench/api

trap stop EXIT
trap 'exit 130' INT TERM

scripts/require.sh cargo cc prometheus curl wrk
cargo build --quiet --release --bins -p server -p simulator

# Milliseconds of a latency as wrk writes it, such as 950.00us.
milliseconds() {
    awk -v text="$1" 'BEGIN {
        value = text + 0
        if (text ~ /us$/) value /= 1000
        else if (text !~ /ms$/) value *= 1000
        printf "%.2f", value
    }'
}

# One run of wrk on those cores, its report into a file; `rate` and `slow` are what it measured.
load() {
    taskset -c "$1" wrk -t1 -c16 "-d${seconds}s" --latency "$bellwether/metrics?service=$asked" | tee "$2"
    rate=$(awk '/Requests\/sec/ { printf "%d", $2 }' "$2")
    slow=$(milliseconds "$(awk '$1 == "99%" { print $2 }' "$2")")
    if grep -q 'Non-2xx\|Socket errors' "$2"; then
        fail "some answers were not 2xx"
    fi
}

trained() {
    value "$(get "$bellwether/metrics")" bellwether_trainings_total
}

figure() {
    printf 'FIGURE %s | %s | %s | %s\n' "$@"
    [ -z "${BELLWETHER_FIGURES:-}" ] || printf 'api 4\t%s\t%s\t%s\t%s\n' "$@" >>"$BELLWETHER_FIGURES"
}

lay_history
start_fleet
start_bellwether
say "$models of $((3 * services)) series have models after $models_seconds s."
asked=$(get "$bellwether/services" | grep -o '"id":"[^"]*"' | sed -n '7s/.*:"\(.*\)"/\1/p')
say "Each request asks for $asked: $(get "$bellwether/metrics?service=$asked" | wc -c) bytes."

taskset -acp 0 "$bellwether_pid" >/dev/null
load 1 "$run/alone.txt"
figure "GET /metrics?service= a second, server on one core" "$rate" "≥ 5000" "$(holds "$rate >= 5000")"
figure "its p99 at 16 connections" "$slow ms" "≤ 5 ms" "$(holds "$slow <= 5")"

taskset -acp 0,1 "$bellwether_pid" >/dev/null
before=$(trained)
(while curl -fs --noproxy '*' -X POST "$bellwether/retrain?wait=true" >/dev/null; do :; done) &
training=$!
load 0,1 "$run/training.txt"
kill "$training" 2>/dev/null || true
count=$(calc "$(trained) - $before")
[ "$count" -gt 0 ] || fail "nothing was trained"
figure "its p99 while $count models are trained, $rate requests a second" "$slow ms" "≤ 10 ms" "$(holds "$slow <= 10")"
