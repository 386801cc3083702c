#!/usr/bin/env bash
# Measures the eight lines of what Bellwether promises, and prints a table:
#     line | what | figure | bar | verdict
# LINES="1 3" selects lines. BELLWETHER_RECORD_SECONDS (600) is the length of the recording.
# The exit code is 0 only if every selected line has figures and all of them pass.
selected=${LINES:-}
set -euo pipefail
cd "$(dirname "$0")/.."

# A terminal exports its height under the same name; that selects nothing.
for line in $selected; do
    [[ $line =~ ^[1-8]$ ]] || selected=""
done
selected=${selected:-1 2 3 4 5 6 7 8}
wants() {
    grep -qw "$1" <<<"$selected"
}

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

scripts/require.sh cargo cc prometheus curl

work=.bench/main-job
mkdir -p "$work"
export BELLWETHER_FIGURES="$PWD/$work/figures.tsv"
: >"$BELLWETHER_FIGURES"
target=${CARGO_TARGET_DIR:-$PWD/target}

cargo build --release -p server
export BELLWETHER_RELEASE_BINARY="$target/release/bellwether"
export BELLWETHER_RECORD_SECONDS=${BELLWETHER_RECORD_SECONDS:-600}

# A part that fails or isn't there is said, and leaves its lines short or not run.
failed=()
part() {
    local name=$1
    shift
    echo "== $name: $*"
    if ! "$@" 2>&1 | tee "$work/$name.log"; then
        failed+=("$name (see $work/$name.log)")
    fi
}

# The modules of the live tests that give figures for what is selected; all of them if none says so.
live_modules() {
    local file
    for file in crates/server/tests/live/*.rs; do
        if grep -qE "(figure\\(|^ *)\"[${selected// /}]\",( |\$)" "$file"; then
            echo "$(basename "$file" .rs)::"
        fi
    done
}

# The fleet run is ten minutes of waiting for the most part: it goes on beside the live tests. What
# is timed runs alone, at the end.
fleet=""
if wants 8; then
    echo "== fleet: scripts/fleet_run.sh, beside the live tests; its output is in $work/fleet.log"
    JOBS=${JOBS:-1} scripts/fleet_run.sh >"$work/fleet.log" 2>&1 &
    fleet=$!
    trap 'kill -TERM "$fleet" 2>/dev/null; wait "$fleet"' EXIT
fi
if grep -qE '[1-6]' <<<"$selected"; then
    modules=()
    [ "$selected" = "1 2 3 4 5 6 7 8" ] || mapfile -t modules < <(live_modules)
    part live cargo test -p server --test live -- --nocapture --test-threads=2 "${modules[@]}"
fi
if [ -n "$fleet" ]; then
    wait "$fleet" || failed+=("fleet (see $work/fleet.log)")
    trap - EXIT
    cat "$work/fleet.log"
fi
if wants 7; then
    part bench scripts/bench_main_job.sh
fi

echo
status=0
{
    printf 'line\twhat\tfigure\tbar\tverdict\n'
    for line in $selected; do
        figures=$(awk -F '\t' -v line="$line" '$1 == line' "$BELLWETHER_FIGURES")
        if [ -n "$figures" ]; then
            printf '%s\n' "$figures"
        else
            printf '%s\t%s\t–\t–\tnot run\n' "$line" "${titles[$line]}"
        fi
    done
} >"$work/table.tsv"
# Widths are counted in characters, not bytes, whichever awk this is.
LC_ALL=C awk -F '\t' '
    function width(text) { gsub(/[\200-\277]/, "", text); return length(text) }
    function padded(text, wide,    gap) {
        for (gap = wide - width(text); gap > 0; gap--) text = text " "
        return text
    }
    { for (i = 1; i <= 5; i++) { cell[NR, i] = $i; if (width($i) > wide[i]) wide[i] = width($i) } }
    END {
        for (row = 1; row <= NR; row++) {
            text = ""
            for (i = 1; i <= 5; i++) text = text (i > 1 ? " | " : "") padded(cell[row, i], wide[i])
            sub(/ +$/, "", text)
            print text
            if (row == 1) {
                gsub(/[^|]/, "-", text)
                print text
            }
        }
    }' "$work/table.tsv"

if awk -F '\t' 'NR > 1 && $5 != "pass" { bad = 1 } END { exit !bad }' "$work/table.tsv"; then
    status=1
fi
if [ ${#failed[@]} -gt 0 ]; then
    status=1
    printf '\nfailed: %s\n' "${failed[@]}"
fi
exit "$status"
