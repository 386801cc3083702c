# shellcheck shell=bash
# What scripts need that measure: a port for a running program and the CPU it used; figures of lines of
# JSON, and whether they hold. Sourced.

# Whether somebody listens on a port.
taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A port that nobody listens on, below those that the system gives to clients.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        taken "$port" || break
    done
    echo "$port"
}

# pass or short, by an expression of awk.
holds() {
    if awk "BEGIN { exit !($*) }"; then echo pass; else echo short; fi
}

# Seconds of CPU that a process has used.
cpu_seconds() {
    sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$(getconf CLK_TCK)" '{ printf "%.2f\n", ($12 + $13) / hz }'
}

# The least of a field, of the lines of JSON in a file with that name; nothing where there is none.
least() {
    local file=$1 name=$2 field=$3
    awk -v name="\"name\":\"$name\"" -v key="\"$field\":" '
        index($0, name) && (at = index($0, key)) {
            number = substr($0, at + length(key))
            if (number ~ /^null/) next
            number += 0
            if (least == "" || number < least) least = number
        }
        END { print least }' "$file"
}

# A number to three digits.
short() {
    awk -v x="$1" 'BEGIN {
        digits = x >= 100 ? 0 : x >= 10 ? 1 : x >= 1 ? 2 : 3
        printf "%." digits "f", x
    }'
}

# Sets pin to what runs a command on one core, the last one: interrupts tend to the first.
pin_to_last_core() {
    pin=()
    if command -v taskset >/dev/null && taskset -c "$(($(nproc) - 1))" true 2>/dev/null; then
        # shellcheck disable=SC2034 # for the script that sources this
        pin=(taskset -c "$(($(nproc) - 1))")
    fi
}
