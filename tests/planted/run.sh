#!/bin/sh
# Plants each bug of this folder into a copy of the tree, builds the campaign
# and lets it look for it: `tests/planted/run.sh [BUG...]`, where BUG is the
# beginning of a patch's name.  Says for each which seed found it, and what
# broke; fails when one stays unfound within 1,000 seeds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
copy=$(mktemp -d "${TMPDIR:-/tmp}/asb-planted-XXXXXX")
trap 'rm -rf "$copy"' EXIT
most=1000

(cd "$root" && git ls-files -co --exclude-standard | tar cf - -T -) |
    tar xf - -C "$copy"
cd "$copy"
build() {
    cmake --build build --target campaign >build.log 2>&1 || {
        tail -20 build.log
        return 1
    }
}
launcher=
if command -v ccache >/dev/null 2>&1; then
    launcher="-DCMAKE_C_COMPILER_LAUNCHER=ccache
        -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
fi
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo $launcher \
    >build.log
build
build/tests/sim/campaign --count 200 >found.log || {
    echo "without a bug planted the campaign finds one:"
    cat found.log
    exit 1
}

[ $# -gt 0 ] || set -- ''
unfound=0
for wish in "$@"; do
    for patch in "$here/$wish"*.patch; do
        name=$(basename "$patch" .patch)
        file=$(sed -n 's,^+++ b/,,p' "$patch")
        cp "$file" sound
        patch -p1 -s <"$patch"
        if ! build; then
            echo "$name: does not build"
            unfound=$((unfound + 1))
        elif timeout 600 build/tests/sim/campaign --count $most >found.log 2>&1; then
            echo "$name: not found in $most seeds"
            unfound=$((unfound + 1))
        else
            echo "$name: $(grep -a -m 1 -E ' broke: |assert|Sanitizer' found.log |
                cut -c 1-100 || tail -1 found.log)"
        fi
        cp sound "$file"
    done
done
echo "$unfound not found"
[ "$unfound" -eq 0 ]
