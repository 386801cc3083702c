#!/usr/bin/env bash
# The demo on real parts: four Spring Boot services under load, Prometheus with two days of their
# past, and Bellwether. Everything it writes lies in ./.demo/spring and services/run; Ctrl-C ends all.
#
#   FAULT=slow-dependency SERVICE=payments   tell one story: switch this on when all models are there
#   LISTEN=127.0.0.1:9092                    where Bellwether answers
#   PROMETHEUS_PORT=9490                     where Prometheus does
#   DEMO_SECONDS=600                         end after so long; without it until Ctrl-C
set -euo pipefail
cd "$(dirname "$0")/.."

export SPRING_RUN=${SPRING_RUN:-.demo/spring}
listen=${LISTEN:-127.0.0.1:9092}
target=${CARGO_TARGET_DIR:-$PWD/target}
bellwether=$target/debug/bellwether
kinds=$(services/shop help | sed -n 's/^faults: *//p')
services=$(services/shop help | sed -n 's/^services: *//p')
server=""

usage() {
    echo "demo-spring: $*" >&2
    exit 2
}

among() {
    local word=$1 known
    shift
    for known in "$@"; do
        if [ "$word" = "$known" ]; then return 0; fi
    done
    return 1
}

say() {
    printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"
}

stop() {
    trap '' INT TERM EXIT
    echo
    say "Ending."
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    scripts/spring.sh down
}

get() {
    curl -fs --noproxy '*' --max-time 5 "http://$listen$1"
}

is_up() {
    kill -0 "$server" 2>/dev/null || {
        tail -n 5 "$SPRING_RUN/bellwether.log" >&2
        echo "demo-spring: Bellwether has ended; its log is $SPRING_RUN/bellwether.log" >&2
        exit 1
    }
}

start_bellwether() {
    # CPU is the share of all cores, and the burn takes one.
    local cpu_high=$((70 / $(nproc)))
    rm -rf "$SPRING_RUN/data"
    # In a session of its own: Ctrl-C is for this script, which ends everything in its order.
    setsid "$bellwether" serve --config services/bellwether.yaml --listen "$listen" --data-dir "$SPRING_RUN/data" \
        --set "prometheus.url=http://127.0.0.1:${PROMETHEUS_PORT:-9490}" \
        --set "metrics.cpu.high=$cpu_high" \
        --set "logs=[{path: '$PWD/services/run/logs/{service}/app.json'}]" \
        </dev/null >"$SPRING_RUN/bellwether.log" 2>&1 &
    server=$!
    until get /healthz >/dev/null; do
        is_up
        sleep 0.2
    done
}

wait_for_models() {
    local models=0 tries=0
    while [ "$models" -lt 12 ] && [ "$tries" -lt 120 ]; do
        is_up
        sleep 1
        tries=$((tries + 1))
        models=$(get /metrics | awk '$1 == "bellwether_models" { print int($2) }')
    done
    say "$models models."
}

explain() {
    cat <<TEXT

The pages:        http://$listen/
Prometheus:       http://127.0.0.1:${PROMETHEUS_PORT:-9490}/
A fault:          services/shop fault slow-dependency payments
                  services/shop heal slow-dependency payments
                  ($kinds)
What runs:        services/shop status
Incidents:        $bellwether incidents list --url http://$listen
The past of two days is a recorded quarter of an hour of these services, tiled with the load curve.
All is written to $SPRING_RUN and services/run. Ctrl-C ends it.

TEXT
}

# Says each incident once, until the time is over.
follow() {
    local until=$((SECONDS + ${DEMO_SECONDS:-31536000})) seen="" id line
    while [ "$SECONDS" -lt "$until" ]; do
        is_up
        while read -r line; do
            id=${line%% *}
            # shellcheck disable=SC2086 # a list of numbers
            if [[ $id =~ ^#?[0-9]+$ ]] && ! among "$id" $seen; then
                seen="$seen $id"
                say "INCIDENT $line"
            fi
        done < <("$bellwether" incidents list --url "http://$listen" 2>/dev/null || true)
        sleep 5
    done
}

if [ -n "${FAULT:-}" ]; then
    # shellcheck disable=SC2086 # lists of words
    {
        among "$FAULT" $kinds || usage "no fault is called $FAULT; there are $kinds"
        among "${SERVICE:=payments}" $services || usage "no service is called $SERVICE; there are $services"
    }
fi
scripts/require.sh cargo cc java mvn prometheus curl
echo "Building (the first time this takes some minutes)."
cargo build --quiet --bins -p server -p simulator
export SPRING_SIMULATOR=$target/debug/bellwether-simulator

trap stop EXIT
trap 'exit 0' INT TERM
scripts/spring.sh up
start_bellwether
say "Bellwether reads the past and trains."
wait_for_models
explain
if [ -n "${FAULT:-}" ]; then
    # Two minutes of what is normal here and now.
    sleep 120
    say "FAULT $FAULT on $SERVICE"
    services/shop fault "$FAULT" "$SERVICE"
fi
follow
