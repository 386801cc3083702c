# shellcheck shell=bash
# Lines of what is promised, measured: which are selected, the parts that measure them, and the table
#     line | what | figure | bar | verdict
# of their figures. Sourced by the show_*.sh scripts after they have set
#   work        where logs, figures and the table lie
#   titles      what each line is about; the first is line 1, at index 1
#   line_names  what stands before the number in the first column of figures, such as "incidents "
# Figures are lines of $BELLWETHER_FIGURES: line, what, figure, bar, verdict, with tabs between.

target=${CARGO_TARGET_DIR:-$PWD/target}
mkdir -p "$work"
export BELLWETHER_FIGURES="$PWD/$work/figures.tsv"
: >"$BELLWETHER_FIGURES"

# LINES, if it names lines; else all. A terminal exports its height under the same name: that
# selects nothing.
select_lines() {
    local line last=$((${#titles[@]} - 1))
    selected=${LINES:-}
    for line in $selected; do
        [[ $line =~ ^[1-9]$ && $line -le $last ]] || selected=""
    done
    selected=${selected:-$(seq -s ' ' 1 "$last")}
}

wants() {
    local line
    for line in "$@"; do
        if grep -qw "$line" <<<"$selected"; then return 0; fi
    done
    return 1
}

# A part that fails or isn't there is said, and leaves its lines short or not run.
failed=()
part() {
    local name=$1
    shift
    echo "== $name: $*"
    if ! "$@" 2>&1 | tee "$work/$name.log"; then
        failed+=("$name (see $work/$name.log)")
    fi
}

# The live tests that give figures for what is selected.
live_part() {
    local tests=crates/server/tests/live modules
    # A test file, or a folder of them, is a module.
    mapfile -t modules < <(
        grep -rlE --include='*.rs' "(figure\\(|= |^ *)\"$line_names[${selected// /}]\"[,;]( |\$)" "$tests" |
            sed -E "s|^$tests/([^/.]*).*|\\1::|" | sort -u
    )
    if [ ${#modules[@]} -gt 0 ]; then
        part live cargo test -p server --test live -- --nocapture --test-threads=2 "${modules[@]}"
    fi
}

# Writes a figure: what, figure, bar and verdict of a line.
figure() {
    local line=$1
    shift
    printf '%s%s\t%s\t%s\t%s\t%s\n' "$line_names" "$line" "$@" >>"$BELLWETHER_FIGURES"
}

# A number of a report in JSON, by its field; nothing where it is null.
number() {
    sed -n "s/^ *\"$2\": *\\([-+.0-9e]*\\),\\{0,1\\}\$/\\1/p" "$1" | head -n 1
}

# The whole check on a fresh clone with nothing built, as the figure of a line.
new_machine() {
    local line=$1 clone=$work/clone began=$SECONDS verdict=short seconds
    rm -rf "$clone" "$work/clone-target"
    git clone -q . "$clone"
    if (cd "$clone" && CARGO_TARGET_DIR=$PWD/../clone-target .ci/run); then verdict=pass; fi
    seconds=$((SECONDS - began))
    [ "$seconds" -le 2700 ] || verdict=short
    figure "$line" ".ci/run of a fresh clone with nothing built" "$seconds s" "≤ 2700 s, exit 0" "$verdict"
    rm -rf "$clone" "$work/clone-target"
}

# Prints the table and what failed; 0 only if every selected line has figures and all of them pass.
table() {
    local line figures status=0
    {
        printf 'line\twhat\tfigure\tbar\tverdict\n'
        for line in $selected; do
            figures=$(awk -F '\t' -v line="$line_names$line" '$1 == line' "$BELLWETHER_FIGURES")
            if [ -n "$figures" ]; then
                printf '%s\n' "$figures"
            else
                printf '%s%s\t%s\t–\t–\tnot run\n' "$line_names" "$line" "${titles[$line]}"
            fi
        done
    } >"$work/table.tsv"
    echo
    # Widths are counted in characters, not bytes, whichever awk this is.
    LC_ALL=C awk -F '\t' '
        function width(text) { gsub(/[\200-\277]/, "", text); return length(text) }
        function padded(text, wide,    gap) {
            for (gap = wide - width(text); gap > 0; gap--) text = text " "
            return text
        }
        { for (i = 1; i <= 5; i++) { cell[NR, i] = $i; if (width($i) > wide[i]) wide[i] = width($i) } }
        END {
            for (row = 1; row <= NR; row++) {
                text = ""
                for (i = 1; i <= 5; i++) text = text (i > 1 ? " | " : "") padded(cell[row, i], wide[i])
                sub(/ +$/, "", text)
                print text
                if (row == 1) {
                    gsub(/[^|]/, "-", text)
                    print text
                }
            }
        }' "$work/table.tsv"
    if awk -F '\t' 'NR > 1 && $5 != "pass" { bad = 1 } END { exit !bad }' "$work/table.tsv"; then
        status=1
    fi
    if [ ${#failed[@]} -gt 0 ]; then
        status=1
        printf '\nfailed: %s\n' "${failed[@]}"
    fi
    return "$status"
}
