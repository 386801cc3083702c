#!/usr/bin/env bash
# Measures the five lines of "incidents explain themselves", and prints a table:
#     line | what | figure | bar | verdict
# LINES="1 3" selects lines. WEEKS (3) is the number of simulated weeks, of the seeds 1, 2, ….
# The exit code is 0 only if every selected line has figures and all of them pass.
set -euo pipefail
cd "$(dirname "$0")/.."

work=.bench/incidents
line_names="incidents "
titles=(
    ""
    "stories in the text language"
    "a simulated week"
    "why: the decision at any moment"
    "a real restart with a slower version"
    "ten thousand incidents over the API"
)
. scripts/lines.sh
select_lines

scripts/require.sh cargo cc prometheus curl python3
cargo build --release -p server
weeks=${WEEKS:-3}

# How many stories there are, and whether they hold.
stories() {
    local wanted=25 count before=${#failed[@]} verdict=pass
    part stories cargo test -p lab --test stories -- --nocapture
    count=$(find crates/lab/scenarios -name '*.scn' 2>/dev/null | wc -l)
    [ "$count" -gt 0 ] || return 0
    if [ ${#failed[@]} -gt "$before" ] || [ "$count" -lt "$wanted" ]; then verdict=short; fi
    figure 1 "stories in crates/lab/scenarios" \
        "$count, $([ ${#failed[@]} -gt "$before" ] && echo "not all hold" || echo "all hold, also with other noise")" \
        "≥ $wanted, all hold" "$verdict"
}

# A number of every week's report against a bar: all must be at most, or at least, so much.
weeks_figure() {
    local field=$1 what=$2 relation=$3 bar=$4 unit=${5:-} seed value values="" verdict=pass
    for ((seed = 1; seed <= weeks; seed++)); do
        value=$(number "$work/week-$seed.json" "$field")
        values+="${values:+, }${value:-none}"
        awk -v value="${value:-none}" -v relation="$relation" -v bar="$bar" 'BEGIN {
            if (value == "none") exit 1
            exit !(relation == "≤" ? value + 0 <= bar + 0 : value + 0 >= bar + 0)
        }' || verdict=short
    done
    figure 2 "$what; seeds 1 to $weeks" "$values" "$relation $bar$unit" "$verdict"
}

simulated_weeks() {
    local seed
    for ((seed = 1; seed <= weeks; seed++)); do
        "$target/release/bellwether" lab week --seed "$seed" --json >"$work/week-$seed.json"
        echo "seed $seed: $(number "$work/week-$seed.json" faults_found) of $(number "$work/week-$seed.json" faults) faults found"
    done
    weeks_figure incidents_per_fault "incidents per fault and affected service" ≤ 1.2
    weeks_figure false_incidents "incidents on services never touched" ≤ 2
    weeks_figure faults_found "faults found, of 30" ≥ 28
    weeks_figure onset_error_samples_median "median onset error" ≤ 2 " samples"
}

if wants 1; then
    stories
fi
if wants 2; then
    part weeks simulated_weeks
fi
if wants 3 4; then
    # The first episode of line 4 ends by itself here, which takes minutes.
    BELLWETHER_WHOLE_EPISODES=1 live_part
fi
if wants 5; then
    part bench scripts/bench_incidents.sh
fi
table
