# shellcheck shell=bash
# What scripts need that measure a running program: a port for it, the CPU it used, and whether a figure holds.
# Sourced.

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
