# shellcheck shell=bash
# A fleet of simulated services with some hours of history, a real Prometheus that scrapes it, and
# Bellwether with its defaults beside them, for scripts that measure. Sourced after measure.sh, with
#
#   run       the folder of everything, made anew
#   services  of the fleet; three series each
#   hours     of history at 60 s; each takes 15 s for 200 services and, for a while, 700 MB
#   seed      of the fleet and its noise
#   jobs      promtools side by side
#   beside    a command to run fleet and Prometheus under, such as (taskset -c 1)
#
# shellcheck disable=SC2154 # the variables above are the script's

tick=15
target=${CARGO_TARGET_DIR:-$PWD/target}
simulator=$target/release/bellwether-simulator
binary=$target/release/bellwether
pids=()

say() {
    printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"
}

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

stop() {
    trap '' INT TERM
    local i
    # In the order they lean on each other: Bellwether first.
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        kill -TERM "${pids[i]}" 2>/dev/null || true
        wait "${pids[i]}" 2>/dev/null || true
    done
    pids=()
}

start() {
    local name=$1
    shift
    "$@" >"$run/$name.log" 2>&1 &
    pids+=($!)
}

get() {
    curl -fs --noproxy '*' --max-time 5 "$1"
}

# Waits until an address answers, or says what the log of the part says.
await() {
    local name=$1 url=$2 tries=0
    until get "$url" >/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -gt 600 ] || ! kill -0 "${pids[-1]}" 2>/dev/null; then
            tail -n 5 "$run/$name.log" >&2
            fail "$name does not come up; its log is $run/$name.log"
        fi
        sleep 0.1
    done
}

calc() {
    awk "BEGIN { printf \"%.10g\n\", $* }"
}

# The sum of a metric's values in a page of metrics, with those labels if some are given.
value() {
    awk -v name="$2" -v labels="${3:-}" '
        !/^#/ {
            metric = $0
            sub(/[{ ].*/, "", metric)
            if (metric == name && (labels == "" || index($0, labels))) sum += $NF
        }
        END { printf "%.15g\n", sum }' <<<"$1"
}

# Lays the history into Prometheus's folder; `laid` is how many seconds that took.
lay_history() {
    local began until
    rm -rf "$run"
    mkdir -p "$run/text" "$run/prometheus"
    began=$(date +%s)
    # The history ends so long after it is begun: as long as laying it down takes, so that live
    # scrapes follow on it.
    until=$((began + 15 + hours * 15 * services / 200))
    epoch=$((until - hours * 3600))
    say "Laying $hours h of $services services at 60 s into Prometheus."
    RUST_LOG=warn "$simulator" history --topology "$services" --seed "$seed" --length "${hours}h" --step 60s \
        --until "$(date -u -d "@$until" +%FT%TZ)" --families catalogue --by-block "$run/text"
    find "$run/text" -name '*.om' -print0 | sort -z |
        xargs -0 -P "$jobs" -I{} sh -c 'promtool tsdb create-blocks-from openmetrics "$1" "$2" >>"$3" 2>&1' \
            sh {} "$run/prometheus" "$run/promtool.log" || fail "promtool refused the history; see $run/promtool.log"
    rm -rf "$run/text"
    laid=$(($(date +%s) - began))
    say "Laid down in $laid s."
    while [ "$(date +%s)" -le "$until" ]; do
        sleep 1
    done
}

# The fleet and a Prometheus with two scrapes of every target; `fleet`, `prometheus` and
# `prometheus_pid`.
start_fleet() {
    local fleet_port prometheus_port
    fleet_port=$(free_port)
    start fleet "${beside[@]}" "$simulator" serve --topology "$services" --seed "$seed" \
        --listen "127.0.0.1:$fleet_port" --history "$(($(date +%s) - epoch))s"
    fleet=http://127.0.0.1:$fleet_port
    await fleet "$fleet/sd"
    "$simulator" prometheus-config --sd-url "$fleet/sd" --interval "${tick}s" >"$run/prometheus.yml"
    prometheus_port=$(free_port)
    start prometheus "${beside[@]}" prometheus --config.file="$run/prometheus.yml" \
        --storage.tsdb.path="$run/prometheus" --storage.tsdb.retention.time=30d \
        --web.listen-address="127.0.0.1:$prometheus_port"
    prometheus_pid=${pids[-1]}
    prometheus=http://127.0.0.1:$prometheus_port
    await prometheus "$prometheus/-/ready"
    sleep $((2 * tick))
}

# Bellwether on nothing but its defaults, no variables and no file in its working directory, until
# all series have models or 300 s are over; `bellwether`, `bellwether_pid`, `models` and
# `models_seconds`.
start_bellwether() {
    local listen started waited series=$((3 * services))
    listen=127.0.0.1:$(free_port)
    bellwether=http://$listen
    started=$(date +%s%3N)
    start bellwether env -i --chdir="$run" "$binary" serve --prometheus "$prometheus" --listen "$listen" \
        --data-dir "$run/data"
    bellwether_pid=${pids[-1]}
    await bellwether "$bellwether/healthz"
    models=0
    while [ "$models" -lt "$series" ]; do
        waited=$(($(date +%s%3N) - started))
        if [ "$waited" -gt 300000 ]; then
            say "After 300 s only $models of $series series have models; going on."
            break
        fi
        sleep 0.5
        models=$(value "$(get "$bellwether/metrics")" bellwether_models)
    done
    models_seconds=$(printf "%.1f" "$(calc "$waited / 1000")")
}
