"""Which endpoint a path leads to: the rules of Go's ServeMux (spec skygear, section 1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from string import punctuation
from urllib.parse import quote, unquote


def escaped(raw: str) -> str:
    """A path or query as received, in ASCII: every other byte as `%XX`, nothing else changed."""
    return quote(raw, safe=punctuation, encoding="latin-1", errors="replace")


def decoded(path: str) -> str:
    """The path as it is matched: UTF-8, and `%2F` counts as a slash."""
    return unquote(escaped(path))


def cleaned(path: str) -> str:
    """The path without `//`, `.` and `..`; a trailing slash stays."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return f"/{'/'.join(parts)}" + ("/" if parts and path.endswith("/") else "")


def location(prefix: str, path: str, query: str) -> str:
    """A mount, a decoded path below it and a raw query as the target of a redirect.

    The mount stays as it is written: quoted, it would be another spelling that redirects again.
    """
    target = prefix + quote(path, safe="/:@!$&'()*+,;=~")
    return f"{target}?{escaped(query)}" if query else target


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads: elsewhere when `moved`, else to `pattern`, None being nobody's.

    `path` is decoded, clean and below the mount.
    """

    path: str
    moved: bool = False
    pattern: str | None = None


class Table:
    """Endpoints by path. Without a trailing slash only that path; with one, all below it too."""

    def __init__(self, patterns: Iterable[str], prefix: str = "") -> None:
        self._patterns = frozenset(patterns)
        self._prefix = prefix

    def resolve(self, path: str) -> Found:
        """Where a raw path leads; where it is moved to, no other redirect follows."""
        odd = path != self._prefix and not path.startswith(f"{self._prefix}/")
        # A mount in another spelling, as in /%61pi, is cleaned with all the rest.
        below = cleaned(decoded(path)) if odd else path
        spelt = below.removeprefix(self._prefix)
        spelt = (spelt if odd else decoded(spelt)) or "/"
        clean = cleaned(spelt)
        if self._wants_slash(clean):
            return Found(f"{clean}/", moved=True)
        if odd or clean != spelt:
            return Found(clean, moved=True)
        return Found(clean, pattern=self._find(clean))

    def _find(self, path: str) -> str | None:
        """The longest pattern that covers a clean path; the path itself beats them all."""
        if path in self._patterns:
            return path
        parent = path
        while parent != "/":
            parent = parent.rstrip("/").rpartition("/")[0] + "/"
            if parent in self._patterns:
                return parent
        return None

    def _wants_slash(self, path: str) -> bool:
        """Whether only the path with a slash behind it is registered."""
        return path not in self._patterns and f"{path}/" in self._patterns
