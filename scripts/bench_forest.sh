#!/usr/bin/env bash
# The forest beside scikit-learn's and isotree's: fit on 5,760 rows of five features, score one row,
# 1,000 and 100,000 rows, and 3,000 models one row each. All take the same data and run in turns on
# one thread of one core, in one run; the best of each counts, in CPU time. The peers get a Python
# environment under target/bench, made where it isn't there; isotree is compiled for it (minutes, a
# C++ compiler). What can't be had is said, and the other ratios are printed.
#
#   ROUNDS=3           turns
#   PEER_MODELS=100    peers' models scored in turn (3,000 of scikit-learn's take ten minutes and gigabytes)
#   PYTHON=            one with scikit-learn and isotree, instead of the environment
#
# With BELLWETHER_FIGURES its lines are added to that file, as line, what, figure, bar and verdict with
# tabs between.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh

rounds=${ROUNDS:-3}
peer_models=${PEER_MODELS:-100}
target=${CARGO_TARGET_DIR:-$PWD/target}
bench=$target/bench
examples=$target/release/examples
data=$bench/forest
results=$bench/forest.jsonl
scikit_learn=scikit-learn==1.9.1
isotree=isotree==0.6.1.post10

scripts/require.sh cargo cc
cargo build --quiet --release -p forest --examples
mkdir -p "$data"

# Whether this Python has a module.
has() {
    "$python" -c "import $1" 2>/dev/null
}

# The environment, with what of the peers can be had.
prepare_python() {
    if [ ! -x "$bench/venv/bin/python" ]; then
        python3 -m venv "$bench/venv" >"$bench/venv.log" 2>&1 || return 0
    fi
    python=$bench/venv/bin/python
    has sklearn || "$python" -m pip install --quiet "$scikit_learn" pandas >>"$bench/venv.log" 2>&1 || true
    if has sklearn && ! has isotree; then
        echo "compiling $isotree, some minutes" >&2
        "$python" -m pip install --quiet "$isotree" >>"$bench/venv.log" 2>&1 ||
            echo "isotree can't be had here: $bench/venv.log says why" >&2
    fi
}

python=${PYTHON:-python3}
[ -n "${PYTHON:-}" ] || prepare_python
peers=no
if has sklearn; then
    peers=yes
else
    echo "scikit-learn can't be had here: there is nothing to compare with" >&2
fi

pin_to_last_core
if ! "$python" scripts/bench_sklearn.py data "$data" 100000 2>/dev/null; then
    # Without any Python: the rows of our own tests.
    "$examples/export_rows" "$data" 100000
fi
rm -f "$data/sklearn.f64"
: >"$results"
for ((round = 1; round <= rounds; round++)); do
    # Cold models of peers cost minutes; one turn of them will do.
    models=$([ "$round" = 1 ] && echo "$peer_models" || echo 0)
    [ "$peers" = no ] || "${pin[@]}" "$python" scripts/bench_sklearn.py forests "$data" "$models" | tee -a "$results"
    "${pin[@]}" "$examples/forest_json" "$data" --cold 3000 | tee -a "$results"
done

figure() {
    local what=$1 figure=$2 bar=$3 verdict=$4
    printf '%-40s %-50s %-12s %s\n' "$what" "$figure" "$bar" "$verdict"
    if [ -n "${BELLWETHER_FIGURES:-}" ]; then
        printf 'detector 4\t%s\t%s\t%s\t%s\n' "$what" "$figure" "$bar" "$verdict" >>"$BELLWETHER_FIGURES"
    fi
}

# How many times our time a peer's is.
ratio() {
    local what=$1 field=$2 unit=$3 peer=$4 bar=$5 ours theirs
    ours=$(least "$results" bellwether "$field")
    theirs=$(least "$results" "$peer" "$field")
    if [ -z "$theirs" ]; then
        figure "$what, $peer" "$(short "$ours") $unit; nothing to compare with" ">= $bar x" "not run"
        return
    fi
    figure "$what, $peer" "$(short "$(awk "BEGIN { print $theirs / $ours }")") x ($(short "$ours") against $(short "$theirs") $unit)" \
        ">= $bar x" "$(holds "$theirs / $ours >= $bar")"
}

echo
for peer in "scikit-learn 80 1000 1.5" "isotree 1.5 8 3"; do
    read -r name fit one batch <<<"$peer"
    ratio "fit 5,760 rows" fit_ms ms "$name" "$fit"
    ratio "score one warm row" score_1_us us "$name" "$one"
    ratio "score 100,000 rows" score_100k_ms ms "$name" "$batch"
done
cold=$(least "$results" bellwether cold_1_us)
figure "3,000 cold models, one row each" "$(short "$cold") us a row" "<= 25 us" "$(holds "$cold <= 25")"
bytes=$(least "$results" bellwether bytes)
figure "100 trees of 256 rows resident" "$bytes bytes, $(least "$results" bellwether pickle_bytes) stored" \
    "<= 120 KB" "$(holds "$bytes <= 120000")"
if [ "$peers" = yes ]; then
    auc=$(least "$results" bellwether auc) theirs=$(least "$results" scikit-learn auc)
    figure "ROC AUC, scikit-learn" "$auc against $theirs" "within 0.01" "$(holds "($auc - $theirs)^2 <= 0.0001")"
    spearman=$(least "$results" bellwether spearman_vs_sklearn)
    figure "Spearman with scikit-learn" "$spearman" ">= 0.9" "$(holds "$spearman >= 0.9")"
fi
