#!/usr/bin/env bash
# Attacks a Bellwether with what its own description says, and with what it doesn't: schemathesis
# (PyPI) over the whole document, all phases. Then one with access control and no source, with and
# without a token. The exit code counts: nothing may answer 5xx, or in a way that the document
# doesn't describe. Not a part of `make test`.
#
#   URL=http://127.0.0.1:9092   a running one alone, instead of one with simulated data
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
            tail -n 5 "$log" >&2
            exit 1
        fi
        sleep 1
    done
}

# Attacks a server with those arguments more.
attack() {
    local url=$1
    shift
    # A server-sent stream never ends, and schemathesis waits for the end of an answer.
    local streams
    streams=$(python3 - "$work/openapi.json" <<'PYTHON'
import json, sys
for path, item in json.load(open(sys.argv[1]))["paths"].items():
    answer = item.get("get", {}).get("responses", {}).get("200", {})
    if "text/event-stream" in answer.get("content", {}):
        print("--exclude-path=" + path)
PYTHON
    )
    # shellcheck disable=SC2086 # paths have no spaces
    "$work/venv/bin/schemathesis" run "$work/openapi.json" --url "$url" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
        --seed "${SEED:-1}" --generation-database none $streams \
        --request-timeout 60 --continue-on-failure --warnings off \
        --report ndjson --report-dir "$work/report" "$@" || status=1
    # What came through alive.
    curl -sf "$url/healthz" >/dev/null || { echo "it does not live any more" >&2; status=1; }
}

# One with access control. It has no source, so routes that need a service would all say so by 503:
# with a token only the others are asked.
with_access_control() {
    local url=http://127.0.0.1:${PORT:-19092} folder=$work/access token
    rm -rf "$folder"
    mkdir -p "$folder"
    echo "one long password" | "$BELLWETHER" access password kim --role admin >"$folder/users" 2>/dev/null
    token=$("$BELLWETHER" access token ci --role admin 2>&1 >"$folder/tokens" | grep -o 'bw_[0-9a-f]*')
    chmod 600 "$folder"/*
    echo "server: { auth: { users_file: $folder/users, tokens_file: $folder/tokens } }" >"$folder/config.yaml"
    log=$work/access.log
    # Settings of the scripts that call this one are no settings of a server.
    env -i "$BELLWETHER" serve --config "$folder/config.yaml" --prometheus http://127.0.0.1:9 \
        --listen "${url#http://}" --data-dir "$folder/data" >"$log" 2>&1 &
    bellwether=$!
    until_says 60 /healthz ok
    echo "with access control, nobody known:"
    # It is rightly not ready: 503.
    attack "$url" --phases examples,coverage,fuzzing --max-examples 10 --exclude-path /readyz
    echo "with access control, by a token:"
    attack "$url" --phases examples,coverage,fuzzing --max-examples "${EXAMPLES:-100}" \
        --header "Authorization: Bearer $token" \
        --include-path-regex '^/api/v1/(login|logout|me|audit|mutes|shadow|receivers|notices|config|status|incidents|jobs|events)'
}

status=0
url=${URL:-}
if [ -n "$url" ]; then
    curl -sf "$url/api/v1/openapi.json" >"$work/openapi.json"
    attack "$url" --phases examples,coverage,fuzzing,stateful --max-examples "${EXAMPLES:-100}" "$@"
    exit "$status"
fi
if [ -z "${BELLWETHER:-}" ]; then
    cargo build --quiet -p server --bin bellwether
    BELLWETHER=$target/debug/bellwether
fi
url=http://127.0.0.1:${PORT:-19092}
log=$work/demo.log
"$BELLWETHER" demo --listen "${url#http://}" --dir "$work/demo" \
    --history 6h --fault-after 1 >"$log" 2>&1 &
bellwether=$!
until_says 300 /readyz '"ready":true'
until_says 300 /api/v1/incidents '"id":1'
curl -sf "$url/api/v1/openapi.json" >"$work/openapi.json"
attack "$url" --phases examples,coverage,fuzzing,stateful --max-examples "${EXAMPLES:-100}" "$@"
until_says 10 /readyz '"ready":true'
kill "$bellwether"
wait "$bellwether" || true
with_access_control
exit "$status"
