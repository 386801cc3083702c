#!/usr/bin/env bash
# The same rows and seed give the same forest and the same scores, bit for bit, in every build:
# without optimisation, in release, and for the processor of this machine. Prints the hashes; ends
# with 1 where builds differ. Needs cargo only; what it builds lies in target/builds.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}/builds

# The hashes in one line, by a build with these flags.
hashes() {
    local name=$1 flags=$2
    shift 2
    RUSTFLAGS=$flags cargo run --quiet --target-dir "$target/$name" -p forest --example hashes "$@" | paste -sd ' '
}

declare -A said
said[debug]=$(hashes debug "-C opt-level=0")
said[release]=$(hashes release "" --release)
said[native]=$(hashes native "-C target-cpu=native" --release)

verdict=pass
for name in debug release native; do
    echo "$name: ${said[$name]}"
    [ "${said[$name]}" = "${said[debug]}" ] || verdict=short
done
if [ -n "${BELLWETHER_FIGURES:-}" ]; then
    printf 'detector 4\tforest by hash in debug, release, native\t%s\tequal\t%s\n' \
        "$([ "$verdict" = pass ] && echo equal || echo different)" "$verdict" >>"$BELLWETHER_FIGURES"
fi
[ "$verdict" = pass ] || {
    echo "check_builds: builds differ" >&2
    exit 1
}
