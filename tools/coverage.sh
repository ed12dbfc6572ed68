#!/bin/sh
# How much of the library its tests reach: `tools/coverage.sh [CTEST OPTION...]`.
# Builds with counters in build-coverage, runs unit, engine and cli tests, and
# prints lines and branches of each layer and of all, and the files of whose
# branches most are not taken.  Fails when all together have less than 90 % of
# the lines or 80 % of the branches, or a test fails.
#
# Nothing is left out but assertions, which say what cannot be: NDEBUG takes
# them away.  No line is marked as not counted.  Not optimized, so that each
# branch of the source is one.  Needs gcovr (tools/install-deps.sh --dev).
set -eu
cd "$(dirname "$0")/.."
command -v gcovr >/dev/null 2>&1 || {
    echo "coverage: needs gcovr (apt-get install gcovr)" >&2
    exit 1
}
launcher=
if command -v ccache >/dev/null 2>&1; then
    launcher="-DCMAKE_C_COMPILER_LAUNCHER=ccache
        -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
fi
build=build-coverage
cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Debug \
    -DBUILD_SHARED_LIBS=OFF -DCMAKE_C_FLAGS="--coverage -O0 -DNDEBUG" \
    -DCMAKE_CXX_FLAGS="--coverage -O0 -DNDEBUG" $launcher >/dev/null
cmake --build $build
find $build -name '*.gcda' -delete
status=0
ctest --test-dir $build -j2 --output-on-failure -L 'unit|engine|cli' "$@" \
    >$build/tests.log 2>&1 || {
    status=1
    tail -15 $build/tests.log
}

layers="engine scheduler cache adapters config"
filters=
for layer in $layers; do
    filters="$filters -f $layer/"
done
gcovr -r . --object-directory $build -j 2 $filters --json $build/all.json \
    $build/CMakeFiles/asb_objects.dir >$build/gcovr.log 2>&1

figures() { # figures NAME OPTION...
    name=$1
    shift
    gcovr -a $build/all.json "$@" --print-summary | awk -v name="$name" '
        /^lines:/ { lines = $2 }
        /^branches:/ {
            printf "%-12s lines %6s   branches %6s\n", name, lines, $2
        }'
}
for layer in $layers; do
    figures "$layer" -f "$layer/"
done
figures all

echo
echo "branches not taken, the files with most:"
gcovr -a $build/all.json --csv | awk -F, '
    NR == 1 {
        for (i = 1; i <= NF; i++)
            at[$i] = i
        next
    }
    {
        total = $at["branch_total"]
        printf "%6d of %4d  %s\n", total - $at["branch_covered"], total, $1
    }' | sort -rn | head -15
gcovr -a $build/all.json --fail-under-line 90 --fail-under-branch 80 \
    >/dev/null || status=1
exit $status
