#!/usr/bin/env bash
# Makes sure that the named tools are there: `scripts/require.sh cargo cc prometheus curl`.
# What Debian packages is installed where that is allowed (root, or sudo without a password);
# everywhere else the one line to run is printed and the script ends with 1.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# Where root's programs are (nginx), which isn't on everybody's path.
PATH=$PATH:/usr/sbin
# The oldest Node.js that the operator's pages are built with.
node_wanted=$(sed -n 's/.*"node": ">=\(.*\)".*/\1/p' "$root/ui/package.json")

# The commands that a tool stands for, and the Debian packages that bring them.
commands_of() {
    case $1 in
        prometheus) echo "prometheus promtool" ;;
        node) echo "node npm" ;;
        java) echo "java javac" ;;
        python3-yaml) echo "python3" ;;
        *) echo "$1" ;;
    esac
}

packages_of() {
    case $1 in
        cc) echo "gcc libc6-dev" ;;
        curl) echo "curl ca-certificates" ;;
        node) command -v node >/dev/null && echo npm || echo nodejs ;;
        chromium) echo "chromium fonts-dejavu-core" ;;
        java) echo openjdk-17-jdk-headless ;;
        mvn) echo maven ;;
        nginx) echo nginx-light ;;
        objdump) echo binutils ;;
        systemd-analyze) echo systemd ;;
        *) echo "$1" ;;
    esac
}

is_there() {
    local command
    for command in $(commands_of "$1"); do
        command -v "$command" >/dev/null || return 1
    done
    case $1 in
        node) is_new_enough "$node_wanted" "$(node --version | tr -d v)" ;;
        java) is_new_enough 17 "$(javac -version 2>&1 | awk '{ print $2 }')" ;;
        python3-yaml) python3 -c 'import yaml' 2>/dev/null ;;
    esac
}

is_new_enough() {
    [ "$(printf '%s\n%s\n' "$1" "${2%%-*}" | sort -V | head -n 1)" = "$1" ]
}

# Cargo comes from rustup: Debian's is older than this workspace needs.
require_cargo() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
    if ! command -v cargo >/dev/null; then
        if [ -x "$HOME/.cargo/bin/cargo" ]; then
            echo "cargo is installed but not on PATH. Run:" >&2
            echo "    . \"\$HOME/.cargo/env\"" >&2
        else
            echo "cargo is missing (Rust $wanted or newer). Run:" >&2
            echo "    sudo apt-get install -y rustup && rustup default stable" >&2
            echo "(where the system has no package rustup, install Rust by rustup's own installer)" >&2
        fi
        exit 1
    fi
    found=$(cargo --version | awk '{ print $2 }')
    if ! is_new_enough "$wanted" "$found"; then
        echo "cargo is $found; this workspace needs $wanted or newer. Run:" >&2
        echo "    rustup update stable" >&2
        exit 1
    fi
}

# Debian's Node.js may be older than the pages need.
say_old_node() {
    echo "Node.js is $(node --version 2>/dev/null || echo missing); the operator's pages need $node_wanted or newer, with npm." >&2
    echo "Debian 13 and Ubuntu 25.04 have it (sudo apt-get install -y --no-install-recommends nodejs npm);" >&2
    echo "elsewhere install a current release as https://nodejs.org/en/download says." >&2
    exit 1
}

# Runs a command as root, or fails quietly where that isn't possible without asking.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        env "$@"
    else
        sudo -n env "$@"
    fi
}

may_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null && sudo -n true 2>/dev/null
}

# Of the packages, those that start a service of their own.
services_of() {
    local package
    for package in "$@"; do
        case $package in
            prometheus | prometheus-alertmanager) echo "$package.service" ;;
            nginx-light) echo nginx.service ;;
        esac
    done
}

# Where there is a service manager, these packages start what we only want the programs of. Where
# one runs already because somebody wanted it, it stays.
install_packages() {
    local services=()
    [ -d /run/systemd/system ] && mapfile -t services < <(services_of "$@")
    echo "installing $*" >&2
    as_root apt-get update -qq >&2
    if [ ${#services[@]} -gt 0 ]; then
        as_root systemctl mask --quiet "${services[@]}" >&2
    fi
    local installed=0
    as_root RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >&2 || installed=$?
    if [ ${#services[@]} -gt 0 ]; then
        as_root systemctl unmask --quiet "${services[@]}" >&2
        as_root systemctl disable --quiet "${services[@]}" >&2 || true
    fi
    return "$installed"
}

missing=()
for tool in "$@"; do
    if [ "$tool" = cargo ]; then
        require_cargo
    elif [ "$tool" = node ] && command -v node >/dev/null && command -v npm >/dev/null && ! is_there node; then
        say_old_node
    elif ! is_there "$tool"; then
        read -ra packages <<<"$(packages_of "$tool")"
        missing+=("${packages[@]}")
    fi
done
[ ${#missing[@]} -eq 0 ] && exit 0

if may_install && install_packages "${missing[@]}"; then
    for tool in "$@"; do
        # Some packages of Node.js bring npm, others leave it to one of its own.
        if [ "$tool" = node ] && ! is_there node; then
            command -v npm >/dev/null || install_packages npm || true
            is_there node || say_old_node
        fi
        [ "$tool" = cargo ] || is_there "$tool" || {
            echo "$tool is still missing after installing ${missing[*]}" >&2
            exit 1
        }
    done
    exit 0
fi
for index in "${!missing[@]}"; do
    [ "${missing[index]}" != nodejs ] || missing+=(npm)
done
echo "missing: ${missing[*]}. Run:" >&2
echo "    sudo apt-get update && sudo env RUNLEVEL=1 apt-get install -y --no-install-recommends ${missing[*]}" >&2
mapfile -t services < <(services_of "${missing[@]}")
if [ ${#services[@]} -gt 0 ]; then
    echo "Only the programs are needed. Where a package started its service: sudo systemctl disable --now ${services[*]}" >&2
fi
exit 1
