#!/bin/sh
# Whether two builds, of two compilers, do the same to the last event:
# `tests/sim/compare.sh BUILD BUILD [SEEDS]`.
set -eu
seeds=${3:-150}
for build in "$1" "$2"; do
    "$build/tests/sim/campaign" --count "$seeds" >"$build/campaign.log"
    tail -n 1 "$build/campaign.log"
done
[ "$(tail -n 1 "$1/campaign.log")" = "$(tail -n 1 "$2/campaign.log")" ] || {
    echo "the traces of $1 and $2 differ" >&2
    exit 1
}
