#!/usr/bin/env bash
# Runs every fuzz target for FUZZ_SECONDS (60), or those of TARGETS. What a target finds new is
# kept in fuzz/found/<target>, outside of git; an input that does harm goes to fuzz/artifacts/<target>
# and ends this with 1. Copy what is worth keeping to fuzz/corpus/<target>: the tests read that again.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v cargo-fuzz >/dev/null || missing+=("cargo-fuzz: cargo install cargo-fuzz")
rustup run nightly rustc --version >/dev/null 2>&1 || missing+=("a nightly compiler: rustup toolchain install nightly --profile minimal")
command -v c++ >/dev/null || missing+=("a C++ compiler: Debian's g++")
if [ ${#missing[@]} -gt 0 ]; then
    echo "fuzz: needs what is missing here:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
fi

seconds=${FUZZ_SECONDS:-60}
failed=()
for target in ${TARGETS:-$(cargo +nightly fuzz list)}; do
    echo "== $target, $seconds s"
    # By itself, so that a target that doesn't build isn't taken for one that was harmed.
    cargo +nightly fuzz build "$target"
    mkdir -p "fuzz/found/$target" "fuzz/corpus/$target"
    # The first folder gets what is new, the second is only read.
    cargo +nightly fuzz run "$target" "fuzz/found/$target" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 || failed+=("$target")
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "fuzz: harm was done to ${failed[*]}; the inputs lie in fuzz/artifacts" >&2
    exit 1
fi
