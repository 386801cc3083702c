#!/usr/bin/env bash
# How fast the operator's pages are: 200 simulated services with three series each, a real Prometheus
# that scrapes them, Bellwether with its defaults on a data directory that holds 10,000 incidents of
# these services, and Debian's Chromium (ui/bench says what is measured, and how).
#
#   LIVE_SECONDS=600  how long the pages are live while memory is watched
#   ROUNDS=7          of first paints, each with an empty cache
#   SERVICES=200      of the fleet
#   HOURS=8           of history at 60 s
#
# Everything lies in target/bench/ui; with INTERACTIONS=all the times of every single interaction are
# printed. With BELLWETHER_FIGURES its lines are added to that file, as line, what, figure, bar and
# verdict with tabs between.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh
# shellcheck source=scripts/fleet.sh
. scripts/fleet.sh

services=${SERVICES:-200}
hours=${HOURS:-8}
seed=7
jobs=2
beside=()
run=$target/bench/ui
# Services with a fault from the beginning; others come and go while memory is watched.
faulty=6

trap stop EXIT
trap 'exit 130' INT TERM

scripts/require.sh cargo cc prometheus curl node chromium
make --no-print-directory ui
cargo build --quiet --release -p server -p simulator --bins
cargo build --quiet --release -p server --example ten_thousand_incidents

lay_history
start_fleet
get "$fleet/topology" | grep -o '"name":"[^"]*"' | cut -d '"' -f 4 >"$run/services.txt"
[ "$(wc -l <"$run/services.txt")" = "$services" ] || fail "the fleet doesn't name its $services services"
say "Writing 10,000 incidents of these services."
"$target/release/examples/ten_thousand_incidents" write "$run/data" "$run/services.txt"
start_bellwether
say "$models of $((3 * services)) series have models after $models_seconds s."

for ((number = 1; number <= faulty; number++)); do
    name=$(sed -n "$((number * services / (faulty + 1)))p" "$run/services.txt")
    curl -fs --noproxy '*' --json "{\"kind\":\"slow-dependency\",\"service\":\"$name\",\"magnitude\":4,\"for\":\"6h\"}" \
        "$fleet/faults" >/dev/null
done
say "$faulty services have a fault."
cd ui
BELLWETHER=$bellwether FLEET=$fleet npm run --silent bench
