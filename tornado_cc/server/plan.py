"""What a supervisor reads of a conf: where to listen, how many workers, when to replace them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tornado_cc.settings import (
    SECTIONS,
    AdminSettings,
    Document,
    LogSettings,
    Mistakes,
    ServerSettings,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Three sections of a conf. The others, and the plugins, are its workers' to judge."""

    server: ServerSettings
    admin: AdminSettings
    log: LogSettings


def read_plan(path: Path, environ: Mapping[str, str]) -> Plan:
    """Read the sections.

    Raises:
        Mistakes: the file cannot be read, or one of these sections is wrong.
    """
    document = Document.read(path, environ)
    document.add_sections_from_environment(SECTIONS)
    server = document.validate("server", ServerSettings)
    admin = document.validate("admin", AdminSettings)
    log = document.validate("log", LogSettings)
    document.raise_mistakes()
    if server is None or admin is None or log is None:
        raise Mistakes(document.mistakes)
    return Plan(server, admin, log)
