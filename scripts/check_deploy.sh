#!/usr/bin/env bash
# Whether what deploy/ ships is what the programs it is for accept: Prometheus, NGINX, systemd,
# Bellwether itself, and the GLIBC of the oldest system that the released binary is for.
#
#   scripts/check_deploy.sh [BINARY]      # without a binary, what needs one is left out and said
#   scripts/check_deploy.sh --self-test   # breaks copies of the files one by one; each must be seen
#
# One line for each check, "ok" or what is wrong; exit 1 if anything is.
# DEPLOY=folder checks another folder than deploy/.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
deploy=${DEPLOY:-$root/deploy}
# Ubuntu 22.04 has 2.35.
glibc_max=2.35
# The worst that systemd-analyze security may say of Bellwether's unit, in tenths.
exposure_max=20
export PATH=$PATH:/usr/sbin:/sbin

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0

# Runs a check; what it prints is shown where it fails. `said` is what an ok line adds.
check() {
    local name=$1 output
    shift
    said=
    if "$@" >"$work/output" 2>&1; then
        echo "ok     $name${said:+: $said}"
    else
        output=$(grep -v '^[[:space:]]*$' "$work/output" | head -n 5 | tr '\n' ' ')
        echo "WRONG  $name: ${output:-$*}"
        wrong=1
    fi
}

# The certificate's paths are others, and addresses that anybody may bind: -t tries them, and is
# content where they are in use.
nginx_accepts() {
    local folder=$work/nginx
    mkdir -p "$folder"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 \
        -subj /CN=ops.example -keyout "$folder/key.pem" -out "$folder/certificate.pem"
    sed "s#/etc/nginx/bellwether/#$folder/#" "$deploy/nginx.conf" >"$folder/site.conf"
    sed -i -E 's#listen (80|443)#listen 127.0.0.1:18\1#; s#listen \[::\]:#listen 127.0.0.2:18#' "$folder/site.conf"
    printf 'pid %s/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\ninclude %s/site.conf;\n}\n' \
        "$folder" "$folder" >"$folder/nginx.conf"
    nginx -t -q -p "$folder" -c "$folder/nginx.conf"
}

# With the programs that aren't installed here replaced by one that is.
units_verify() {
    local folder=$work/units output
    mkdir -p "$folder"
    cp "$deploy"/systemd/*.service "$folder"
    # What prometheus.conf changes must be a part of a whole unit.
    printf '[Unit]\nDescription=Prometheus\n[Service]\nExecStart=/bin/true\n' >"$folder/prometheus.service"
    mkdir -p "$folder/prometheus.service.d"
    cp "$deploy/systemd/prometheus.conf" "$folder/prometheus.service.d/bellwether.conf"
    sed -i -E 's#^ExecStart=/(usr/local/bin/bellwether|usr/bin/java|usr/bin/prometheus)( |$)#ExecStart=/bin/true\2#' \
        "$folder"/*.service "$folder"/prometheus.service.d/*.conf
    mv "$folder/shop@.service" "$folder/shop@payments.service"
    output=$(SYSTEMD_UNIT_PATH="$folder:" systemd-analyze verify --man=no "$folder"/*.service 2>&1) || {
        echo "$output"
        return 1
    }
    # An unknown key is only a warning there, and would harden nothing.
    output=$(grep -F "$folder" <<<"$output" || true)
    [ -z "$output" ] || {
        echo "$output"
        return 1
    }
}

unit_is_hardened() {
    local exposure
    exposure=$(systemd-analyze security --offline=true --no-pager "$deploy/systemd/bellwether.service" 2>&1 |
        sed -n 's/.*Overall exposure level for .*: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
    said="exposure $((10#${exposure:-999} / 10)).$((10#${exposure:-999} % 10))"
    [ -n "$exposure" ] && [ "$((10#$exposure))" -le "$exposure_max" ] || {
        echo "$said, more than $exposure_max tenths"
        return 1
    }
}

# Bellwether's own word on its configuration, with the files that it names.
bellwether_accepts() {
    local folder=$work/bellwether output query
    mkdir -p "$folder"
    printf 'a long password\n' | "$binary" access password kim --role admin >"$folder/users"
    "$binary" access token prometheus --role viewer >"$folder/tokens"
    chmod 600 "$folder/users" "$folder/tokens"
    sed "s#/etc/bellwether/#$folder/#" "$deploy/bellwether.yaml" >"$folder/config.yaml"
    # Also with the query that the recording rules are for.
    query=$(sed -n "s/^# *query: '\(.*\)'$/\1/p" "$deploy/recording-rules.yml")
    [ -n "$query" ] || {
        echo "recording-rules.yml names no query"
        return 1
    }
    output=$(env -i PATH="$PATH" "$binary" check-config --config "$folder/config.yaml" --set "metrics.lat.query=$query" 2>&1) || {
        echo "$output"
        return 1
    }
    if grep -F '# warning' <<<"$output"; then
        return 1
    fi
}

glibc_is_old_enough() {
    local highest
    highest=$(objdump -T "$binary" | sed -n 's/.*(\?GLIBC_\([0-9.]*\))\?.*/\1/p' | sort -uV | tail -n 1)
    if [ -z "$highest" ] && ! objdump -p "$binary" | grep -q NEEDED; then
        said="static"
        return 0
    fi
    said="the highest needed is ${highest:-unknown}"
    [ -n "$highest" ] && [ "$(printf '%s\n%s\n' "$highest" "$glibc_max" | sort -V | tail -n 1)" = "$glibc_max" ] || {
        echo "$said, above $glibc_max: $(objdump -T "$binary" | grep -F "GLIBC_$highest" | awk '{ print $NF }' | head -n 3 | tr '\n' ' ')"
        return 1
    }
}

