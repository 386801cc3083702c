#!/usr/bin/env bash
# Attacks a Bellwether with what its own description says, and with what it doesn't: schemathesis
# (PyPI) over the whole document, all phases. The exit code counts: nothing may answer 5xx, or in
# a way that the document doesn't describe. Not a part of `make test`.
#
#   URL=http://127.0.0.1:9092   a running one, instead of one with simulated data
#   BELLWETHER=target/debug/bellwether   a binary that is built already
#   EXAMPLES=100                generated requests for each operation and phase
#   SEED=1
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.32.5
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/schemathesis
bellwether=
mkdir -p "$work"

scripts/require.sh cargo cc curl python3
if ! "$work/venv/bin/schemathesis" --version 2>/dev/null | grep -q "$version"; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet "schemathesis==$version"
fi

ended() {
    [ -z "$bellwether" ] || kill "$bellwether" 2>/dev/null || true
    wait
}
trap ended EXIT

# Waits until an answer of the server has a text, up to so many seconds.
until_says() {
    local seconds=$1 path=$2 text=$3 began=$SECONDS
    until curl -sf "$url$path" | grep -q "$text"; do
        if [ $((SECONDS - began)) -gt "$seconds" ]; then
            echo "$url$path does not say $text within $seconds s" >&2
            tail -n 5 "$work/demo.log" >&2
            exit 1
        fi
        sleep 1
    done
}

url=${URL:-}
if [ -z "$url" ]; then
    if [ -z "${BELLWETHER:-}" ]; then
        cargo build --quiet -p server --bin bellwether
        BELLWETHER=$target/debug/bellwether
    fi
    url=http://127.0.0.1:${PORT:-19092}
    "$BELLWETHER" demo --listen "${url#http://}" --dir "$work/demo" \
        --history 6h --fault-after 1 >"$work/demo.log" 2>&1 &
    bellwether=$!
    until_says 300 /readyz '"ready":true'
    until_says 300 /api/v1/incidents '"id":1'
fi

# A server-sent stream never ends, and schemathesis waits for the end of an answer.
streams=$(curl -sf "$url/api/v1/openapi.json" | python3 -c '
import json, sys
for path, item in json.load(sys.stdin)["paths"].items():
    answer = item.get("get", {}).get("responses", {}).get("200", {})
    if "text/event-stream" in answer.get("content", {}):
        print("--exclude-path=" + path)
')
status=0
# shellcheck disable=SC2086 # paths have no spaces
"$work/venv/bin/schemathesis" run "$url/api/v1/openapi.json" \
    --phases examples,coverage,fuzzing,stateful \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --max-examples "${EXAMPLES:-100}" --seed "${SEED:-1}" --generation-database none \
    $streams \
    --request-timeout 60 --continue-on-failure --warnings off \
    --report ndjson --report-dir "$work/report" "$@" || status=$?

# What came through alive.
curl -sf "$url/readyz" >/dev/null || { echo "it is not ready any more" >&2; status=1; }
exit "$status"
