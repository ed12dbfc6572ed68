#!/bin/sh
# How much of the library its tests reach: `tools/coverage.sh [CTEST OPTION...]`.
# Builds with counters in build-coverage, runs unit, engine and cli tests, and
# prints lines and branches of each layer, and the files that have least.
# Needs lcov.  Branches of assertions are not counted: they cannot be taken.
set -eu
cd "$(dirname "$0")/.."
command -v lcov >/dev/null 2>&1 || {
    echo "coverage: needs lcov (apt-get install lcov)" >&2
    exit 1
}
launcher=
if command -v ccache >/dev/null 2>&1; then
    launcher="-DCMAKE_C_COMPILER_LAUNCHER=ccache
        -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
fi
cmake -S . -B build-coverage -G Ninja -DCMAKE_BUILD_TYPE=Debug \
    -DBUILD_SHARED_LIBS=OFF -DCMAKE_C_FLAGS="--coverage -O1 -DNDEBUG" \
    -DCMAKE_CXX_FLAGS="--coverage -O1 -DNDEBUG" $launcher >/dev/null
cmake --build build-coverage
find build-coverage -name '*.gcda' -delete
ctest --test-dir build-coverage -j2 --output-on-failure \
    -L 'unit|engine|cli' "$@" >build-coverage/tests.log 2>&1 ||
    tail -15 build-coverage/tests.log
cd build-coverage
branches="--rc lcov_branch_coverage=1"
lcov $branches -q -c -d CMakeFiles/asb_objects.dir -o all.info
root=$(cd .. && pwd)
print() { # print NAME PATTERN...
    name=$1
    shift
    lcov $branches -q -e all.info "$@" -o one.info
    lcov $branches --summary one.info 2>&1 |
        awk -v name="$name" '
            /lines/ { lines = $2 }
            /branches/ { branches = $2 }
            END { printf "%-12s lines %6s   branches %6s\n", name, lines,
                  branches }'
}
for layer in engine scheduler cache adapters config; do
    print "$layer" "$root/$layer/*"
done
print all "$root/engine/*" "$root/scheduler/*" "$root/cache/*" \
    "$root/adapters/*" "$root/config/*"
echo
echo "least of lines:"
lcov $branches --list all.info --list-full-path 2>/dev/null |
    awk -F'|' -v root="$root/" '
        $1 ~ /\.(c|cc|h)/ && $1 ~ root {
            sub(root, "", $1)
            split($2, line, "%")
            printf "%6.1f %% %s\n", line[1], $1
        }' | sort -n | head -15
