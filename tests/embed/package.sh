#!/bin/sh
# The Debian package and what else is installed beside the library.
# `package.sh BUILD_DIR CASE`; cases: deb, static, manual, completions.
# A tool that is not there skips the case (77), or fails it under LINT_STRICT.
set -eu
build=$1 case=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# need TOOL...
need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null 2>&1 && continue
        echo "package.sh: $tool is not installed"
        [ -z "${LINT_STRICT:-}" ] || exit 1
        exit 77
    done
}

# unpack: the package, as dpkg would put it below $root.
unpack() {
    need dpkg-deb dpkg-shlibdeps file
    (cd "$build" && cpack -G DEB -B "$work/out") >"$work/log" 2>&1 ||
        { cat "$work/log" && exit 1; }
    deb=$(echo "$work"/out/asyncbatch_*.deb)
    root=$work/root
    dpkg-deb -x "$deb" "$root"
    PKG_CONFIG_PATH=$(dirname "$(find "$root" -name asyncbatch.pc)")
    LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
    export PKG_CONFIG_PATH LD_LIBRARY_PATH
}

by_pkgconfig() { # by_pkgconfig NAME COMPILER...: consumer.c by one command
    name=$1
    shift
    "$@" "$here/consumer.c" -o "$work/$name" \
        $(pkg-config --cflags --libs asyncbatch libevent_core)
    "$work/$name"
}

case $case in
deb) # passes lintian; command and consumers work from where it lies
    need lintian
    unpack
    lintian --fail-on error "$deb" 2>"$work/log" || { cat "$work/log" && exit 1; }
    dpkg-deb -f "$deb" Depends | grep -q libcurl4
    [ "$("$root/usr/bin/asyncbatch" --version)" = \
        "asyncbatch $(dpkg-deb -f "$deb" Version)" ]
    by_pkgconfig c cc -std=c11
    by_pkgconfig cxx c++ -std=c++17 -x c++
    cmake -S "$here" -B "$work/cmake" -G Ninja \
        -DCMAKE_PREFIX_PATH="$root/usr" >/dev/null
    cmake --build "$work/cmake"
    "$work/cmake/consumer"
    ;;
static) # the archive of the package, by pkg-config and by CMake
    unpack
    unset LD_LIBRARY_PATH # nothing of ours is to be looked for
    cc -std=c11 "$here/consumer.c" -o "$work/c" \
        $(pkg-config --cflags --libs asyncbatch-static libevent_core)
    "$work/c"
    cmake -S "$here" -B "$work/cmake" -G Ninja -DCONSUMER_STATIC=ON \
        -DCMAKE_PREFIX_PATH="$root/usr" >/dev/null
    cmake --build "$work/cmake"
    "$work/cmake/consumer"
    ;;
manual) # three pages that print without a warning
    need man mandoc
    cmake --install "$build" --prefix "$work/prefix" >/dev/null
    for page in man1/asyncbatch.1 man3/libasyncbatch.3 man5/asyncbatch.yaml.5; do
        file=$work/prefix/share/man/$page.gz
        LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$file" \
            2>&1 >/dev/null | tee "$work/warnings"
        gzip -dc "$file" | mandoc -T lint -W warning | tee -a "$work/warnings"
        [ ! -s "$work/warnings" ]
        gzip -dc "$file" | mandoc -T utf8 | col -b >"$work/$(basename "$page")"
    done
    # The pages tell of every option and every function.
    "$build/bin/asyncbatch" help run | grep -oE -- '--[a-z][a-z0-9-]+' |
        sort -u | while read -r option; do
        grep -q -- "$option" "$work/asyncbatch.1" ||
            { echo "asyncbatch.1 lacks $option" && exit 1; }
    done
    "$here/../../tools/symbols.sh" --list | while read -r name; do
        grep -q "$name(" "$work/libasyncbatch.3" ||
            { echo "libasyncbatch.3 lacks $name" && exit 1; }
    done
    ;;
completions) # asked as the shells ask
    need bash zsh fish
    cmake --install "$build" --prefix "$work/prefix" >/dev/null
    share=$work/prefix/share
    bash -c '. "$1"; complete_for() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _asyncbatch
            echo "${COMPREPLY[*]}"; }
        [ "$(complete_for asyncbatch pl)" = plan ] &&
        [ "$(complete_for asyncbatch run --ord)" = --order ] &&
        [ "$(complete_for asyncbatch run --order c)" = completion ] &&
        [ "$(complete_for asyncbatch sim --rp)" = --rpm ] &&
        [ "$(complete_for asyncbatch cache ex)" = export ]' \
        bash "$share/bash-completion/completions/asyncbatch"
    # What zsh would insert is caught in place of the terminal.
    zsh -f -c '_arguments() { print -l -- "$@" }
        _describe() { print -l -- $commands }
        words=(asyncbatch run --ord) CURRENT=3
        . "$1" | grep -q "^--order=\[.*\]:value:(input completion)$" || exit 1
        words=(asyncbatch pl) CURRENT=2
        . "$1" | grep -q "^plan:"' zsh "$share/zsh/vendor-completions/_asyncbatch"
    HOME=$work fish --no-config -c '
        source $argv[1]
        test (complete -C "asyncbatch pl" | string split -f1 \t) = plan
        and test (complete -C "asyncbatch run --ord" | string split -f1 \t) = --order
        and test (complete -C "asyncbatch run --order c" | string split -f1 \t) = completion
        and test (complete -C "asyncbatch cache ex" | string split -f1 \t) = export
        ' "$share/fish/vendor_completions.d/asyncbatch.fish"
    ;;
*)
    echo "package.sh: there is no case $case" >&2
    exit 2
    ;;
esac
