#!/usr/bin/env bash
# The demo: builds Bellwether and runs `bellwether demo`, which says all else. Everything it writes
# lies in ./.demo.
#
#   FAULT=slow-dependency SERVICE=payments MAGNITUDE=1.5 FOR=5m   which fault
#   FAULTS=none        start none
#   FAULT_AFTER=60     seconds of calm before it
#   SEED=7             of the services and their noise
#   DEMO_SECONDS=300   end after so long; without it the demo runs until Ctrl-C
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/require.sh cargo cc
echo "Building Bellwether (the first time this takes some minutes)."
cargo build --quiet -p server --bin bellwether
exec "${CARGO_TARGET_DIR:-$PWD/target}/debug/bellwether" demo
