#!/bin/sh
# Rules that the compiler cannot see.  `tools/lint.sh` checks all of them,
# `tools/lint.sh RULE...` some; `tools/lint.sh --list` names them.
# Prints what breaks a rule, a line each, and exits 1.
set -u
cd "$(dirname "$0")/.." || exit 2

rules="layers doors pure quiet banned length space format"
library="engine scheduler cache adapters config"

# sources FOLDER...: the C and C++ files below.
sources() {
    find "$@" -type f \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) |
        sort
}

# included PATTERN FILE...: "file:line:name" of includes that match.
included() {
    pattern=$1
    shift
    grep -nHE "^#[[:space:]]*include[[:space:]]*[<\"]$pattern" "$@" |
        sed -E 's/#[[:space:]]*include[[:space:]]*//'
}

# code FILE...: the files without comments and string literals, line for line,
# each line with its place before it.
code() {
    awk '
    FNR == 1 { inside = 0 }
    {
        line = $0
        out = ""
        while (line != "") {
            if (inside) {
                at = index(line, "*/")
                if (!at) { line = ""; break }
                line = substr(line, at + 2)
                inside = 0
            } else if (match(line, /"([^"\\]|\\.)*"|\/\*|\/\/|\x27([^\x27\\]|\\.)*\x27/)) {
                found = substr(line, RSTART, 2)
                out = out substr(line, 1, RSTART - 1)
                if (found == "//") { line = ""; break }
                if (found == "/*") {
                    inside = 1
                    line = substr(line, RSTART + 2)
                } else {
                    out = out "\"\""
                    line = substr(line, RSTART + RLENGTH)
                }
            } else {
                out = out line
                line = ""
            }
        }
        print FILENAME ":" FNR ":" out
    }' "$@"
}

# A folder is a layer; includes are written from the root.
rule_layers() {
    layer() { # layer FOLDER ALLOWED
        included '[^>"]*"' $(sources "$1") | grep '"' | grep -vE ":\"($2)/"
    }
    layer engine/base 'engine/base'
    for folder in scheduler cache adapters config; do
        [ -d $folder ] && layer $folder "$folder|engine/base"
    done
    layer engine 'engine|scheduler|cache|adapters|config'
    layer tools 'tools' # the command is a user like any other
}

# A third-party library is included in its doors only.
rule_doors() {
    door() { # door HEADER FILES
        included "$1" $(sources $library tools) | grep -vE "^($2):"
    }
    door 'event2?[/.]' 'engine/real/[a-z_]+\.[ch]|engine/sim/server[a-z_]*\.[ch]|tools/(asyncbatch|examples/embed)/[a-z_]+\.c'
    door 'curl/' 'engine/real/[a-z_]+\.[ch]'
    door 'zlib\.h' 'engine/real/inflate\.c'
    door 'pcre2\.h' 'scheduler/split\.c'
    door 'openssl/' 'engine/real/[a-z_]+\.[ch]|engine/base/digest\.c'
    door 'yaml\.h' 'config/yaml\.c'
    door 'msgpack' 'adapters/msgpack[a-z_]*\.[ch]'
    door 'simdjson' 'engine/base/json\.cc'
    door 'xxhash' 'engine/base/hash\.c'
    door 'sqlite3' 'engine/real/(cache|journal)_sqlite[a-z_]*\.[ch]'
    door 'hiredis' 'engine/real/redis_link\.c'
    door 'csv\.h' 'adapters/csv[a-z_]*\.c'
}

# No I/O, clock, thread or process below the engine.  The one file that is read
# is the configuration's; stdio.h is for snprintf.
rule_pure() {
    pure=$(sources scheduler cache adapters config engine/base)
    included '(time|unistd|fcntl|poll|signal|pthread|threads|dirent|netdb|sys/[a-z]+|netinet/[a-z]+|arpa/[a-z]+)\.h' $pure
    code $pure | grep -vE '^config/yaml\.c:' |
        grep -E '[^a-z_](fopen|fdopen|fread|fwrite|fgets|fclose|getenv|clock|time|clock_gettime|gettimeofday|getrandom)[[:space:]]*\('
}

# The library neither prints nor ends the process, and leaves alone what the
# whole process shares.
rule_quiet() {
    code $(sources $library) |
        grep -E '[^a-z_](abort|exit|_exit|quick_exit|atexit|printf|vprintf|puts|putchar|perror|fprintf|vfprintf|fputs|fputc|dprintf|signal|sigaction|setlocale|chdir|umask|pthread_create|thrd_create)[[:space:]]*\('
}

rule_banned() {
    names=$(sed -E '/^#/d; s/[[:space:]].*//' tools/banned.txt | paste -sd'|')
    code $(sources $library tools tests) |
        grep -E "(^|[^A-Za-z0-9_>.])($names)[[:space:]]*\("
}

# Functions of 60 lines, files of 600; tests may be longer.
rule_length() {
    awk '
    FNR == 1 { start = 0 }
    /^\{/ { start = FNR }
    /^\}/ {
        if (start && FNR - start > 60)
            print FILENAME ":" start ": a function of " FNR - start " lines"
        start = 0
    }
    FNR == 601 { print FILENAME ": more than 600 lines" }
    ' $(sources $library tools)
}

# The files of the project: what git knows of or would add.
project_files() {
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files -co --exclude-standard
    else
        find . -type f -not -path './build*' -not -path './.git/*'
    fi
}

rule_space() {
    tab=$(printf '\t')
    list=$(project_files | grep -E '\.(c|h|cc|in|map|sh|py|md|txt|cmake|yaml|yml|json)$|^\.[a-z]' | grep -v '^tests/data/')
    grep -nHsE "[[:space:]]+\$|$tab" $list | sed 's/$/ <- white space/'
    perl -ne 'print "$ARGV: no newline at the end\n" if eof && !/\n\z/' \
        $list 2>/dev/null # some may be removed and still listed
}

# The formatter wins, in the version whose output is in the tree.
rule_format() {
    for tool in clang-format-14 clang-format; do
        case $($tool --version 2>/dev/null) in
        *'version 14.'*)
            $tool --dry-run -Werror $(sources $library tools tests) 2>&1 |
                sed -nE 's/^([^:]+):[0-9]+:[0-9]+: error:.*/\1/p' | sort -u |
                sed "s/\$/ is not as $tool writes it/"
            return
            ;;
        esac
    done
    echo "lint: clang-format 14 is not installed, formatting is unchecked" >&2
    [ -z "${LINT_STRICT:-}" ] || echo "format: clang-format 14 is missing"
}

case ${1:-} in
--list)
    printf '%s\n' $rules
    exit 0
    ;;
esac
broken=0
for rule in ${*:-$rules}; do
    case " $rules " in
    *" $rule "*) ;;
    *)
        echo "lint: there is no rule $rule; there are: $rules" >&2
        exit 2
        ;;
    esac
    found=$(rule_"$rule")
    if [ -n "$found" ]; then
        printf '%s\n' "$found" | sed "s/^/$rule: /"
        broken=1
    fi
done
exit $broken