all_checks() {
    check "prometheus.yml" promtool check config "$deploy/prometheus.yml"
    check "recording-rules.yml" promtool check rules "$deploy/recording-rules.yml"
    check "recording-rules.yml gives what it should" promtool test rules "$deploy/tests/recording-rules.yml"
    check "nginx.conf" nginx_accepts
    check "systemd units" units_verify
    check "bellwether.service is hardened" unit_is_hardened
    check "compose.yaml and Dockerfile, by their structure" "$root/scripts/check_compose.py" "$deploy"
    if [ -n "$binary" ]; then
        check "bellwether.yaml" bellwether_accepts
        check "GLIBC of $(basename "$binary") up to $glibc_max" glibc_is_old_enough
    else
        echo "not run: bellwether.yaml, GLIBC (give the path of a binary)"
    fi
}

# Breaks FILE by a sed expression in a copy of deploy/, and expects the line of CHECK to be wrong.
breaks() {
    local expected=$1 file=$2 expression=$3 copy=$work/broken/deploy output status=0
    rm -rf "$work/broken"
    mkdir -p "$work/broken"
    cp -r "$root/deploy" "$copy"
    # What the Dockerfile copies lies beside.
    for beside in Cargo.toml Cargo.lock clippy.toml crates docs ui; do
        ln -s "$root/$beside" "$work/broken/$beside"
    done
    sed -i -E "$expression" "$copy/$file"
    if cmp -s "$copy/$file" "$root/deploy/$file"; then
        echo "WRONG  $file: $expression changes nothing"
        wrong=1
        return
    fi
    output=$(DEPLOY=$copy "$0" ${binary:+"$binary"}) || status=$?
    if [ "$status" = 1 ] && grep -q "^WRONG  $expected" <<<"$output"; then
        echo "ok     seen: $file: $expression"
    else
        echo "WRONG  not seen: $file: $expression"
        wrong=1
    fi
}

self_test() {
    breaks "prometheus.yml" prometheus.yml 's/honor_labels: true/honour_labels: true/'
    breaks "prometheus.yml" prometheus.yml 's/^  - recording-rules.yml/  - missing-rules.yml/'
    breaks "recording-rules.yml:" recording-rules.yml 's/sum by \(service, job, le\) \(/sum by (service, job, le) ((/'
    breaks "recording-rules.yml gives" recording-rules.yml 's/(expr: .*)\{uri!~"[^}]*\}/\1/'
    breaks "recording-rules.yml gives" recording-rules.yml 's/sum by \(service, job, le\)/sum by (job, le)/'
    breaks "nginx.conf" nginx.conf 's/proxy_buffering off;/proxy_buffering of;/'
    breaks "nginx.conf" nginx.conf 's/^( *proxy_http_version 1.1);/\1/'
    breaks "nginx.conf" nginx.conf 's#proxy_pass http://bellwether;#proxy_pass http://bellwether/ui$x;#'
    breaks "systemd units" systemd/bellwether.service 's/^ProtectHome=true/ProtectHouse=true/'
    breaks "systemd units" systemd/bellwether.service 's/^Restart=always/Restart=ever/'
    breaks "systemd units" systemd/shop@.service 's#^ExecStart=/usr#ExecStart=usr#'
    breaks "systemd units" systemd/prometheus.conf 's/^MemoryMax=1G/MemoryMax=much/'
    breaks "systemd units" systemd/prometheus.conf 's/^ExecStart=$//'
    breaks "bellwether.service is hardened" systemd/bellwether.service '/^(CapabilityBoundingSet|PrivateUsers|SystemCallFilter|RestrictNamespaces)=/d'
    breaks "compose.yaml" compose.yaml 's/^    build:/    bild:/'
    breaks "compose.yaml" compose.yaml 's#\./prometheus\.yml#./prometheus.yaml#'
    breaks "compose.yaml" compose.yaml 's/nginx:1.28/nginx:latest/'
    breaks "compose.yaml" compose.yaml 's/^services:/services: [/'
    breaks "compose.yaml" Dockerfile '/^USER/d'
    breaks "compose.yaml" Dockerfile '/^HEALTHCHECK/,/CMD/d'
    breaks "compose.yaml" Dockerfile 's/--from=pages/--from=page/'
    breaks "compose.yaml" Dockerfile 's/^COPY crates crates/COPY crate crates/'
    if [ -n "$binary" ]; then
        breaks "bellwether.yaml" bellwether.yaml 's/trusted_proxies/trusted_proxy/'
        breaks "bellwether.yaml" bellwether.yaml '/auth:/,$d'
        breaks "bellwether.yaml" recording-rules.yml 's/\(\$identity, le\)/(service, le)/'
        glibc_self_test
    fi
}

# The same binary against a bound just below what it needs.
glibc_self_test() {
    glibc_max=2.2
    if (glibc_is_old_enough) >/dev/null 2>&1; then
        echo "WRONG  not seen: $binary needs no GLIBC above 2.2"
        wrong=1
    else
        echo "ok     seen: $binary needs a GLIBC above 2.2"
    fi
}

is_self_test=no
if [ "${1:-}" = --self-test ]; then
    is_self_test=yes
    shift
fi
binary=${1:-}
[ -z "$binary" ] || binary=$(realpath "$binary")
[ -z "$binary" ] || [ -x "$binary" ] || {
    echo "$binary is no program; give the path of a built binary, such as target/release/bellwether" >&2
    exit 1
}
"$root/scripts/require.sh" prometheus nginx objdump systemd-analyze openssl python3-yaml
if [ "$is_self_test" = yes ]; then
    self_test
else
    all_checks
fi
exit "$wrong"
