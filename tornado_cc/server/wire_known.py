"""The heads that came last: a caller sends the same one again and again."""

from typing import TYPE_CHECKING, NamedTuple

from tornado.httputil import RequestStartLine

from tornado_cc.server.wire_reader import BLANK_LINE, Reader

if TYPE_CHECKING:
    from tornado_cc.server.aim import Aim

# Together about three megabytes, with what is made of them.
_LONGEST = 2048
_MOST = 512


class Known(NamedTuple):
    """A head that came before."""

    line: RequestStartLine
    aim: "Aim"
    """What the gate makes of it."""
    length: int
    """Bytes of the body after it."""
    keep_alive: bool
    """Whether its sender wants the connection kept."""


class KnownHeads:
    """What is known of heads, by all of their bytes: what llhttp made of these, it makes again.

    To read a head costs as much as to answer it.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}

    def get(self, data: bytes, start: int) -> tuple[Known | None, int]:
        """What is known of the head that begins there, and where its body begins."""
        end = data.find(BLANK_LINE, start) + len(BLANK_LINE)
        return self._known.get(data[start:end]), end

    def learn(self, reader: Reader, aim: "Aim") -> None:
        """Know one more; of many that come only once, none stays for long.

        Args:
            reader: has just read it.
            aim: which is no refusal.
        """
        if len(reader.head) > _LONGEST or not reader.ends_by_length:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        known = Known(reader.line, aim, reader.length, reader.keep_alive)
        self._known[reader.head] = known
