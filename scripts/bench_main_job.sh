#!/usr/bin/env bash
# The forest and the engine beside scikit-learn and pandas: fit on 5,760 rows of five features,
# score one row, featurise and score one sample, one engine step for 600 and 6,000 series, and the
# memory of 600 models. Both sides take the same data and run in turns on one thread of one core;
# the best of each counts. On the Python side that is CPU time; on ours the clock, as no repeat lasts
# long enough to be interrupted each time, and CPU time for engine steps: mean and longest of forty.
#
#   ROUNDS=3        turns
#   PYTHON=python3  the one with scikit-learn and pandas; target/bench/venv is taken where it is there
#
# Without scikit-learn only our side runs. With BELLWETHER_FIGURES its lines are added to that file,
# as line, what, figure, bar and verdict with tabs between.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh

rounds=${ROUNDS:-3}
target=${CARGO_TARGET_DIR:-$PWD/target}
bench=$target/bench
examples=$target/release/examples
data=$bench/data

scripts/require.sh cargo cc
cargo build --quiet --release -p forest -p engine --examples

python=${PYTHON:-python3}
if [ -z "${PYTHON:-}" ] && [ -x "$bench/venv/bin/python" ]; then
    python=$bench/venv/bin/python
fi
peer=no
if "$python" -c 'import pandas, sklearn' 2>/dev/null; then
    peer=yes
fi

# One core for all, the last one: interrupts tend to the first.
pin=()
if command -v taskset >/dev/null && taskset -c "$(($(nproc) - 1))" true 2>/dev/null; then
    pin=(taskset -c "$(($(nproc) - 1))")
fi

mkdir -p "$data"
if "$python" scripts/bench_sklearn.py data "$data" 2>/dev/null; then
    generated=yes
else
    # Without any Python: the rows of our own tests; one sample can't be featurised from rows.
    generated=no
    "$examples/export_rows" "$data" 20000
fi

for ((round = 1; round <= rounds; round++)); do
    "${pin[@]}" "$examples/forest_json" "$data" --cold 0
    [ "$generated" = no ] || "${pin[@]}" "$examples/one_row" "$data" | sed 's/^{/{"name":"bellwether row",/'
    [ "$peer" = no ] || "${pin[@]}" "$python" scripts/bench_sklearn.py measure "$data"
    "${pin[@]}" "$examples/step_cost" | sed 's/^{/{"name":"bellwether step",/'
done >"$bench/rounds.jsonl"

# The least of a field over the rounds, of the lines with that name; nothing where there is none.
least() {
    awk -v name="\"name\":\"$1\"" -v key="\"$2\":" '
        index($0, name) && (at = index($0, key)) {
            number = substr($0, at + length(key))
            if (number ~ /^null/) next
            number += 0
            if (least == "" || number < least) least = number
        }
        END { print least }' "$bench/rounds.jsonl"
}

# A number to three digits.
short() {
    awk -v x="$1" 'BEGIN {
        digits = x >= 100 ? 0 : x >= 10 ? 1 : x >= 1 ? 2 : 3
        printf "%." digits "f", x
    }'
}

figure() {
    local what=$1 figure=$2 bar=$3 verdict=$4
    printf '%-44s %-48s %-12s %s\n' "$what" "$figure" "$bar" "$verdict"
    if [ -n "${BELLWETHER_FIGURES:-}" ]; then
        printf '7\t%s\t%s\t%s\t%s\n' "$what" "$figure" "$bar" "$verdict" >>"$BELLWETHER_FIGURES"
    fi
}

# How many times our time the other's is.
ratio() {
    local what=$1 unit=$2 ours=$3 theirs=$4 bar=$5 times
    if [ -z "$ours" ] || [ -z "$theirs" ]; then
        figure "$what" "${ours:+$(short "$ours") $unit; }nothing to compare with" ">= $bar x" "not run"
        return
    fi
    times=$(awk "BEGIN { printf \"%.0f\", $theirs / $ours }")
    figure "$what" "$times x ($(short "$ours") against $(short "$theirs") $unit)" ">= $bar x" \
        "$(holds "$theirs / $ours >= $bar")"
}

echo
ratio "fit 5,760 rows of 5 features" ms "$(least bellwether fit_ms)" "$(least scikit-learn fit_ms)" 80
ratio "score one warm row" us "$(least bellwether score_1_us)" "$(least scikit-learn score_1_us)" 1000
ratio "featurise and score one sample" us "$(least "bellwether row" row_us)" "$(least scikit-learn row_us)" 1000
for series in 600 6000; do
    mean=$(least "bellwether step" "step_${series}_ms_mean")
    most=$(least "bellwether step" "step_${series}_ms_max")
    bar=stated verdict=pass
    if [ "$series" = 6000 ]; then
        bar="<= 300 ms" verdict=$(holds "$most <= 300")
    fi
    figure "engine step for $series series, one core" "$(short "$mean") ms of CPU, the longest $(short "$most") ms" "$bar" "$verdict"
done
resident=$(least "bellwether step" resident_mib_600_models)
if [ -n "$resident" ]; then
    figure "600 models resident" "$resident MiB" "<= 150 MiB" "$(holds "$resident <= 150")"
else
    figure "600 models resident" "the system doesn't say" "<= 150 MiB" "not run"
fi
echo
if [ "$peer" = yes ]; then
    echo "ROC AUC on the labels: $(least bellwether auc) ours, $(least scikit-learn auc) scikit-learn's." \
        "All of judging one sample takes $(short "$(least "bellwether row" judged_us)") us."
else
    echo "The ratios need scikit-learn and pandas:"
    echo "    python3 -m venv ${bench#"$PWD/"}/venv && ${bench#"$PWD/"}/venv/bin/pip install scikit-learn pandas"
fi
