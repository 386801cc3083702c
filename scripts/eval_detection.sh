#!/usr/bin/env bash
# The shipped detector on labelled series, beside its peers: runs `bellwether lab detect`, scores what
# it wrote with EVAL/detection/score.py and incidents.py, and writes target/eval/detection.md.
#
#   DATA=../shared/data      has detection/index.csv
#   EVAL=../shared/eval      has detection/{score,incidents,baselines}.py and requirements.txt
#   PEERS="netdata …"        peers of baselines.py on single series; "" for none
#   ENTITY_PEERS="subpca …"  and on whole entities
#   DS="NAB SMD"             only these data sets (for a quick look; peers are left out)
#   PYTHON=python            one with the packages; otherwise they are installed in target/eval/venv
#
# Peers are slow, and run once: target/eval/peers keeps their scores until data or peers change.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${DATA:-../shared/data}/detection
eval=${EVAL:-../shared/eval}/detection
peers=${PEERS-netdata seed_native ewma subpca ENSr}
entity_peers=${ENTITY_PEERS-seed_native subpca ENS4s}
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/eval
export OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1

for file in "$data/index.csv" "$eval/score.py" "$eval/requirements.txt"; do
    if [ ! -f "$file" ]; then
        echo "eval_detection: $file is not there; say where data and scoring are: make eval-detection DATA=… EVAL=…" >&2
        exit 1
    fi
done
scripts/require.sh cargo cc python3
mkdir -p "$work"

python=${PYTHON:-$work/venv/bin/python}
if [ -z "${PYTHON:-}" ] && [ ! -f "$work/venv/ready" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$eval/requirements.txt"
    touch "$work/venv/ready"
fi

selected=()
for set in ${DS:-}; do
    selected+=(--ds "$set")
    peers="" entity_peers=""
done

cargo build --release -p server --bin bellwether
ours=$work/scores/Bellwether
rm -rf "$ours"
"$target/release/bellwether" lab detect "$data" --out "$ours" "${selected[@]}" | tee "$work/run.txt"

# What the peers' scores rest on.
state=$(cat "$data/index.csv" "$eval"/*.py | cksum)

# peer NAME KIND: its scores, from before or made now.
peer() {
    local done=$work/peers/$1.$2.done
    if [ -f "$done" ] && [ "$(cat "$done")" = "$state" ]; then
        return
    fi
    echo "eval_detection: $1 on kind $2" >&2
    mkdir -p "$work/peers"
    "$python" "$eval/baselines.py" --data "$data" --out "$work/peers" --det "$1" --kind "$2" >&2
    echo "$state" >"$done"
}

# score NAME KIND SCORES: the table of score.py, and a row for each series.
score() {
    "$python" "$eval/score.py" --data "$data" --scores "$3" --kind "$2" \
        --out "$work/$1.$2.csv" >"$work/$1.$2.txt" 2>"$work/$1.$2.err" || {
        cat "$work/$1.$2.err" >&2
        exit 1
    }
}

rm -f "$work"/*.series.txt "$work"/*.entity.txt
# Of a kind that isn't selected there are no scores.
kinds=$("$python" scripts/eval_detection.py kinds "$data/index.csv" ${DS:+"$DS"})
for kind in $kinds; do
    score Bellwether "$kind" "$ours"
done
"$python" "$eval/incidents.py" --data "$data" --incidents "$ours/incidents.csv" >"$work/incidents.txt"
for name in $peers; do
    peer "$name" series
    score "$name" series "$work/peers/$name"
done
for name in $entity_peers; do
    peer "$name" entity
    score "$name" entity "$work/peers/$name"
done

commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain 2>/dev/null)" ] || commit+=", with changes"
"$python" scripts/eval_detection.py table "$work" "$commit" >"$work/detection.md.new"
mv "$work/detection.md.new" "$work/detection.md"
cat "$work/detection.md"
