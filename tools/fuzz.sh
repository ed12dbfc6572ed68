#!/bin/sh
# Fuzzes each parser of bytes from outside: `tools/fuzz.sh [SECONDS [TARGET...]]`.
# Without SECONDS each target makes a fixed number of runs, always the same, as
# in CI; with them it goes on for so long, and what it finds of interest stays
# in build-fuzz/corpus.  An input that breaks something is left in build-fuzz.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-}
[ $# -eq 0 ] || shift

tools/build.sh fuzz
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls fuzz_*.c | sed 's/\.c$//')

# Some seconds each.
runs_of() {
    case $1 in
    fuzz_stored) echo 300 ;;
    fuzz_config) echo 1200 ;;
    *) echo 20000 ;;
    esac
}

cd build-fuzz
for target in "$@"; do
    found=corpus/$target
    limit=-max_total_time=$seconds
    if [ -z "$seconds" ]; then
        found=fixed/$target
        rm -rf "$found" # what was found before would change the runs
        limit="-runs=$(runs_of "$target") -seed=1"
    fi
    mkdir -p "$found"
    echo "-- $target"
    if ! "tests/fuzz/$target" $limit -max_len=4096 -rss_limit_mb=2048 \
        -timeout=20 -verbosity=0 -print_final_stats=1 $found \
        "../tests/fuzz/corpus/$target" >"$target.log" 2>&1; then
        cat "$target.log"
        exit 1
    fi
    grep -E 'executed|exec_per_sec' "$target.log"
done
