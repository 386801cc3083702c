#!/usr/bin/env bash
# The whole single node held to two CPUs and 4 GiB: four Spring Boot services under load, Prometheus
# with two days of their past, and the release build of Bellwether, for half an hour.
#
#   MINUTES=30   of the steady run, which begins when all models are there
#
# Where cgroups may be made (root), one holds all of it to 2 CPUs and 4 GiB, and the kernel kills
# what is beyond; elsewhere it is CPU affinity and the sum of what each process has for itself (PSS).
# Both are measured. With BELLWETHER_FIGURES its lines are added to that file.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh

minutes=${MINUTES:-30}
run=$PWD/target/node-run
target=${CARGO_TARGET_DIR:-$PWD/target}
binary=$target/release/bellwether
limit=$((4 << 30))
groups=()
server=""
export SPRING_RUN=$run SHOP_RUN=$run/shop

say() {
    printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"
}

figure() {
    printf '%-52s %-60s %-18s %s\n' "$@"
    if [ -n "${BELLWETHER_FIGURES:-}" ]; then
        printf 'spring 5\t%s\t%s\t%s\t%s\n' "$@" >>"$BELLWETHER_FIGURES"
    fi
}

# ── the limits ──────────────────────────────────────────────────────────────────────────────────

# Everything started from here on is inside. Says how it is held.
hold() {
    local root=/sys/fs/cgroup name=bellwether-node
    if [ -f $root/cgroup.controllers ] && mkdir -p $root/$name 2>/dev/null &&
        echo "200000 100000" >$root/$name/cpu.max 2>/dev/null && echo $limit >$root/$name/memory.max 2>/dev/null; then
        groups=("$root/$name")
        held="cgroup v2"
    elif mkdir -p $root/cpu/$name $root/memory/$name 2>/dev/null &&
        echo 100000 >$root/cpu/$name/cpu.cfs_period_us && echo 200000 >$root/cpu/$name/cpu.cfs_quota_us &&
        echo $limit >$root/memory/$name/memory.limit_in_bytes; then
        groups=("$root/cpu/$name" "$root/memory/$name")
        held="cgroup v1"
    else
        taskset -p -c 0,1 $$ >/dev/null
        held="affinity and PSS"
        return
    fi
    local group
    for group in "${groups[@]}"; do echo $$ >"$group/cgroup.procs"; done
}

let_go() {
    local group
    for group in "${groups[@]}"; do
        echo $$ >"$(dirname "$group")/cgroup.procs" || true
        rmdir "$group" 2>/dev/null || true
    done
}

# How often the kernel had to kill something.
killed() {
    local group file
    for group in "${groups[@]}"; do
        for file in "$group/memory.oom_control" "$group/memory.events"; do
            if [ -f "$file" ]; then awk '$1 == "oom_kill" { print $2 }' "$file"; fi
        done
    done | awk '{ sum += $1 } END { print sum + 0 }'
}

# ── what is measured ────────────────────────────────────────────────────────────────────────────

