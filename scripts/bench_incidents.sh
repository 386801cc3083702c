#!/usr/bin/env bash
# Ten thousand incidents over the API: writes a data directory that holds them, with timelines, logs
# and evidence as long as real ones, starts Bellwether on it (its Prometheus is down), and measures
# lists and changes over HTTP, a hundred requests of each kind on one connection, while it ticks.
#
# Everything lies in target/bench/incidents. With BELLWETHER_FIGURES its lines are added to that file,
# as line, what, figure, bar and verdict with tabs between.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/measure.sh
. scripts/measure.sh

target=${CARGO_TARGET_DIR:-$PWD/target}
bench=$target/bench/incidents
example=$target/release/examples/ten_thousand_incidents

scripts/require.sh cargo cc curl
cargo build --quiet --release -p server --bins --example ten_thousand_incidents

rm -rf "$bench"
mkdir -p "$bench"
port=$(free_port)
cat >"$bench/config.yaml" <<YAML
prometheus: { url: http://127.0.0.1:$(free_port) }
tick: 5s
listen: 127.0.0.1:$port
data_dir: $bench/data
YAML

began=$SECONDS
"$example" write "$bench/data"
echo "10,000 incidents written in $((SECONDS - began)) s: $(du -sh "$bench/data" | cut -f1)"

env -i PATH="$PATH" "$target/release/bellwether" serve --config "$bench/config.yaml" 2>"$bench/bellwether.log" &
server=$!
trap 'kill -TERM "$server" 2>/dev/null; wait "$server" || true' EXIT
began=$SECONDS
until curl -fs --noproxy '*' --max-time 5 "http://127.0.0.1:$port/healthz" >/dev/null; do
    if [ $((SECONDS - began)) -gt 120 ] || ! kill -0 "$server" 2>/dev/null; then
        tail -n 5 "$bench/bellwether.log" >&2
        echo "bellwether does not come up; its log is $bench/bellwether.log" >&2
        exit 1
    fi
    sleep 0.1
done
echo "up after $((SECONDS - began)) s; incidents:" \
    "$(curl -fs --noproxy '*' "http://127.0.0.1:$port/api/v1/status" | grep -o '"incidents":{[^}]*}')"

"$example" measure "http://127.0.0.1:$port" | tee "$bench/measured.txt"
grep -i '^VmHWM' "/proc/$server/status" 2>/dev/null | awk '{ printf "most memory: %d MiB\n", $2 / 1024 }' || true
if [ -n "${BELLWETHER_FIGURES:-}" ]; then
    sed -n 's/^FIGURE\t/incidents 5\t/p' "$bench/measured.txt" >>"$BELLWETHER_FIGURES"
fi
