#!/usr/bin/env bash
# Measures the eight lines of what Bellwether promises, and prints a table:
#     line | what | figure | bar | verdict
# LINES="1 3" selects lines. BELLWETHER_RECORD_SECONDS (600) is the length of the recording.
# The exit code is 0 only if every selected line has figures and all of them pass.
set -euo pipefail
cd "$(dirname "$0")/.."

work=.bench/main-job
line_names=""
titles=(
    ""
    "the main job on real parts"
    "bad input, and a bad Prometheus"
    "durability: killed and restarted"
    "every knob takes effect"
    "the rule that opens incidents"
    "recordings replay bit for bit"
    "forest and engine: speed and memory"
    "a fleet of 200 services"
)
. scripts/lines.sh
select_lines

scripts/require.sh cargo cc prometheus curl
cargo build --release -p server
export BELLWETHER_RELEASE_BINARY="$target/release/bellwether"
export BELLWETHER_RECORD_SECONDS=${BELLWETHER_RECORD_SECONDS:-600}

# The fleet run is ten minutes of waiting for the most part: it goes on beside the live tests. What
# is timed runs alone, at the end.
fleet=""
if wants 8; then
    echo "== fleet: scripts/fleet_run.sh, beside the live tests; its output is in $work/fleet.log"
    JOBS=${JOBS:-1} scripts/fleet_run.sh >"$work/fleet.log" 2>&1 &
    fleet=$!
    trap 'kill -TERM "$fleet" 2>/dev/null; wait "$fleet"' EXIT
fi
if wants 1 2 3 4 5 6; then
    live_part
fi
if [ -n "$fleet" ]; then
    wait "$fleet" || failed+=("fleet (see $work/fleet.log)")
    trap - EXIT
    cat "$work/fleet.log"
fi
if wants 7; then
    part bench scripts/bench_main_job.sh
fi
table
