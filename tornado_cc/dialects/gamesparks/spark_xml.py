"""XML of a third party, read without what a document could order to be expanded or fetched."""

from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

# The parser ends a piece before it looks at what was raised: a document type cannot do much in one.
_PIECE = 16 << 10


class _HasDoctype(Exception):
    """A document type: entities of a kilobyte could become gigabytes."""


class _Builder(TreeBuilder):
    def doctype(self, *_: object) -> NoReturn:
        """Called where a document type begins."""
        raise _HasDoctype


def parse(body: bytes) -> Element | None:
    """The root of a document; None when it is not XML, or has a document type."""
    parser = XMLParser(target=_Builder())  # noqa: S314 - what is dangerous in it is refused above
    try:
        for start in range(0, len(body), _PIECE):
            parser.feed(body[start : start + _PIECE])
        root = parser.close()
    except (ParseError, _HasDoctype, ValueError, LookupError):
        return None
    return root if isinstance(root, Element) else None
