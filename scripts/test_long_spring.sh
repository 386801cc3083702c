#!/usr/bin/env bash
# All eight faults on real Spring Boot services, with production windows: at most 100 minutes.
#
#   FAULT=deadlock   tells this one alone
#   RESTART=1        forgets what an earlier run that was stopped has told
#
# What is told is noted in target/spring-told.tsv, with the commit: another commit begins anew.
set -euo pipefail
cd "$(dirname "$0")/.."

told=$PWD/target/spring-told.tsv
commit=$(git rev-parse HEAD)
mkdir -p target
if [ -n "${RESTART:-}" ] || ! grep -qx "$commit" "$told" 2>/dev/null; then
    echo "$commit" >"$told"
fi
scripts/require.sh cargo cc java mvn prometheus curl
# The simulator's tests bring its program along.
cargo test --workspace --no-run --test spring --test it
if [ -n "${FAULT:-}" ]; then
    BELLWETHER_SPRING=$FAULT cargo test --workspace --test spring -- --nocapture
else
    BELLWETHER_SPRING=all BELLWETHER_SPRING_DONE=$told cargo test --workspace --test spring -- --nocapture
    rm -f "$told"
fi
