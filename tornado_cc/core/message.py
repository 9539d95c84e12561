"""HTTP as the rooms above the wire see it: one request, one response."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

JSON = (("Content-Type", "application/json"),)
"""The headers of most answers."""


class Headers(Mapping[str, str]):
    """Request headers: names in any case, repeated ones joined by `, ` or listed by `get_all`.

    The values may hold credentials, so `repr` shows names only.
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values[name.lower()])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Headers {', '.join(self._values)}>"

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value of one header, in the order received."""
        return tuple(self._values.get(name.lower(), ()))


class Request(NamedTuple):
    """What a caller sent, byte for byte.

    `path` and `query` are as on the wire, not decoded. Path, query, headers and body may all hold
    credentials, so `repr` shows none of them.
    """

    # Named tuples, because a frozen dataclass takes three times as long to make.

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    remote: str = ""

    def __repr__(self) -> str:
        return f"Request(method={self.method!r}, remote={self.remote!r})"


class Response(NamedTuple):
    """What a dialect spells: the server adds the framing headers itself."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = JSON

    def __repr__(self) -> str:
        return f"Response(status={self.status!r}, headers={self.headers!r})"
