#!/usr/bin/env bash
# A fleet of 200 simulated services, a real Prometheus that scrapes it, and Bellwether with its
# default configuration, for ten minutes: queries a tick, missed ticks, the time until all series
# have models, CPU seconds and memory of both. No fault is started, so incidents are false ones.
#
#   MINUTES=10      of the steady run, which begins when all series have models
#   SERVICES=200    of the fleet; three series each
#   HOURS=8         of history at 60 s in Prometheus before that; each takes 15 s and, for a while, 700 MB
#   SEED=7          of the fleet and its noise
#   JOBS=2          promtools side by side
#
# Everything lies in target/fleet-run. With BELLWETHER_FIGURES its lines are added to that file, as
# line, what, figure, bar and verdict with tabs between.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh
# shellcheck source=scripts/fleet.sh
. scripts/fleet.sh

minutes=${MINUTES:-10}
services=${SERVICES:-200}
hours=${HOURS:-8}
seed=${SEED:-7}
jobs=${JOBS:-2}
beside=()
run=$target/fleet-run

trap stop EXIT
trap 'exit 130' INT TERM

scripts/require.sh cargo cc prometheus curl
cargo build --quiet --release --bins -p server -p simulator

# ── what is measured ────────────────────────────────────────────────────────────────────────────

# The least bucket of a histogram that holds everything since an earlier page.
longest() {
    awk -v name="$3_bucket" '
        FNR == 1 { page++ }
        index($0, name "{") == 1 {
            le = $0
            sub(/.*le="/, "", le)
            sub(/".*/, "", le)
            if (page == 1) before[le] = $NF
            else { order[++n] = le; now[le] = $NF - before[le]; if (now[le] > most) most = now[le] }
        }
        END { for (i = 1; i <= n; i++) if (now[order[i]] == most) { print order[i]; exit } }
    ' <(printf '%s\n' "$1") <(printf '%s\n' "$2")
}

# VmHWM or VmRSS of a process in MiB.
mib() {
    awk -v key="$2:" '$1 == key { printf "%.0f\n", $2 / 1024 }' "/proc/$1/status"
}

queries_seen() {
    local page
    page=$(get "$prometheus/metrics")
    calc "$(value "$page" prometheus_http_requests_total 'handler="/api/v1/query"')" + \
        "$(value "$page" prometheus_http_requests_total 'handler="/api/v1/query_range"')"
}

# A line of the table; also of the file of figures.
figure() {
    local what=$1 figure=$2 bar=$3 verdict=$4
    printf '%-44s %-44s %-16s %s\n' "$what" "$figure" "$bar" "$verdict"
    if [ -n "${BELLWETHER_FIGURES:-}" ]; then
        printf '8\t%s\t%s\t%s\t%s\n' "$what" "$figure" "$bar" "$verdict" >>"$BELLWETHER_FIGURES"
    fi
}

# ── the run ─────────────────────────────────────────────────────────────────────────────────────

lay_history
start_fleet
start_bellwether
start_cpu=$(cpu_seconds "$bellwether_pid")
start_peak=$(mib "$bellwether_pid" VmHWM)
say "$models of $((3 * services)) series have models after $models_seconds s; going on for $minutes minutes."

first_page=$(get "$bellwether/metrics")
first_cpu=$(cpu_seconds "$bellwether_pid")
first_prometheus_cpu=$(cpu_seconds "$prometheus_pid")
first_queries=$(queries_seen)
steady=$(date +%s)
ticks=$(value "$first_page" bellwether_ticks_total)
queries=$(value "$first_page" bellwether_queries_total)
most=0
until [ $(($(date +%s) - steady)) -ge $((minutes * 60)) ]; do
    sleep 3
    kill -0 "$bellwether_pid" 2>/dev/null || fail "Bellwether ended; its log is $run/bellwether.log"
    page=$(get "$bellwether/metrics") || continue
    now=$(value "$page" bellwether_ticks_total)
    if [ "$now" -gt "$ticks" ]; then
        asked=$(value "$page" bellwether_queries_total)
        of_tick=$(calc "($asked - $queries) / ($now - $ticks)")
        most=$(calc "($of_tick > $most) ? $of_tick : $most")
        ticks=$now
        queries=$asked
    fi
done
last_page=$(get "$bellwether/metrics")
last_queries=$(queries_seen)
seconds=$(($(date +%s) - steady))

# ── figures ─────────────────────────────────────────────────────────────────────────────────────

# How much a metric has grown in the steady run.
grown() {
    calc "$(value "$last_page" "$@") - $(value "$first_page" "$@")"
}

ticks=$(grown bellwether_ticks_total)
mean_queries=$(calc "$(grown bellwether_queries_total) / $ticks")
seen=$(calc "($last_queries - $first_queries) / $ticks")
missed=$(value "$last_page" bellwether_ticks_missed_total)
incidents=$(value "$last_page" bellwether_incidents_opened_total)
# A mean in milliseconds and the bucket that holds the longest.
duration() {
    local mean
    mean=$(calc "1000 * $(grown "${1}_sum") / $(grown "${1}_count")")
    printf '%.0f ms on average, all within %s s' "$mean" "$(longest "$first_page" "$last_page" "$1")"
}
# CPU of a process in the steady run, with its share of a core, and its peak.
cost() {
    printf '%.1f s (%.1f %% of a core), %s MiB at most' "$1" "$(calc "100 * $1 / $seconds")" "$2"
}
expected=$((seconds / tick))
gaps=$(awk '/^bellwether_gaps_total\{/ && $NF > 0 {
    reason = $0; sub(/.*reason="/, "", reason); sub(/".*/, "", reason)
    text = text (text == "" ? "" : ", ") reason " " $NF } END { print text == "" ? "none" : text }' <<<"$last_page")

echo
say "$services services, $seconds s of steady run, $hours h of history laid down in $laid s"
echo
figure "first models of all $((3 * services)) series" "$models_seconds s ($models models)" "<= 60 s" \
    "$(holds "$models >= 3 * $services && $models_seconds <= 60")"
figure "queries a tick, mean" "$(printf '%.2f' "$mean_queries")" "<= 6" "$(holds "$mean_queries <= 6")"
figure "queries of one tick, at most" "$most" "<= 6" "$(holds "$most <= 6")"
figure "queries a tick by Prometheus's own count" "$(printf '%.2f' "$seen")" "stated" pass
figure "ticks missed" "$missed ($ticks of about $expected)" "0" "$(holds "$missed == 0 && $ticks >= $expected - 1")"
figure "looking at Prometheus" "$(duration bellwether_collect_duration_seconds)" "stated" pass
figure "judging and storing a tick" "$(duration bellwether_tick_duration_seconds)" "stated" pass
figure "Bellwether until the first models" "$start_cpu s of CPU, $start_peak MiB at most" "stated" pass
figure "Bellwether, steady run" \
    "$(cost "$(calc "$(cpu_seconds "$bellwether_pid") - $first_cpu")" "$(mib "$bellwether_pid" VmHWM)")" "stated" pass
figure "Prometheus, steady run" \
    "$(cost "$(calc "$(cpu_seconds "$prometheus_pid") - $first_prometheus_cpu")" "$(mib "$prometheus_pid" VmHWM)")" "stated" pass
figure "incidents opened without a fault" "$incidents" "stated" pass
figure "gaps" "$gaps" "stated" pass
stop
