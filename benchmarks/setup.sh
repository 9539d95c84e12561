#!/bin/sh
# Gets what the benchmark of the wire needs besides the project: wrk, and the peers it has not,
# in `.bench/`, which git ignores. What is there already is left alone. What cannot be had is
# named here and left out of the table.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=$here/../.bench
python=${PYTHON:-$here/../.venv/bin/python}
mkdir -p "$folder"

missing() {
    echo "setup.sh: $1 cannot be installed here and is left out" >&2
}

get_wrk() {
    command -v wrk >/dev/null 2>&1 && return
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 &&
        apt-get update >&2 && apt-get install -y --no-install-recommends wrk >&2
}

get_starlette() {
    [ -x "$folder/venv/bin/uvicorn" ] && return
    "$python" -m venv "$folder/venv" &&
        "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            starlette uvicorn httptools uvloop orjson
}

get_express() {
    [ -d "$folder/node/node_modules/express" ] && return
    mkdir -p "$folder/node" &&
        npm install --prefix "$folder/node" --no-package-lock --no-audit --no-fund \
            --ignore-scripts --silent express@4
}

get_wrk || {
    echo "setup.sh: nothing is measured without wrk; on Debian: apt-get install wrk" >&2
    exit 1
}
get_starlette || missing "Starlette with uvicorn"
command -v node >/dev/null 2>&1 || missing "node:http"
get_express || missing "Express"
