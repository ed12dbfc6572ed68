#!/bin/sh
# What a built library gives the linker.  `tools/symbols.sh FILE`
#
# A shared library exports asb_* and nothing else.  An archive may also define
# asbi_*, because it has no hidden symbols to hide behind, and the weak symbols
# that C++ headers leave; sanitizers add their own.
# `tools/symbols.sh --list` names what the public header declares.
set -eu
headers=$(dirname "$0")/../engine/include/asyncbatch
declared() {
    cat "$headers"/*.h | sed -E 's|/\*.*||; s|^ \*.*||' |
        grep -oE '\basb_[a-z_]+\(' | grep -v '_cb(' | tr -d '(' | sort -u
}
case $1 in
--list)
    declared
    exit 0
    ;;
*.a) list="nm -g --defined-only $1" ok='^asbi?_|^__?_?(odr_)?asan' ;;
*) list="nm -D --defined-only $1" ok='^asb_' ;;
esac
names=$($list 2>/dev/null | awk 'NF == 3 && $2 !~ /[AWVu]/ { print $3 }' |
    sed 's/@.*//')
[ -n "$names" ] || {
    echo "symbols: $1 defines nothing"
    exit 1
}
bad=$(printf '%s\n' "$names" | grep -vE "$ok" || true)
[ -z "$bad" ] || {
    printf '%s\n' "$bad" | sed "s|^|symbols: $1 gives away |"
    exit 1
}
case $1 in *.a) exit 0 ;; esac

# Everything the header declares is there.
missing=$(
    declared | while read -r name; do
        printf '%s\n' "$names" | grep -qx "$name" ||
            echo "symbols: $1 lacks $name"
    done
)
[ -z "$missing" ] || {
    printf '%s\n' "$missing"
    exit 1
}
