#!/bin/sh
# Gets what the end-to-end tests need: PostgreSQL with PostGIS, strace, nginx, Node, Parse Server.
# `setup.sh store` gets the first three only, which the tests of the suite need.
#
# What is there already is left alone, so a second run takes about a second.
# PostgreSQL, strace and nginx are installed when we are root on a machine with apt-get.
# Node is not: Debian 12 has 18 and Parse Server 9 wants 20.19 or newer.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-$here/../../.venv/bin/python}
if ! command -v "$python" >/dev/null 2>&1; then
    python=python3
fi

tools() {
    "$python" "$here/../tools.py" "$@"
}

install() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "setup.sh: cannot install it here (that takes root and apt-get)." >&2
        exit 1
    fi
    echo "setup.sh: installing $* with apt-get" >&2
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

get_store_tools() {
    tools postgres || { install postgresql postgresql-postgis && tools postgres; }
    tools strace || { install strace && tools strace; }
    tools nginx || { install nginx-light && tools nginx; }
}

case ${1-everything} in
store)
    get_store_tools
    ;;
everything)
    tools node
    get_store_tools
    tools parse-server
    ;;
*)
    echo "usage: setup.sh [store]" >&2
    exit 2
    ;;
esac
