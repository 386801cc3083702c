#!/usr/bin/env bash
# Measures the detector, line by line, and prints a table:
#     line | what | figure | bar | verdict
#
#   LINES="1 4"              only these
#   DATA=../shared/data      has detection/index.csv, for line 1
#   EVAL=../shared/eval      has detection/{score,incidents}.py, for line 1
#   PYTHON=python            one with what EVAL/detection/requirements.txt names; otherwise they are installed
#   WEEKS=10                 simulated weeks, of the seeds 1, 2, …, for line 6
#   BEFORE=0ef7115           the commit whose weeks they are compared with; "" for none
#   STORIES=one              of the demo, one fault instead of every kind on three services, for line 5
#
# The exit code is 0 only if every selected line has figures and all of them pass.
set -euo pipefail
cd "$(dirname "$0")/.."

work=target/show-detector
line_names="detector "
titles=(
    ""
    "the shipped detector on labelled series"
    "the table beside its peers, docs/evaluation/detection.md"
    "a daily batch is usual from its fourth day on, also after a change of clocks"
    "the forest beside its peers, builds, the whole detector's speed"
    "faults on a live server, the scorer's direction, polluted windows"
    "what stood before still stands"
)
. scripts/lines.sh
# shellcheck source=scripts/measure.sh
. scripts/measure.sh
select_lines

scripts/require.sh cargo cc curl python3
weeks=${WEEKS:-10}
before=${BEFORE-0ef7115}
before_weeks=$work/weeks-${before:-none}

# Line 1: the peers don't run here; make eval-detection has them.
labelled() {
    local what said bar verdict rows=$work/labelled.tsv
    PEERS="" ENTITY_PEERS="" scripts/eval_detection.sh || return 1
    python3 scripts/eval_detection.py figures "$target/eval" >"$rows" || return 1
    while IFS=$'\t' read -r what said bar verdict; do
        figure 1 "$what" "$said" "$bar" "$verdict"
    done <"$rows"
}

# Line 2: that the table is there, and of which code its figures are.
committed_table() {
    local file=docs/evaluation/detection.md commit verdict=pass said
    if ! git ls-files --error-unmatch "$file" >/dev/null 2>&1; then
        figure 2 "$file" "not committed" "with date and commit" short
        return
    fi
    commit=$(sed -n 's/^Made by .* at commit \([0-9a-f]\{7,\}\).*/\1/p' "$file" | head -n 1)
    said=$(sed -n 's/^Made by .* on \([-0-9]*\) at commit .*/of \1/p' "$file" | head -n 1)
    if [ -z "$commit" ] || ! git merge-base --is-ancestor "$commit" HEAD 2>/dev/null; then
        figure 2 "$file" "${said:-no date}, commit ${commit:-not said}" "with date and commit" short
        return
    fi
    if ! git diff --quiet "$commit" -- crates/detect/src crates/forest/src crates/lab/src/detection; then
        said+=", of another detector than this one" verdict=short
    fi
    figure 2 "$file" "$said, commit $commit" "with date, commit, of this detector" "$verdict"
    local peers weak
    peers=$(grep -cE '^\| (netdata|seed_native|ewma|subpca|ENSr|ENS4s|rcf|seed_if|grafana_adaptive) ' "$file" || true)
    weak=$(grep -ciE '^#+ .*(weak|shortfall)' "$file" || true)
    figure 2 "peers beside it; weak spots said" "$peers rows of peers; $weak sections" ">= 3; >= 1" \
        "$(holds "$peers >= 3 && $weak >= 1")"
}

# Line 4: the parts of `make bench` that are about the detector.
speed() {
    local status=0 log=$work/forest_quality.txt verdict=pass
    scripts/check_builds.sh || status=1
    scripts/bench_forest.sh || status=1
    scripts/bench_detector.sh || status=1
    cargo test -p forest 2>&1 | tee "$log" || verdict=short
    figure 4 "forest against stored fixtures, in the quick tests" \
        "$(awk '/^test result:/ { held += $4; failed += $6 } END { print held + 0 " hold, " failed + 0 " fail" }' "$log")" \
        "all hold" "$verdict"
    return "$status"
}

