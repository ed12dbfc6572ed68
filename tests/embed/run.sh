#!/bin/sh
# Installs a build tree somewhere new and builds other people's programs against
# it.  `run.sh BUILD_DIR CASE`; cases: header, cmake, pkgconfig, hosts,
# moved.
# CFLAGS, CXXFLAGS and LDFLAGS carry what a sanitized archive needs.
set -eu
build=$1 case=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc} cxx=${CXX:-c++}
cmake --install "$build" --prefix "$work/prefix" >/dev/null
prefix=$work/prefix

# use_pkgconfig PREFIX: where pkg-config and the loader look.
use_pkgconfig() {
    PKG_CONFIG_PATH=$(dirname "$(find "$1" -name asyncbatch.pc)")
    LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
    export PKG_CONFIG_PATH LD_LIBRARY_PATH
}

# by_cmake ON|OFF: the consumer as C++ or C.
by_cmake() {
    cmake -S "$here" -B "$work/cmake-$1" -G Ninja -DCONSUMER_CXX="$1" \
        -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
    cmake --build "$work/cmake-$1"
    "$work/cmake-$1/consumer"
}

# by_pkgconfig NAME COMPILER...: the consumer by one command.
by_pkgconfig() {
    name=$1
    shift
    "$@" -Wall -Wextra -Werror "$here/consumer.c" -o "$work/$name" \
        $(pkg-config --cflags --libs asyncbatch libevent_core) ${LDFLAGS:-}
    "$work/$name"
}

case $case in
header) # stands alone, in every dialect, without a warning
    include=$(dirname "$(find "$prefix" -name asyncbatch.h)")/..
    for std in c11 c17; do
        $cc -std=$std -pedantic -Wall -Wextra -Werror -fsyntax-only -x c \
            -I "$include" "$include/asyncbatch/asyncbatch.h"
    done
    $cxx -std=c++17 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c++ \
        -I "$include" "$include/asyncbatch/asyncbatch.h"
    ;;
cmake)
    by_cmake OFF
    by_cmake ON
    ;;
pkgconfig)
    use_pkgconfig "$prefix"
    by_pkgconfig c $cc ${CFLAGS:-} -std=c11
    by_pkgconfig cxx $cxx ${CXXFLAGS:-} -std=c++17 -x c++
    ;;
hosts) # the examples, built and at work
    cmake -S "$here/../../tools/examples/embed" -B "$work/hosts" -G Ninja \
        -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
    cmake --build "$work/hosts"
    python3 -B "$here/hosts.py" "$prefix/bin/asyncbatch" "$work/hosts"
    ;;
moved) # an installed tree may be carried elsewhere
    mv "$prefix" "$work/elsewhere"
    prefix=$work/elsewhere
    use_pkgconfig "$prefix"
    by_pkgconfig c $cc ${CFLAGS:-} -std=c11
    by_cmake OFF
    ;;
*)
    echo "run.sh: there is no case $case" >&2
    exit 2
    ;;
esac
