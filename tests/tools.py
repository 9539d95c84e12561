"""Finds or installs the programs that tests run.

`e2e/setup.sh` runs this file as a script and the fixtures import it, so that
both agree on what counts as present. It imports nothing of ours and no library:
as a script it has no package, and in .ci/run it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
"""The folder of the tests."""

PACKAGE_JSON = HERE / "e2e" / "parse_server" / "package.json"
"""Which Parse Server, exactly."""

START_SCRIPT = HERE / "e2e" / "parse_server" / "start.mjs"
"""What starts it."""

INSTALL_FOLDER = HERE.parent / ".e2e" / "parse_server"
"""Where node_modules go: outside the tests, in a folder that git ignores."""

OLDEST_NODE = (20, 19)
"""Parse Server 9 does not start on anything older."""


DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
"""Where Debian keeps the server's programs: off the PATH, one folder per version."""


class MissingToolError(Exception):
    """A program is not there; the message says what to install."""


def find_postgres() -> Path:
    """Return the folder of PostgreSQL's programs: the one on the PATH, else the newest."""
    return _first_of(_postgres_folders(), "PostgreSQL", "postgresql")


def find_postgis() -> Path:
    """Return the first such folder whose server knows PostGIS."""
    folders = [folder for folder in _postgres_folders() if _has_postgis(folder)]
    return _first_of(folders, "PostgreSQL with PostGIS", "postgresql postgresql-postgis")


def _first_of(folders: list[Path], what: str, packages: str) -> Path:
    """Return the first folder; without any, say what to install."""
    if not folders:
        raise MissingToolError(
            f"{what} was not found on the PATH nor in {DEBIAN_POSTGRES}/*/bin."
            f" On Debian: apt-get install {packages}"
        )
    return folders[0]


def _postgres_folders() -> list[Path]:
    """Folders with an `initdb`, the one on the PATH first, then newest first."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    debian = DEBIAN_POSTGRES.glob("*/bin")
    folders += sorted(debian, key=lambda folder: _version(folder.parent.name), reverse=True)
    return [folder for folder in folders if (folder / "initdb").is_file()]


def _version(text: str) -> tuple[int, ...]:
    """The numbers in a version, so that 9 sorts before 15."""
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _has_postgis(folder: Path) -> bool:
    """Whether `CREATE EXTENSION postgis` can work for the server in this folder.

    `pg_config` belongs to a development package, so it may be absent; then
    Debian's layout is assumed.
    """
    share = Path("/usr/share/postgresql") / folder.parent.name
    pg_config = folder / "pg_config"
    if pg_config.is_file():
        done = subprocess.run(
            [pg_config, "--sharedir"], capture_output=True, text=True, check=False
        )
        share = Path(done.stdout.strip()) if done.returncode == 0 else share
    return (share / "extension" / "postgis.control").is_file()


def find_strace() -> str:
    """Return the path of strace, which shows the system calls of a program."""
    strace = shutil.which("strace")
    if strace is None:
        raise MissingToolError("strace was not found. On Debian: apt-get install strace")
    return strace


def find_nginx() -> str:
    """Return the path of nginx, which Debian keeps off the PATH of those who are not root."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        raise MissingToolError("nginx was not found. On Debian: apt-get install nginx-light")
    return nginx


def find_node() -> str:
    """Return the path of a Node that Parse Server runs on."""
    wanted = ".".join(str(number) for number in OLDEST_NODE)
    advice = f"Parse Server needs Node {wanted} or newer with npm (Debian 12 itself has only 18)"
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise MissingToolError(f"node or npm was not found. {advice}")
    version = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if _version(version) < OLDEST_NODE:
        raise MissingToolError(f"node is {version or 'broken'}. {advice}")
    return node


def install_parse_server() -> Path:
    """Return the folder with Parse Server's node_modules, installing them once.

    The stamp is written last: an install that was cut off is done again.
    """
    find_node()
    stamp = INSTALL_FOLDER / "installed"
    wanted = hashlib.sha256(PACKAGE_JSON.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(INSTALL_FOLDER, ignore_errors=True)
        INSTALL_FOLDER.mkdir(parents=True)
        shutil.copy(PACKAGE_JSON, INSTALL_FOLDER)
        _npm_install()
        stamp.write_text(wanted)
    return INSTALL_FOLDER


def _npm_install() -> None:
    """Fill node_modules; no script of a package is run, for none is needed."""
    options = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(
        ["npm", "install", *options],
        cwd=INSTALL_FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise MissingToolError(f"npm could not install Parse Server:\n{done.stdout}")


def main(names: list[str]) -> int:
    """Check the named tools and print where they are, or what is missing."""
    checks = {
        "postgres": find_postgis,
        "strace": find_strace,
        "nginx": find_nginx,
        "node": find_node,
        "parse-server": install_parse_server,
    }
    for name in names:
        try:
            sys.stdout.write(f"{name}: {checks[name]()}\n")
        except MissingToolError as missing:
            sys.stderr.write(f"{name}: {missing}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