# Line 5: the fleet's faults on a live server, and its recording replayed. These tests say their figures
# for other lines; here they stand for this one.
live_faults() {
    local own=$work/live.tsv status=0
    : >"$own"
    [ "${STORIES:-all}" = one ] || export BELLWETHER_DEMO_STORIES=all
    BELLWETHER_FIGURES=$PWD/$own cargo test -p server --test live -- \
        --nocapture --test-threads=2 demo:: end_to_end:: recordings:: || status=$?
    awk -F '\t' -v OFS='\t' -v line="${line_names}5" \
        '$1 != line { $1 = line; $2 = "live: " $2; print }' "$own" >>"$BELLWETHER_FIGURES"
    return "$status"
}

# The mean of a field over the weeks whose reports lie in a folder; nothing where one is missing.
mean_of_weeks() {
    local folder=$1 field=$2 seed value sum=0
    for ((seed = 1; seed <= weeks; seed++)); do
        [ -s "$folder/week-$seed.json" ] || return 0
        value=$(number "$folder/week-$seed.json" "$field")
        sum="$sum + ${value:-0}"
    done
    awk "BEGIN { printf \"%.2f\", ($sum) / $weeks }"
}

# The weeks before, by a binary built from that commit; kept for the next time.
weeks_before() {
    local source=$work/before folder=$before_weeks seed
    [ ! -s "$folder/week-$weeks.json" ] || return 0
    rm -rf "$source"
    mkdir -p "$source" "$folder"
    git archive "$before" | tar -x -C "$source" || return 1
    (cd "$source" && CARGO_TARGET_DIR=$PWD/../before-target cargo build --release -p server --bin bellwether) || return 1
    rm -rf "$source"
    for ((seed = 1; seed <= weeks; seed++)); do
        "$work/before-target/release/bellwether" lab week --seed "$seed" --json >"$folder/week.json"
        mv "$folder/week.json" "$folder/week-$seed.json"
        echo "before, at $before: seed $seed"
    done
}

# A field of the weeks, now against before: not worse.
compare_weeks() {
    local relation=$1 field=$2 what=$3 now was verdict="not run"
    now=$(mean_of_weeks .bench/incidents "$field")
    was=$(mean_of_weeks "$before_weeks" "$field")
    if [ -n "$now" ] && [ -n "$was" ]; then verdict=$(holds "$now $relation $was"); fi
    figure 6 "lab week, $what; mean of seeds 1 to $weeks" "${now:-none}, before ${was:-not measured}" \
        "none worse" "$verdict"
}

# Line 6: incidents, among them the stories and the weeks; and the weeks against those before.
standing() {
    local table=.bench/incidents/table.tsv verdict=pass
    rm -f "$table" .bench/incidents/week-*.json
    env -u LINES WEEKS="$weeks" scripts/show_incidents.sh || verdict=short
    figure 6 "make show-incidents, with the stories" \
        "$(awk -F '\t' 'NR > 1 { all++; held += $5 == "pass" } END { print held + 0 " of " all + 0 " figures pass" }' "$table")" \
        "all" "$verdict"
    [ -z "$before" ] || weeks_before || echo "show_detector: the weeks at $before can't be had" >&2
    compare_weeks "<=" false_incidents "false incidents"
    compare_weeks "<=" false_warnings_per_day "early warnings a day on services not touched"
    compare_weeks "<=" onset_error_samples_median "median onset error in samples"
    compare_weeks ">=" faults_found "faults found, of 30"
}

if wants 1; then part labelled labelled; fi
if wants 2; then part table committed_table; fi
if wants 3 5; then part tests cargo test -p detect --test all -- --nocapture; fi
if wants 4; then part speed speed; fi
if wants 5; then part live live_faults; fi
if wants 6; then
    part standing standing
    part new_machine new_machine 6
fi
table
