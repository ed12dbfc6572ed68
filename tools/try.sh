#!/bin/sh
# From a fresh clone to answers: installs what is missing, builds, and runs the
# translation job on the embedded simulator; no account, no cost, no network.
# Arguments are given to `asyncbatch run`, after the defaults.
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh
tools/build.sh release --target asb
echo
set -x
build/bin/asyncbatch run --task translate --source-lang zh --target-lang ru \
    --glossary tests/data/glossary.yaml --style tests/data/style.md \
    -i tests/data/game_strings.csv -o build/game_strings.out.csv "$@"
{ set +x; } 2>/dev/null
echo "The answers are in build/game_strings.out.csv; the first of them:"
head -n 4 build/game_strings.out.csv
