#!/usr/bin/env bash
# What reading logs costs: a log of five gigabytes is generated and indexed, ten-second windows are
# read through a running Bellwether (a real Prometheus scrapes a simulated shop for it), and a log
# that grows by 20,000 lines a second is followed.
#
#   GB=5       size of the log, 10⁹ bytes
#   KEEP=1     leave the log for the next run
#
# Everything lies in target/bench/logs. With BELLWETHER_FIGURES its lines are added to that file, as
# line, what, figure, bar and verdict with tabs between.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh

gb=${GB:-5}
target=${CARGO_TARGET_DIR:-$PWD/target}
bench=$target/bench/logs
example=$target/release/examples/log_cost

scripts/require.sh cargo cc curl prometheus
cargo build --quiet --release -p server -p simulator --bins
cargo build --quiet --release -p sources --example log_cost

figure() {
    printf '%-58s %-50s %-14s %s\n' "$1" "$2" "$3" "$4"
    if [ -n "${BELLWETHER_FIGURES:-}" ]; then
        printf 'logs 4\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$BELLWETHER_FIGURES"
    fi
}

pids=()
cleanup() {
    local pid
    for pid in "${pids[@]}"; do
        kill -TERM "$pid" 2>/dev/null && wait "$pid" || true
    done
    [ -n "${KEEP:-}" ] || rm -rf "$bench/files"
}
trap cleanup EXIT

rm -rf "$bench/data" "$bench/prometheus"
mkdir -p "$bench/files" "$bench/prometheus"

# The library alone: writes the log, indexes it, reads windows, follows a fast writer.
"$example" "$bench/files" "$gb" | tee "$bench/cost.txt"
value() {
    awk -v key="$1" '$1 == key { print $2 }' "$bench/cost.txt"
}
figure "indexing a log of $gb GB in one pass" "$(value index_mb_per_second) MB/s" "stated" pass
follower=$(value tail_cores)
figure "following 20,000 lines a second" "$follower of a core" "< 0.25" "$(holds "$follower < 0.25")"

# The whole program.
fleet_port=$(free_port)
"$target/release/bellwether-simulator" serve --topology shop --listen "127.0.0.1:$fleet_port" 2>"$bench/fleet.log" &
pids+=($!)
prometheus_port=$(free_port)
"$target/release/bellwether-simulator" prometheus-config --sd-url "http://127.0.0.1:$fleet_port/sd" \
    --interval 1s >"$bench/prometheus.yml"
prometheus --config.file="$bench/prometheus.yml" --storage.tsdb.path="$bench/prometheus" \
    --web.listen-address="127.0.0.1:$prometheus_port" --log.level=error 2>"$bench/prometheus.log" &
pids+=($!)
port=$(free_port)
cat >"$bench/config.yaml" <<YAML
prometheus: { url: http://127.0.0.1:$prometheus_port }
tick: 5s
listen: 127.0.0.1:$port
data_dir: $bench/data
logs: [ { path: '$bench/files/{service}/app.json' } ]
YAML
env -i PATH="$PATH" "$target/release/bellwether" serve --config "$bench/config.yaml" 2>"$bench/bellwether.log" &
server=$!
pids=("$server" "${pids[@]}")

ask() {
    curl -fs --noproxy '*' --max-time 30 "http://127.0.0.1:$port$1"
}

wait_for() {
    local what=$1 began=$SECONDS
    shift
    until "$@"; do
        if [ $((SECONDS - began)) -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
            tail -n 5 "$bench/bellwether.log" >&2
            echo "$what: not within 300 s; the log is $bench/bellwether.log" >&2
            exit 1
        fi
        sleep 0.2
    done
}

is_watched() { ask /services 2>/dev/null | grep -q '"id":"orders"'; }
is_indexed() { ask /metrics | grep -q '^bellwether_log_bytes_behind 0$'; }
wait_for "the service" is_watched
wait_for "the index" is_indexed

# A window at each of twenty places, the first one cold.
from=$(value first_epoch_seconds) to=$(value last_epoch_seconds)
: >"$bench/times.txt"
for place in $(seq 1 20); do
    at=$(awk "BEGIN { printf \"%.0f\", $from + ($to - $from) * $place / 21 }")
    curl -fs --noproxy '*' -o "$bench/answer.json" -w '%{time_starttransfer}\n' \
        "http://127.0.0.1:$port/logs?service=orders&event_ts=$at&before=5s&after=5s" >>"$bench/times.txt"
    grep -q '"outcome":"found"' "$bench/answer.json" || {
        echo "no lines at $at: $(head -c 300 "$bench/answer.json")" >&2
        exit 1
    }
done
slowest=$(sort -n "$bench/times.txt" | tail -n 1 | awk '{ printf "%.0f", $1 * 1000 }')
median=$(sort -n "$bench/times.txt" | sed -n 10p | awk '{ printf "%.0f", $1 * 1000 }')
figure "first byte of /logs, ten seconds of $gb GB, 20 places" "median $median ms, slowest $slowest ms" \
    "< 50 ms" "$(holds "$slowest < 50")"
memory=$(awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status")
figure "most memory of the whole program, indexing included" "$memory MiB" "< 64 MiB" "$(holds "$memory < 64")"
