#!/usr/bin/env bash
# Measures the five lines of "what the logs say", and prints a table:
#     line | what | figure | bar | verdict
# LINES="1 3" selects lines. DATA (../shared/data) is the folder of the labelled data that lines 2
# and 3 are measured on: `logs/spring-tt` and `rca` in it; without it they are not run. GB (5) is the
# size of the log of line 4.
# The exit code is 0 only if every selected line has figures and all of them pass.
set -euo pipefail
cd "$(dirname "$0")/.."

work=.bench/logs
line_names="logs "
titles=(
    ""
    "bad input"
    "grouping lines by template"
    "what moved around an incident"
    "cost: a large log, a fast log"
    "together: a real restart with a slower version"
)
. scripts/lines.sh
# shellcheck source=scripts/measure.sh
. scripts/measure.sh
select_lines
data=${DATA:-../shared/data}

scripts/require.sh cargo cc prometheus curl
cargo build --release -p server

# A number of a JSON document on one line; nothing where it is null.
number() {
    sed -n "s/.*\"$2\": *\\([-+.0-9e]*\\).*/\\1/p" "$1" | head -n 1
}

bad_input() {
    local log=$work/bad_input.txt count verdict=pass
    cargo test -p sources --test it -- --test-threads=2 log 2>&1 | tee "$log"
    count=$(grep -c '^test log[a-z_]*::.* ok$' "$log" || true)
    if ! grep -q '^test result: ok' "$log"; then verdict=short; fi
    figure 1 "tests of reading logs, bad input among them" \
        "$count $([ "$verdict" = pass ] && echo "hold" || echo "hold, others don't")" "all" "$verdict"
    bad_input_listed "$log"
}

# Each kind of bad input has a test whose name says so.
bad_input_listed() {
    local kind missing="" found=0
    for kind in gibibyte binary_and_invalid being_written zone future ten_thousand no_link \
        service_name escapes rotation_by_rename rotation_by_truncation damaged_index; do
        if grep -q "^test log[a-z_]*::.*$kind.* ok\$" "$1"; then
            found=$((found + 1))
        else
            missing+=" $kind"
        fi
    done
    figure 1 "kinds of bad input with a test of their own" "$found${missing:+, missing:$missing}" \
        "12" "$([ -z "$missing" ] && echo pass || echo short)"
}

grouping() {
    local lines=$data/logs/spring-tt answer=$work/grouping.json
    "$target/release/bellwether" lab logs "$lines" --ids "$work/ids.txt" --json >"$answer"
    local ga fga rate
    ga=$(number "$answer" ga) fga=$(number "$answer" fga) rate=$(number "$answer" lines_per_second)
    figure 2 "grouping accuracy, by line and by group (Drain3: .552/.314 raw, .535/.324 masked)" \
        "$(printf 'GA %.3f, FGA %.3f' "$ga" "$fga")" "≥ 0.88 each" "$(holds "$ga >= 0.88 && $fga >= 0.88")"
    figure 2 "lines a second on one core, masking included" "$(printf '%.0f' "$rate")" "≥ 150,000" "$(holds "$rate >= 150000")"
    cargo run --quiet --release -p lab --example log_peer -- "$lines" | tee "$work/peer.txt"
    local times
    times=$(sed -n 's/^ratio[: ]*\([.0-9]*\).*/\1/p' "$work/peer.txt")
    figure 2 "times as fast as logdrain with masking, in one run" "$times" "≥ 5" "$(holds "$times >= 5")"
}

shift_of_patterns() {
    local answer=$work/shift.json cases top1 top3
    "$target/release/bellwether" lab log-shift "$data/rca" --out "$work/ranked.json" --json >"$answer"
    cases=$(number "$answer" cases) top1=$(number "$answer" top1) top3=$(number "$answer" top3)
    figure 3 "code faults whose service and class is among the first three" \
        "$top3 of $cases; first in $top1" "≥ 11 of 12" "$(holds "$top3 >= $cases * 11 / 12 && $cases >= 12")"
}

# Stories that say what the logs say.
stories() {
    local count
    cargo test -p lab --test stories every_story_holds
    count=$(grep -lE '^ +logs (new|risen|fallen|gone|none|unread)' crates/lab/scenarios/*.scn | wc -l)
    figure 5 "stories that state their log pattern, all hold" "$count" "stated" pass
}

if wants 1; then
    part bad-input bad_input
fi
if wants 2; then
    if [ -d "$data/logs/spring-tt" ]; then part grouping grouping; fi
fi
if wants 3; then
    if [ -d "$data/rca/nezha-tt" ]; then part shift shift_of_patterns; fi
fi
if wants 5; then
    part stories stories
    live_part
fi
if wants 4; then
    part cost scripts/bench_logs.sh
fi
table
