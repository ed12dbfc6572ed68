#!/bin/sh
# Fuzzes each parser of bytes from outside, one on each core:
# `tools/fuzz.sh [SECONDS [TARGET...]]`.  Without SECONDS each target makes a
# fixed number of runs, always the same; with them it goes on for so long, and
# what it finds of interest stays in build-fuzz/corpus.  An input that breaks
# something is left in build-fuzz.
set -eu
cd "$(dirname "$0")/.."

# About ten seconds each.
runs_of() {
    case $1 in
    fuzz_config) echo 2000 ;;
    fuzz_stored) echo 6000 ;;
    fuzz_inflate | fuzz_reply | fuzz_rows) echo 40000 ;;
    *) echo 120000 ;;
    esac
}

# One target, within build-fuzz; SECONDS 0 for its fixed number of runs.
fuzz_one() {
    seconds=$1 target=$2
    found=corpus/$target
    limit=-max_total_time=$seconds
    if [ "$seconds" -eq 0 ]; then
        found=fixed/$target
        rm -rf "$found" # what was found before would change the runs
        limit="-runs=$(runs_of "$target") -seed=1"
    fi
    mkdir -p "$found"
    if ! "tests/fuzz/$target" $limit -max_len=4096 -rss_limit_mb=2048 \
        -timeout=20 -verbosity=0 -print_final_stats=1 "$found" \
        "../tests/fuzz/corpus/$target" >"$target.log" 2>&1; then
        cat "$target.log"
        echo "-- $target: broken"
        return 1
    fi
    echo "-- $target:" $(sed -n 's/^stat::\(number_of_executed_units\|average_exec_per_sec\): */ \1 /p' \
        "$target.log" | sed 's/number_of_executed_units/runs/; s/average_exec_per_sec/per second/')
}

if [ "${1:-}" = --one ]; then
    cd build-fuzz
    fuzz_one "$2" "$3"
    exit
fi
seconds=${1:-0}
[ $# -eq 0 ] || shift
tools/build.sh fuzz
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls fuzz_*.c | sed 's/\.c$//')
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 tools/fuzz.sh --one "$seconds"
