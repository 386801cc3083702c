#!/usr/bin/env bash
# The forest and the engine beside scikit-learn and pandas: fit on 5,760 rows of five features,
# score one row, featurise and score one sample, one engine step for 600 and 6,000 series, and the
# memory of 600 models. Both sides take the same data and run in turns on one thread of one core;
# the best of each counts, in CPU time; for one sample of ours the clock, as no repeat lasts long enough
# to be interrupted each time; for engine steps the mean and the longest of forty.
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
rounds_file=$target/bench/rounds.jsonl
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

pin_to_last_core

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
done >"$rounds_file"

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
ratio "fit 5,760 rows of 5 features" ms "$(least "$rounds_file" bellwether fit_ms)" "$(least "$rounds_file" scikit-learn fit_ms)" 80
ratio "score one warm row" us "$(least "$rounds_file" bellwether score_1_us)" "$(least "$rounds_file" scikit-learn score_1_us)" 1000
ratio "featurise and score one sample" us "$(least "$rounds_file" "bellwether row" row_us)" "$(least "$rounds_file" scikit-learn row_us)" 1000
for series in 600 6000; do
    mean=$(least "$rounds_file" "bellwether step" "step_${series}_ms_mean")
    most=$(least "$rounds_file" "bellwether step" "step_${series}_ms_max")
    bar=stated verdict=pass
    if [ "$series" = 6000 ]; then
        bar="<= 300 ms" verdict=$(holds "$most <= 300")
    fi
    figure "engine step for $series series, one core" "$(short "$mean") ms of CPU, the longest $(short "$most") ms" "$bar" "$verdict"
done
resident=$(least "$rounds_file" "bellwether step" resident_mib_600_models)
if [ -n "$resident" ]; then
    figure "600 models resident" "$resident MiB" "<= 150 MiB" "$(holds "$resident <= 150")"
else
    figure "600 models resident" "the system doesn't say" "<= 150 MiB" "not run"
fi
echo
if [ "$peer" = yes ]; then
    echo "ROC AUC on the labels: $(least "$rounds_file" bellwether auc) ours, $(least "$rounds_file" scikit-learn auc) scikit-learn's." \
        "All of judging one sample takes $(short "$(least "$rounds_file" "bellwether row" judged_us)") us."
else
    echo "The ratios need scikit-learn and pandas:"
    echo "    python3 -m venv ${bench#"$PWD/"}/venv && ${bench#"$PWD/"}/venv/bin/pip install scikit-learn pandas"
fi
