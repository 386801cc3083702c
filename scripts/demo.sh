#!/usr/bin/env bash
# The demo: a simulated shop of six services, a Prometheus that scrapes it, Bellwether, one fault.
# Everything lies in ./.demo; ports other than Bellwether's are the next free ones. Ctrl-C ends all.
#
#   FAULT=slow-dependency SERVICE=payments MAGNITUDE=1.5 FOR=5m   which fault
#   FAULTS=none        start none
#   FAULT_AFTER=60     seconds of calm before it
#   SEED=7             of the fleet and its noise
#   DEMO_SECONDS=300   end after so long; without it the demo runs until Ctrl-C
set -euo pipefail
cd "$(dirname "$0")/.."

fault=${FAULT:-slow-dependency}
service=${SERVICE:-payments}
magnitude=${MAGNITUDE:-1.5}
fault_for=${FOR:-5m}
seed=${SEED:-7}
fault_after=${FAULT_AFTER:-60}
history_days=2
reuse_seconds=3600

demo=$PWD/.demo
run=$demo/run
history=$demo/history
pids=()

say() {
    printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"
}

stop() {
    trap '' INT TERM
    if [ ${#pids[@]} -gt 0 ]; then
        echo
        say "Ending Bellwether, Prometheus and the fleet."
        local i
        # In the order they lean on each other: Bellwether first.
        for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
            kill -TERM "${pids[i]}" 2>/dev/null || true
            wait "${pids[i]}" 2>/dev/null || true
        done
        pids=()
        say "Ended. What was written lies in .demo/run until the next start."
    fi
}
trap stop EXIT
trap 'exit 0' INT TERM

fail() {
    echo "demo: $*" >&2
    exit 1
}

# ── what is needed ──────────────────────────────────────────────────────────────────────────────

scripts/require.sh cargo cc prometheus curl flock setpriv

mkdir -p "$demo"
exec 9>"$demo/lock"
flock -n 9 || fail "another demo runs in this folder; end it first"

say "Building Bellwether and the simulator (the first time this takes some minutes)."
built=$SECONDS
cargo build --quiet -p server -p simulator --bins
say "Built in $((SECONDS - built)) s."
target=${CARGO_TARGET_DIR:-$PWD/target}
simulator=$target/debug/bellwether-simulator
bellwether=$target/debug/bellwether

taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The wanted port, or the next one that nobody listens on.
port_from() {
    local port=$1
    while taken "$port"; do
        port=$((port + 1))
    done
    echo "$port"
}

bellwether_port=$(port_from 9092)
[ "$bellwether_port" = 9092 ] || say "Port 9092 is taken; Bellwether listens on $bellwether_port."
prometheus_port=$(port_from 9490)
fleet_port=$(port_from 9600)

# ── two days of history, laid down once ─────────────────────────────────────────────────────────

now=$(date +%s)
laid_until=0
laid_seed=
if [ -f "$history/laid" ]; then
    read -r laid_until laid_seed <"$history/laid"
fi
if [ "$laid_seed" = "$seed" ] && [ $((now - laid_until)) -lt "$reuse_seconds" ]; then
    say "Using the history of $(((now - laid_until) / 60)) minutes ago."
else
    say "Laying down $history_days days of history for Prometheus."
    began=$SECONDS
    rm -rf "$history"
    mkdir -p "$history/blocks"
    # It ends before now, or Prometheus refuses the first live scrapes as out of bounds.
    laid_until=$((now - 5))
    RUST_LOG=warn "$simulator" history --topology shop --seed "$seed" --length "${history_days}d" \
        --until "$(date -u -d "@$laid_until" +%FT%TZ)" --families catalogue --by-block "$history/text" 9>&-
    for file in "$history"/text/*.om; do
        promtool tsdb create-blocks-from openmetrics "$file" "$history/blocks" >"$history/promtool.log" 2>&1 9>&- ||
            fail "promtool refused $file; see $history/promtool.log"
    done
    rm -rf "$history/text"
    echo "$laid_until $seed" >"$history/laid"
    say "Laid down in $((SECONDS - began)) s."
fi

# ── the three parts ─────────────────────────────────────────────────────────────────────────────

rm -rf "$run"
mkdir -p "$run"
cp -r "$history/blocks" "$run/prometheus"

# Runs a part in the background, its output in a log, without the demo's lock. Ctrl-C reaches only
# this script, which ends the parts in order; should the script be killed, they end by themselves.
start() {
    local name=$1
    shift
    setsid setpriv --pdeathsig TERM "$@" >"$run/$name.log" 2>&1 9>&- &
    pids+=($!)
}

# Waits until an address answers, or says what the log of the part says.
await() {
    local name=$1 url=$2 tries=0
    until curl -fs --noproxy '*' -o /dev/null "$url"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! kill -0 "${pids[-1]}" 2>/dev/null; then
            tail -n 5 "$run/$name.log" >&2
            fail "$name does not come up; its log is $run/$name.log"
        fi
        sleep 0.2
    done
}

# The fleet goes on where its history ends, with the same counters.
fleet_age=$(($(date +%s) - laid_until + history_days * 86400))
start fleet "$simulator" serve --topology shop --seed "$seed" --listen "127.0.0.1:$fleet_port" \
    --history "${fleet_age}s" --logs "$run/logs"
await fleet "http://127.0.0.1:$fleet_port/sd"

"$simulator" prometheus-config --sd-url "http://127.0.0.1:$fleet_port/sd" --interval 5s >"$run/prometheus.yml"
start prometheus prometheus --config.file="$run/prometheus.yml" --storage.tsdb.path="$run/prometheus" \
    --storage.tsdb.retention.time=30d --web.listen-address="127.0.0.1:$prometheus_port"
await prometheus "http://127.0.0.1:$prometheus_port/-/ready"

# A rate needs two scrapes, and Bellwether looks some seconds behind the clock. A real Prometheus
# has run for long before it.
scraped() {
    curl -fsG --noproxy '*' "http://127.0.0.1:$prometheus_port/api/v1/query" --data-urlencode \
        'query=count(count by (service) (rate(http_server_requests_seconds_count[1m] offset 10s)))' |
        grep -q '"6"\]'
}
say "Waiting until Prometheus has scraped every service twice."
for _ in {1..120}; do
    ! scraped || break
    sleep 0.5
done

cat >"$run/config.yaml" <<CONFIG
# What the demo runs with; everything else is the default.
prometheus: { url: 'http://127.0.0.1:$prometheus_port' }
tick: 5s
evaluation_delay: 5s
logs: [ { path: '$run/logs/{service}/app.json' } ]
listen: 127.0.0.1:$bellwether_port
data_dir: '$run/data'
CONFIG
env --unset=BELLWETHER_CONFIG "$bellwether" check-config --config "$run/config.yaml" >/dev/null 9>&-
started=$SECONDS
start bellwether "$bellwether" serve --config "$run/config.yaml"
address=http://127.0.0.1:$bellwether_port
await bellwether "$address/healthz"

# ── what happens ────────────────────────────────────────────────────────────────────────────────

get() {
    curl -fs --noproxy '*' --max-time 10 "$address$1" 2>/dev/null || true
}

# A number or word of a JSON text by its key: the first one.
field() {
    grep -o "\"$1\":[^,}]*" | sed -n 1p | sed -e 's/^[^:]*://' -e 's/^"//' -e 's/"$//'
}

# A text by its key, with what is escaped in it.
text_field() {
    grep -oE "\"$1\":\"([^\"\\\\]|\\\\.)*\"" | sed -n 1p | sed -e 's/^[^:]*:"//' -e 's/"$//' -e 's/\\"/"/g'
}

# All texts with a key, one a line.
text_fields() {
    grep -oE "\"$1\":\"([^\"\\\\]|\\\\.)*\"" | sed -e 's/^[^:]*:"//' -e 's/"$//' || true
}

tell_curl() {
    cat <<TEXT

    Bellwether    $address        (Prometheus http://127.0.0.1:$prometheus_port, fleet http://127.0.0.1:$fleet_port)

    curl -s $address/services
    curl -s '$address/metrics?service=$service'
    curl -s $address/api/v1/incidents
    curl -s $address/api/v1/status

TEXT
}

pause() {
    local pid
    for pid in "${pids[@]}"; do
        kill -0 "$pid" 2>/dev/null || fail "a part ended by itself; the logs are $run/*.log"
    done
    if [ -n "${DEMO_SECONDS:-}" ] && [ $((SECONDS - started)) -ge "$DEMO_SECONDS" ]; then
        say "$DEMO_SECONDS seconds are over."
        exit 0
    fi
    sleep 1
}

say "All parts are up. Bellwether reads the past of the six services and trains a model for each metric."
tell_curl
while models=$(get /api/v1/status | field models); [ "${models:-0}" -lt 18 ]; do
    pause
done
say "$models models are in use, $((SECONDS - started)) s after Bellwether's start."

if [ "${FAULTS:-}" = none ]; then
    say "No fault is started (FAULTS=none). Ctrl-C ends everything."
    fault_after=
else
    say "All is calm. In $fault_after s $service gets a fault: $fault, magnitude $magnitude, for $fault_for."
fi

begin_fault() {
    local body answer
    body="{\"kind\": \"$fault\", \"service\": \"$service\", \"for\": \"$fault_for\", \"magnitude\": $magnitude}"
    answer=$(curl -s --noproxy '*' -H 'content-type: application/json' -d "$body" "http://127.0.0.1:$fleet_port/faults")
    case $answer in
        *'"error"'*) fail "the simulator refused the fault: $(text_field error <<<"$answer")" ;;
    esac
    fault_id=$(field id <<<"$answer")
    fault_at=$SECONDS
    say "FAULT      $fault begins on $service. Nobody tells Bellwether."
}

since_fault() {
    if [ -n "$fault_at" ]; then
        echo "$((SECONDS - fault_at)) s after the fault"
    else
        echo "without a fault"
    fi
}

# Says a thing once.
declare -A said
once() {
    [ -z "${said[$1]:-}" ] || return 1
    said[$1]=yes
}

# What is unlike itself and still below its thresholds: seen, never paging.
tell_early() {
    local id metric
    for id in $(get /services | sed 's/{"id":/\n&/g' | grep '"state":"early_warning"' | text_fields id); do
        once "early $id" || continue
        metric=$(get "/metrics?service=$id" | sed 's/{"id":/\n&/g' | grep '^{"id":.*"prediction":"Anomaly"' | sed -n 1p || true)
        [ -z "$metric" ] || say "EARLY      $id, $(text_field title <<<"$metric"): $(text_field why <<<"$metric") ($(since_fault))."
    done
}

tell_crossings() {
    local metric
    while IFS= read -r metric; do
        case $metric in
            *'"severity":"High"'* | *'"severity":"Critical"'*)
                if once "crossing $(text_field id <<<"$metric")"; then
                    say "CROSSING   $service, $(text_field title <<<"$metric"): $(text_field why <<<"$metric") ($(since_fault))."
                fi
                ;;
        esac
    done < <(get "/metrics?service=$service" | sed 's/{"id":/\n&/g' | grep '^{"id":' || true)
}

tell_incident() {
    local id=$1 incident of
    incident=$(get "/api/v1/incidents/$id")
    [ -n "$incident" ] || return 0
    of=$(text_field service <<<"$incident")
    if once "opened $id"; then
        say "INCIDENT   #$id on $of is open ($(since_fault)): $(text_field summary <<<"$incident")."
        if once "what to look at"; then
            cat <<TEXT

    When it began, what changed, which metrics moved, how unusual it is, its timeline and its logs:
    curl -s $address/api/v1/incidents/$id
    What was decided about its latency, now or at any other time, and why:
    $bellwether why $of lat now --url $address
    curl -s '$address/logs?service=$of&event_ts=$(text_field event_ts <<<"$incident")'
    When it is dealt with:
    curl -s $address/api/v1/incidents/$id/resolve -H 'content-type: application/json' -d '{"note": "rolled back"}'

TEXT
        fi
    fi
    local lines
    lines=$(grep -oE '"text":"[0-9]+ log lines attached"' <<<"$incident" | tail -n 1 | tr -dc 0-9 || true)
    if [ -n "$lines" ] && once "logs $id"; then
        say "LOGS       $lines lines around it are attached to #$id, errors first."
        local worst
        worst=$(sed 's/.*"items"://' <<<"$incident" | text_field message || true)
        [ -z "$worst" ] || say "           The first: $worst"
    fi
    if grep -q '"event":"member_joined"' <<<"$incident" && once "joined $id"; then
        say "JOINED     Another metric of $of is past its threshold and belongs to #$id."
    fi
    if grep -q '"status":"RESOLVED"' <<<"$incident" && once "resolved $id"; then
        say "RESOLVED   #$id was resolved by an operator."
    fi
    if grep -q '"firing":false' <<<"$incident" && once "quiet $id"; then
        say "QUIET      #$id has been calm for five minutes. It stays $(text_field status <<<"$incident"): only you resolve it."
    fi
}

calm_since=$SECONDS
fault_at=
fault_id=
while true; do
    if [ -n "$fault_after" ] && [ $((SECONDS - calm_since)) -ge "$fault_after" ]; then
        fault_after=
        begin_fault
    fi
    if [ -n "$fault_id" ]; then
        tell_early
        tell_crossings
        if curl -s --noproxy '*' "http://127.0.0.1:$fleet_port/faults" |
            grep -q "\"id\":$fault_id,[^}]*\"state\":\"over\"" && once "fault over"; then
            say "FAULT      $fault is over. Rates reach back five minutes, so values fall with a delay."
        fi
    fi
    for id in $(get "/api/v1/incidents?limit=20" | grep -oE '\{"id":[0-9]+' | tr -dc '0-9\n' | sort -n || true); do
        tell_incident "$id"
    done
    pause
done
