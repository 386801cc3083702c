#!/usr/bin/env bash
# Keeps the pure crates pure and the imports running downward, as ARCHITECTURE.md says.
# Prints every violation and ends with 1 if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."

pure="domain forest detect incident engine"
# Crates that bring a clock, a disk, a network, threads or randomness of their own.
impure="tokio|mio|reqwest|hyper|axum|socket2|rustix|nix|notify|sqlx|rusqlite|rayon|rand|getrandom|fastrand|chrono|time|tracing|tracing-subscriber|metrics"
# What the standard library has of them. HashMap is among them: its order differs from run to run.
forbidden='std::(fs|net|env|process|thread|os|io)\b|\b(SystemTime|Instant|HashMap|HashSet|RandomState)\b|(Timestamp|Zoned)::now\b'
# Their last digit differs between machines; libm's doesn't.
inexact='\.(ln|log|log2|log10|ln_1p|exp|exp2|exp_m1|powf|sin|cos|tan|tanh|cbrt)\('

# Which crates of the workspace each may use, outside its tests.
allowed_for() {
    case $1 in
        domain | forest) echo "" ;;
        detect) echo "domain forest" ;;
        incident) echo "domain" ;;
        engine) echo "detect incident domain" ;;
        sources | store | embedded | simulator | access) echo "domain" ;;
        notify) echo "domain incident" ;;
        lab) echo "simulator engine detect incident forest domain" ;;
        server) echo "access notify domain forest detect incident engine embedded sources store lab simulator" ;;
        *) return 1 ;;
    esac
}

failures=0
fail() {
    echo "check_pure: $*" >&2
    failures=$((failures + 1))
}

members=$(for folder in crates/*/; do basename "$folder"; done)

for crate in $members; do
    if ! allowed=$(allowed_for "$crate"); then
        fail "crate $crate has no place in the layers; give it one in scripts/check_pure.sh and ARCHITECTURE.md"
        continue
    fi
    direct=$(cargo tree --locked -p "$crate" --depth 1 -e normal,build --prefix none | awk 'NR > 1 { print $1 }')
    for member in $members; do
        if grep -qx "$member" <<<"$direct" && ! grep -qw "$member" <<<"$allowed"; then
            fail "$crate depends on $member, which lies above or beside it"
        fi
    done
done

for crate in $pure; do
    found=$(cargo tree --locked -p "$crate" -e normal,build --prefix none | awk '{ print $1 }' | sort -u | grep -Ex "$impure" || true)
    [ -z "$found" ] || fail "$crate is pure, but its dependencies include $(tr '\n' ' ' <<<"$found")"
    # Comments may speak of clocks.
    while IFS= read -r file; do
        while IFS= read -r line; do
            fail "$file:$line"
        done < <(sed 's://.*::' "$file" | grep -nE "$forbidden|$inexact" || true)
    done < <(find "crates/$crate/src" -name '*.rs' | sort)
done

if [ "$failures" -gt 0 ]; then
    echo "check_pure: $failures violations; the pure crates ($pure) get time and randomness as arguments, and imports run downward" >&2
    exit 1
fi
echo "check_pure: the pure crates are pure, imports run downward"
