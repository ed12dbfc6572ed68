#!/bin/sh
# Configures and builds one preset: `tools/build.sh [PRESET [OPTION...]]`,
# release by default; options go to `cmake --build`.  Uses ccache where it is
# installed.
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}
[ $# -eq 0 ] || shift
launcher=
if command -v ccache >/dev/null 2>&1; then
    launcher="-DCMAKE_C_COMPILER_LAUNCHER=ccache
        -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
fi
cmake --preset "$preset" $launcher --log-level=WARNING >/dev/null
cmake --build --preset "$preset" "$@"
