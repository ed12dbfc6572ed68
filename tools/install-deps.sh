#!/bin/sh
# Installs what asyncbatch is built from, as packages of Debian 12 or a relative
# of it.  `tools/install-deps.sh [--dev]`; --dev adds what the checks need.
# Does nothing when all of it is there.
set -eu
packages="build-essential cmake ninja-build pkg-config python3
    libevent-dev libcurl4-openssl-dev libssl-dev libyaml-dev libmsgpack-dev
    libsimdjson-dev libsqlite3-dev libhiredis-dev libcsv-dev libxxhash-dev
    zlib1g-dev libpcre2-dev"
case ${1:-} in
--dev) packages="$packages clang clang-format-14 clang-tidy-14
    cppcheck ccache gcovr nghttp2-proxy openssl redis-server nginx-light
    python3-msgpack ruby ruby-msgpack nodejs lintian man-db mandoc file
    bsdextrautils zsh fish mold" ;;
'') ;;
*)
    echo "usage: tools/install-deps.sh [--dev]" >&2
    exit 2
    ;;
esac
command -v dpkg-query >/dev/null 2>&1 || {
    echo "install-deps: this is no Debian; please install the counterparts of:" \
        $packages >&2
    exit 1
}

missing=
for package in $packages; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
    installed) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "install-deps: neither root nor sudo; as root, run:" \
            "apt-get install$missing" >&2
        exit 1
    }
    as_root=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