# "name pid" of every process of the node.
processes() {
    local file
    for file in "$SHOP_RUN"/*.pid; do
        echo "$(basename "$file" .pid) $(cat "$file")"
    done
    echo "prometheus $(cat "$run/prometheus.pid")"
    echo "bellwether $server"
}

pss_mib() {
    awk '$1 == "Pss:" { printf "%.1f\n", $2 / 1024 }' "/proc/$1/smaps_rollup"
}

# A line for each process: when, name, PSS in MiB, CPU seconds so far.
look() {
    local name pid
    while read -r name pid; do
        echo "$SECONDS $name $(pss_mib "$pid") $(cpu_seconds "$pid")"
    done < <(processes)
}

get() {
    curl -fs --noproxy '*' --max-time 5 "$bellwether$1"
}

# A metric of Bellwether's own; 0 where it isn't there yet.
value() {
    get /metrics | awk -v name="$1" '$1 == name { value = int($2) } END { print value + 0 }'
}

disk_mib() {
    du -sm "$1" | awk '{ print $1 }'
}

# ── the run ─────────────────────────────────────────────────────────────────────────────────────

stop() {
    trap '' INT TERM EXIT
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    scripts/spring.sh down
    let_go
}

start_bellwether() {
    local listen
    listen=127.0.0.1:$(free_port)
    bellwether=http://$listen
    # Of its own environment: BELLWETHER_FIGURES is no configuration.
    env -i PATH="$PATH" "$binary" serve --config services/bellwether.yaml --listen "$listen" --data-dir "$run/data" \
        --set "prometheus.url=http://127.0.0.1:$PROMETHEUS_PORT" \
        --set "logs=[{path: '$SHOP_RUN/logs/{service}/app.json'}]" </dev/null >"$run/bellwether.log" 2>&1 &
    server=$!
    local tries=0
    until [ "$(value bellwether_models || true)" -ge 12 ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! kill -0 "$server"; then
            tail -n 5 "$run/bellwether.log" >&2
            echo "node-run: no models; the log is $run/bellwether.log" >&2
            exit 1
        fi
        sleep 1
    done
}

# Largest PSS of each process, and CPU over the run.
of_each() {
    local name peak cpu
    while read -r name peak cpu; do
        figure "$name: PSS at most, CPU" "$peak MiB, $cpu % of a core" "stated" pass
    done < <(awk '
        { if ($3 > peak[$2]) peak[$2] = $3; if (!($2 in first)) { first[$2] = $4; from[$2] = $1; order[++n] = $2 } last[$2] = $4; to[$2] = $1 }
        END { for (i = 1; i <= n; i++) { name = order[i]; printf "%s %.0f %.1f\n", name, peak[name], 100 * (last[name] - first[name]) / (to[name] - from[name]) } }
    ' "$run/looks")
}

# Of the sums of all processes at one moment, in MiB.
largest_sum() {
    awk '{ sum[$1] += $3 } END { for (at in sum) if (sum[at] > most) most = sum[at]; printf "%.0f\n", most }' "$run/looks"
}

scripts/require.sh cargo cc java mvn prometheus curl
cargo build --quiet --release --bins -p server -p simulator
services/shop build
export SPRING_SIMULATOR=$target/release/bellwether-simulator
PROMETHEUS_PORT=$(free_port)
export PROMETHEUS_PORT
rm -rf "$run"
mkdir -p "$run"
trap stop EXIT
trap 'exit 130' INT TERM

hold
say "Held by $held."
scripts/spring.sh up
start_bellwether
say "$(value bellwether_models) models; $minutes minutes from here."
missed=$(value bellwether_ticks_missed_total)
ticks=$(value bellwether_ticks_total)
before=$(killed)
until=$((SECONDS + minutes * 60))
while [ "$SECONDS" -lt "$until" ]; do
    look >>"$run/looks"
    sleep 15
done

of_each
whole=$(largest_sum)
figure "all processes together: PSS at most" "$whole MiB ($held)" "≤ 4096 MiB" "$(holds "$whole <= 4096")"
kills=$(($(killed) - before))
figure "processes killed for memory" "$kills" "0" "$(holds "$kills == 0")"
ticks=$(($(value bellwether_ticks_total) - ticks))
missed=$(($(value bellwether_ticks_missed_total) - missed))
figure "ticks missed" "$missed of $((ticks + missed))" "0" "$(holds "$missed == 0 && $ticks >= $minutes * 4 - 2")"
opened=$(value bellwether_incidents_opened_total)
figure "incidents without a fault" "$opened" "0" "$(holds "$opened == 0")"
series=$(curl -fs --noproxy '*' "http://127.0.0.1:$PROMETHEUS_PORT/metrics" | awk '$1 == "prometheus_tsdb_head_series" { print int($2) }')
figure "Prometheus: series; disk with two days of past" "$series; $(disk_mib "$run/prometheus") MiB" "stated" pass
figure "Bellwether: series; disk" "$(get /metrics | awk '/^bellwether_series\{/ { sum += $2 } END { print sum }'); $(disk_mib "$run/data") MiB" "stated" pass
