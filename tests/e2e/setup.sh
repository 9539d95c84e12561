#!/bin/sh
# Gets what the end-to-end tests need: PostgreSQL with PostGIS, Node, Parse Server.
# `setup.sh postgres` gets the first only, which the tests of the store need too.
#
# What is there already is left alone, so a second run takes about a second.
# PostgreSQL is installed when we are root on a machine with apt-get. Node is
# not: Debian 12 has 18 and Parse Server 9 wants 20.19 or newer.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-$here/../../.venv/bin/python}
if ! command -v "$python" >/dev/null 2>&1; then
    python=python3
fi

tools() {
    "$python" "$here/../tools.py" "$@"
}

install_postgres() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "setup.sh: cannot install it here (that takes root and apt-get)." >&2
        exit 1
    fi
    echo "setup.sh: installing PostgreSQL and PostGIS with apt-get" >&2
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        postgresql postgresql-postgis
}

get_postgres() {
    tools postgres || { install_postgres && tools postgres; }
}

case ${1-everything} in
postgres)
    get_postgres
    ;;
everything)
    tools node
    get_postgres
    tools parse-server
    ;;
*)
    echo "usage: setup.sh [postgres]" >&2
    exit 2
    ;;
esac
