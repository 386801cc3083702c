#!/usr/bin/env bash
# How fast `GET /metrics?service=` is answered: wrk at 16 connections, the server on one core and wrk
# on the other; then while models are trained all the time, both cores free. The server is the
# release build over its embedded store, with 40 simulated services in the same process.
#
#   SECONDS_EACH=20   of each of the two runs
#
# Everything lies in target/bench/api. With BELLWETHER_FIGURES its lines are added to that file, as
# line, what, figure, bar and verdict with tabs between.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh

target=${CARGO_TARGET_DIR:-$PWD/target}
bench=$target/bench/api
seconds=${SECONDS_EACH:-20}

scripts/require.sh cargo cc curl wrk
cargo build --quiet --release -p server --bin bellwether
rm -rf "$bench"
mkdir -p "$bench"
{
    echo "services:"
    for n in $(seq 1 40); do echo "  - { name: svc-$n, instances: 1, rps: 20, calls: [] }"; done
} >"$bench/topology.yaml"

url=http://127.0.0.1:$(free_port)
"$target/release/bellwether" demo --topology "$bench/topology.yaml" --service svc-1 --faults none \
    --listen "${url#http://}" --dir "$bench/demo" >"$bench/demo.log" 2>&1 &
server=$!
trap 'kill -TERM "$server" 2>/dev/null; wait "$server" || true' EXIT
began=$SECONDS
until [ "$(curl -fs --noproxy '*' "$url/api/v1/status" | grep -o '"models":[0-9]*' | tail -n 1)" = '"models":520' ]; do
    if [ $((SECONDS - began)) -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
        tail -n 5 "$bench/demo.log" >&2
        curl -s --noproxy '*' "$url/api/v1/status" >&2 || true
        echo "no models within 300 s" >&2
        exit 1
    fi
    sleep 1
done
echo "up, with models, after $((SECONDS - began)) s"

# Seconds of a latency as wrk writes it, such as 950.00us.
milliseconds() {
    awk -v text="$1" 'BEGIN {
        value = text + 0
        if (text ~ /us$/) value /= 1000
        else if (text !~ /ms$/) value *= 1000
        printf "%.2f", value
    }'
}

# One run of wrk; its report into a file.
load() {
    taskset -c "$1" wrk -t1 -c16 "-d${seconds}s" --latency "$url/metrics?service=svc-7" | tee "$2"
}

figure() {
    printf 'FIGURE %s | %s | %s | %s\n' "$@"
    [ -z "${BELLWETHER_FIGURES:-}" ] || printf 'api 4\t%s\t%s\t%s\t%s\n' "$@" >>"$BELLWETHER_FIGURES"
}

report() {
    rate=$(awk '/Requests\/sec/ { printf "%d", $2 }' "$1")
    slow=$(milliseconds "$(awk '$1 == "99%" { print $2 }' "$1")")
    bad=$(awk '/Non-2xx/ { print $NF }' "$1")
    [ -z "$bad" ] || { echo "$bad answers were not 2xx" >&2; exit 1; }
}

taskset -acp 0 "$server" >/dev/null
load 1 "$bench/alone.txt"
report "$bench/alone.txt"
figure "GET /metrics?service= a second, server on one core" "$rate" "≥ 5000" "$(holds "$rate >= 5000")"
figure "its p99 at 16 connections" "$slow ms" "≤ 5 ms" "$(holds "$slow <= 5")"

taskset -acp 0,1 "$server" >/dev/null
curl -fs --noproxy '*' -X POST "$url/retrain" >/dev/null
(while :; do curl -fs --noproxy '*' -X POST "$url/retrain?wait=true" >/dev/null || break; done) &
training=$!
load 0,1 "$bench/training.txt"
kill "$training" 2>/dev/null || true
report "$bench/training.txt"
jobs=$(curl -fs --noproxy '*' "$url/api/v1/jobs?limit=200" | grep -o '"trigger":"request"' | wc -l)
echo "$jobs training jobs of 520 models meanwhile"
[ "$jobs" -gt 0 ] || { echo "nothing was trained" >&2; exit 1; }
figure "its p99 while models are trained ($jobs jobs of 520, $rate requests a second)" "$slow ms" "≤ 10 ms" "$(holds "$slow <= 10")"
