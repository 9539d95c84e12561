"""What is measured: this project in several settings, and its peers."""

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALLED = HERE.parent / ".bench"
"""Where `setup.sh` puts what the project itself has not."""

_EXPRESS = INSTALLED / "node" / "node_modules" / "express"

# Production but for TLS and a second process. The access log goes to a file, as JSON.
_CONF = """
[server]
bind = 127.0.0.1:{port}
wire = {wire}
[admin]
bind = 127.0.0.1:0
[log]
format = json
[plugins]
dir = {plugins}
enable = bench
[dialect:parse]
webhook_key = benchmark-key
[dialect:gamesparks]
api_key = benchmark-game
server_secret = benchmark-server-secret
[credential:bench]
secret = benchmark-secret
[dialect:skygear]
api_key = benchmark-api-key
[journal]
record = {record}
[store]
url = sqlite:///{store}
"""


@dataclass(frozen=True)
class Entrant:
    """One row of the table.

    Attributes:
        command: what starts it, from a port and a folder for its files.
        environment: variables it is started with.
        only_first: whether it is measured with the first scenario alone.
    """

    name: str
    command: Callable[[int, Path], Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    only_first: bool = False


def entrants() -> list[Entrant]:
    """All that can be started here."""
    found = [
        Entrant("bare httptools", _python("bare.py")),
        _ours("tornado_cc", wire="llhttp", record="none"),
        _ours("tornado_cc, record = events", wire="llhttp", record="events", only_first=True),
        _ours("tornado_cc, record = all", wire="llhttp", record="all", only_first=True),
        _ours("tornado_cc, wire = tornado", wire="tornado", record="none"),
        Entrant("aiohttp", _python("aiohttp_app.py")),
        Entrant("Tornado RequestHandler", _python("tornado_app.py")),
    ]
    python = INSTALLED / "venv" / "bin" / "python"
    if python.is_file():
        found.append(Entrant("Starlette, uvicorn", _python("starlette_app.py", str(python))))
    node = shutil.which("node")
    if node is not None:
        found.append(Entrant("node:http", _node(node, "node_http.cjs")))
        if _EXPRESS.is_dir():
            express = _node(node, "express.cjs")
            # Express answers an error with its traceback otherwise, and keeps no view.
            settings = {"EXPRESS": str(_EXPRESS), "NODE_ENV": "production"}
            found.append(Entrant("Express", express, settings))
    return found


def missing(found: Sequence[Entrant]) -> list[str]:
    """The peers that are not installed."""
    names = {one.name for one in found}
    return [one for one in ("Starlette, uvicorn", "node:http", "Express") if one not in names]


def _ours(name: str, *, wire: str, record: str, only_first: bool = False) -> Entrant:
    def command(port: int, folder: Path) -> Sequence[str]:
        conf = folder / f"{wire}-{record}.ini"
        plugins = HERE / "plugins"
        store = conf.with_suffix(".db")
        conf.write_text(
            _CONF.format(port=port, wire=wire, record=record, plugins=plugins, store=store)
        )
        return [sys.executable, "-m", "tornado_cc", "--conf", str(conf)]

    return Entrant(name, command, only_first=only_first)


def _python(script: str, python: str = sys.executable) -> Callable[[int, Path], Sequence[str]]:
    return lambda port, folder: [python, str(HERE / "peers" / script), str(port)]


def _node(node: str, script: str) -> Callable[[int, Path], Sequence[str]]:
    return lambda port, folder: [node, str(HERE / "peers" / script), str(port)]
