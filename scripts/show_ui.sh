#!/usr/bin/env bash
# Measures the operator's pages, line by line, and prints a table.
#
#   LINES="1 3"       only these
#   LIVE_SECONDS=600  how long memory is watched
set -euo pipefail
cd "$(dirname "$0")/.."

work=target/show-ui
line_names="ui "
titles=(
    ""
    "types, lints, unit tests, and a real browser on the real binary"
    "pictures of every page"
    "speed with 200 services and 10,000 incidents"
    "the whole check on a new machine, and its packages"
)
. scripts/lines.sh
select_lines

scripts/require.sh cargo cc prometheus curl node chromium

verdict_of() {
    if "$@"; then verdict=pass; else verdict=short; fi
}

# Runs tests with a report beside what is printed, and says how many hold; `verdict` is whether all do.
tests() {
    local report=$PWD/$work/$1.json what=$2
    shift 2
    rm -f "$report"
    verdict_of npm --prefix ui run --silent "$@" -- --reporter=default --reporter=json --outputFile="$report"
    figure 1 "$what" "$(held "$report" "")" "all" "$verdict"
}

# "256 of 256 hold", of the tests whose name has these words.
held() {
    node -e '
        const { existsSync, readFileSync } = require("node:fs");
        const [file, words] = process.argv.slice(1);
        const read = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).testResults : [];
        const of = read.flatMap((one) => one.assertionResults).filter((one) => one.fullName.includes(words));
        console.log(`${of.filter(({ status }) => status === "passed").length} of ${of.length} hold`);
    ' "$1" "$2"
}

pages() {
    local axe good all
    verdict_of npm --prefix ui run --silent types
    figure 1 "TypeScript, strict" "$([ $verdict = pass ] && echo "no error" || echo "errors")" "no error" "$verdict"
    verdict_of npm --prefix ui run --silent lint
    figure 1 "lints and formatting (biome)" "$([ $verdict = pass ] && echo "nothing found" || echo "something found")" "nothing found" "$verdict"
    tests unit "unit tests" test
    cargo build -p server --bin bellwether
    tests e2e "tests in Chromium on the debug binary with a demo and its fault" e2e
    axe=$(held "$work/e2e.json" axe)
    read -r good _ all _ <<<"$axe"
    verdict=short
    if [ "$all" -gt 0 ] && [ "$good" = "$all" ]; then verdict=pass; fi
    figure 1 "axe on every page, in light and in dark (WCAG 2.2 A and AA, best practice)" \
        "$axe$([ $verdict = pass ] && echo ", 0 violations" || true)" "0 violations" "$verdict"
}

pictures() {
    local wanted found
    rm -f ui/shots/*.png
    make --no-print-directory screenshots || true
    wanted=$((3 * $(grep -cE '^ *\["[a-z]+", ' ui/e2e/every.ts)))
    found=$(find ui/shots -name '*-light.png' -o -name '*-dark.png' -o -name '*-phone.png' | wc -l)
    verdict_of [ "$found" = "$wanted" ]
    figure 2 "pictures in light, dark and as wide as a phone, in ui/shots; people look at them" "$found pictures of $((wanted / 3)) pages" "$wanted" "$verdict"
}

packages() {
    local clean=$PWD/$work/packages resolved count
    rm -rf "$clean"
    mkdir -p "$clean"
    cp ui/package.json ui/package-lock.json ui/.npmrc "$clean"
    verdict_of npm ci --prefix "$clean" --no-audit --no-fund
    count=$(grep -c '"node_modules/' "$clean/node_modules/.package-lock.json" || true)
    figure 4 "npm ci in a clean folder" "$count packages" "exit 0" "$verdict"
    rm -rf "$clean"
    resolved=$(grep -c '"resolved"' ui/package-lock.json || true)
    verdict_of [ "$resolved" = 0 ]
    figure 4 "download addresses in the lock file" "$resolved" "0" "$verdict"
}

if wants 1 2; then make --no-print-directory ui; fi
if wants 1; then part pages pages; fi
if wants 2; then part pictures pictures; fi
if wants 3; then part bench scripts/bench_ui.sh; fi
if wants 4; then
    part packages packages
    part new_machine new_machine 4
fi
table
