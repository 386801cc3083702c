#!/usr/bin/env bash
# The whole detector, forest and all judges: samples in a second of one series after another, a sample
# of each of 6,000 series whose memory lies cold, bytes of a series, and training 600 series anew on a
# day at 15 s, beside what scikit-learn takes for the forest and its contamination alone. One thread of
# one core, in CPU time; ours and the peer in turns on the same rows; the best of each counts.
#
#   ROUNDS=3   turns
#   PYTHON=    one with scikit-learn; target/bench/venv is taken where it is there
#
# Without scikit-learn only our side runs. With BELLWETHER_FIGURES its lines are added to that file, as
# line, what, figure, bar and verdict with tabs between.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh

rounds=${ROUNDS:-3}
target=${CARGO_TARGET_DIR:-$PWD/target}
bench=$target/bench
data=$bench/detector
results=$bench/detector.jsonl

scripts/require.sh cargo cc
cargo build --quiet --release -p detect --examples
mkdir -p "$data"

python=${PYTHON:-python3}
if [ -z "${PYTHON:-}" ] && [ -x "$bench/venv/bin/python" ]; then
    python=$bench/venv/bin/python
fi
peer=no
if "$python" -c 'import sklearn' 2>/dev/null; then
    peer=yes
fi

pin_to_last_core
: >"$results"
for ((round = 1; round <= rounds; round++)); do
    "${pin[@]}" "$target/release/examples/whole_detector" "$data" | sed 's/^{/{"name":"bellwether",/' | tee -a "$results"
    [ "$peer" = no ] || "${pin[@]}" "$python" scripts/bench_sklearn.py retrain "$data" | tee -a "$results"
done

figure() {
    local what=$1 figure=$2 bar=$3 verdict=$4
    printf '%-43s %-54s %-10s %s\n' "$what" "$figure" "$bar" "$verdict"
    if [ -n "${BELLWETHER_FIGURES:-}" ]; then
        printf 'detector 4\t%s\t%s\t%s\t%s\n' "$what" "$figure" "$bar" "$verdict" >>"$BELLWETHER_FIGURES"
    fi
}

ours() {
    least "$results" bellwether "$1"
}

echo
warm=$(ours warm_us)
figure "whole detector, one series after another" \
    "$(awk "BEGIN { printf \"%.0f\", 1e6 / $warm }") samples/s ($(short "$warm") us each)" \
    ">= 50,000" "$(holds "1e6 / $warm >= 50000")"
cold=$(ours cold_us)
figure "whole detector, a tick of 6,000 cold series" "$(short "$cold") us a series" "<= 50 us" "$(holds "$cold <= 50")"
state=$(ours state_bytes) resident=$(ours resident_bytes)
figure "state of a series beside its forest" \
    "$resident bytes resident, $state stored; the model's: $(ours model_bytes_beside_forest)" \
    "<= 64 KB" "$(holds "${resident:-0} <= 64000 && $state <= 64000")"
again=$(ours retrain_ms) theirs=$(least "$results" scikit-learn retrain_ms)
ours_600="$(awk "BEGIN { printf \"%.1f\", 0.6 * $again }") s for 600; each $(short "$again") ms"
if [ -n "$theirs" ]; then
    figure "retrain 600 series on a day at 15 s" \
        "$(short "$(awk "BEGIN { print $theirs / $again }")") x ($ours_600 against $(short "$theirs") ms)" \
        ">= 15 x" "$(holds "$theirs / $again >= 15")"
else
    figure "retrain 600 series on a day at 15 s" "$ours_600; nothing to compare with" ">= 15 x" "not run"
fi
echo
echo "The first training of a series, which makes its memory too, takes $(short "$(ours first_ms)") ms."
