#!/usr/bin/env bash
# The sample services on this machine, under load, and a Prometheus that scrapes them and has two
# days of their past: all that Bellwether needs to see them.
#
#   scripts/spring.sh up      builds and starts what isn't there; says where Prometheus answers
#   scripts/spring.sh down    ends it
#
#   SPRING_RUN=.demo/spring    where Prometheus writes
#   SHOP_RUN=services/run      where the services do
#   PROMETHEUS_PORT=9490       on 127.0.0.1
#   HISTORY=2d                 how much past; 0 for none
#   LOAD="--factor 1"          arguments of the load generator
#
# The past is a quarter of an hour of these very services, recorded and tiled over the two days
# with the load curve; it is no measurement of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

run=${SPRING_RUN:-.demo/spring}
port=${PROMETHEUS_PORT:-9490}
prometheus=http://127.0.0.1:$port
target=${CARGO_TARGET_DIR:-$PWD/target}
simulator=${SPRING_SIMULATOR:-$target/debug/bellwether-simulator}
pid_file=$run/prometheus.pid

fail() {
    echo "spring: $*" >&2
    exit 1
}

is_running() {
    [ -f "$pid_file" ] && kill -0 "$(cat "$pid_file")" 2>/dev/null
}

answers() {
    curl -fs --noproxy '*' --max-time 5 -o /dev/null "$@"
}

# Prometheus takes a past only as long as it has scraped nothing, so its configuration comes after.
start_prometheus() {
    rm -rf "$run/prometheus"
    mkdir -p "$run"
    echo "global: { scrape_interval: 15s }" >"$run/prometheus.yml"
    if answers "$prometheus/-/ready"; then
        fail "something answers at $prometheus already; set PROMETHEUS_PORT"
    fi
    prometheus --config.file="$run/prometheus.yml" --storage.tsdb.path="$run/prometheus" \
        --storage.tsdb.retention.time=15d --web.listen-address="127.0.0.1:$port" \
        --web.enable-lifecycle --web.enable-remote-write-receiver \
        </dev/null >"$run/prometheus.log" 2>&1 &
    echo $! >"$pid_file"
    local tries=0
    until answers "$prometheus/-/ready"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! is_running; then
            tail -n 5 "$run/prometheus.log" >&2
            fail "Prometheus does not come up; its log is $run/prometheus.log"
        fi
        sleep 0.2
    done
}

lay_past() {
    [ "${HISTORY:-2d}" != 0 ] || return 0
    "$simulator" tile services/recorded/quiet.txt.gz --length "${HISTORY:-2d}" \
        --curve services/load/curve.csv --prometheus "$prometheus"
}

scrape() {
    cp deploy/*rules.yml "$run"
    cp deploy/prometheus.yml "$run/prometheus.yml"
    answers -X POST "$prometheus/-/reload" || fail "Prometheus refuses deploy/prometheus.yml; see $run/prometheus.log"
}

up() {
    scripts/require.sh java mvn prometheus curl
    [ -x "$simulator" ] || fail "no $simulator; run: cargo build -p simulator"
    services/shop build
    services/shop start
    # shellcheck disable=SC2086 # several arguments in one word
    services/shop load start ${LOAD:-}
    if ! is_running; then
        start_prometheus
        lay_past
        scrape
    fi
    echo "Prometheus: $prometheus"
}

down() {
    services/shop stop
    if is_running; then
        local pid tries=0
        pid=$(cat "$pid_file")
        kill "$pid"
        while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
            tries=$((tries + 1))
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    fi
    rm -f "$pid_file"
}

case ${1:-} in
    up) up ;;
    down) down ;;
    *)
        sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
        exit 2
        ;;
esac
