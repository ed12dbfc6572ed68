#!/bin/sh
# Static analysis of library and command: `tools/analyse.sh BUILD_DIR [STATES]`,
# where BUILD_DIR holds a compile_commands.json.  clang-tidy as .clang-tidy says,
# then cppcheck.  The analyzer goes through STATES states of a function at most:
# its own limit of 225000 takes four times as long, for the sake of a dozen
# functions.  Needs tools/install-deps.sh --dev.
set -eu
cd "$(dirname "$0")/.."
build=$1
states=${2:-40000}
jobs=$(nproc)

files=$(git ls-files -co --exclude-standard 'engine/*.c' 'scheduler/*.c' \
    'cache/*.c' 'adapters/*.c' 'config/*.c' 'tools/*.c')
failed=0
printf '%s\n' $files |
    xargs -P "$jobs" -n 4 clang-tidy-14 --quiet -p "$build" \
        --extra-arg=-Xclang --extra-arg=-analyzer-config \
        --extra-arg=-Xclang --extra-arg=max-nodes="$states" 2>/dev/null ||
    failed=1

# Its findings without context are few and good; style is not asked for.
cppcheck --quiet --std=c11 --language=c -j "$jobs" --inline-suppr \
    --enable=warning,performance,portability \
    --suppress=missingIncludeSystem --suppress=nullPointerRedundantCheck \
    --error-exitcode=1 -I . -I engine/include -I "$build/include" $files ||
    failed=1
exit $failed
