#!/usr/bin/env bash
# Builds Prometheus 3 from its published source, once, and prints where the program lies. Only the
# long tests need it: Debian's is of the second generation, whose ranges have another edge. It needs
# Go, and the module proxy or a mirror of it.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v0.316.0 # Prometheus 3.16
folder=${CARGO_TARGET_DIR:-$PWD/target}/prometheus3
program=$folder/bin/prometheus

if [ ! -x "$program" ]; then
    command -v go >/dev/null || {
        echo "Go is missing, which builds Prometheus 3 for the long tests. Install Go 1.26 or newer." >&2
        exit 1
    }
    echo "Building Prometheus 3 ($version; some minutes, once)." >&2
    mkdir -p "$folder"
    # Without the discovery of clouds, whose modules are large and one of which is refused.
    GOBIN=$folder/bin GOPATH=$folder/go GOCACHE=$folder/cache GOFLAGS=-modcacherw \
        go install -tags remove_all_sd "github.com/prometheus/prometheus/cmd/prometheus@$version" >&2
    rm -rf "$folder/go" "$folder/cache"
fi
echo "$program"
