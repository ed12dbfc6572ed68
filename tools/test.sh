#!/bin/sh
# Installs what is missing, builds, and runs all tests.  Arguments are given to
# ctest, as in `tools/test.sh -L unit`.
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh
tools/build.sh release
ctest --preset release "$@"
