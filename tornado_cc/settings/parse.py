"""The text of an ini file: what it says, on which line, and which lines say nothing."""

import configparser
from dataclasses import dataclass, field

_COMMENTS = ("#", ";")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the text. Lines are never quoted: they may hold a secret."""

    line: int
    problem: str
    suggestion: str
    section: str = ""
    key: str = ""


@dataclass(slots=True)
class Parsed:
    """Texts by section and key, the lines they stand on, and the problems.

    A section itself stands under the empty key.
    """

    values: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    lines: dict[tuple[str, str], int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    first_section: int | None = None


def parse(text: str) -> Parsed:
    """What an ini file says. Total: what makes no sense is a problem, and the rest still counts."""
    parsed = Parsed()
    _note_places(text, parsed)
    if parsed.first_section is None:
        return parsed
    lines = text.split("\n")
    # The parser gives up at a line before the first section; that one is reported already.
    lines[: parsed.first_section - 1] = [""] * (parsed.first_section - 1)
    parser = configparser.ConfigParser(
        interpolation=None,
        delimiters=("=",),
        comment_prefixes=_COMMENTS,
        # A name no section can have, or a section called DEFAULT would show in all the others.
        default_section="",
        strict=False,
    )
    # As documented by configparser, this keeps the case of keys.
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    try:
        parser.read_string("\n".join(lines))
    except configparser.ParsingError as error:
        # It is raised at the end: everything else has been read.
        parsed.problems += [
            Problem(line, "has a line that is not `key = value`", "Write key = value")
            for line, _ in error.errors
        ]
    for name in parser.sections():
        parsed.values[name] = {key: text for key, text in parser.items(name) if key}
    return parsed


def _note_places(text: str, parsed: Parsed) -> None:
    """Note line numbers and what is said twice: the parser keeps neither."""
    section, key, indent, is_early = "", "", 0, False
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if not bare or bare.startswith(_COMMENTS):
            continue
        depth = len(line) - len(line.lstrip())
        if key and depth > indent:
            # The parser takes a line that stands deeper for more of the value above it.
            continue
        indent = depth
        if match := configparser.ConfigParser.SECTCRE.match(bare):
            section, key = match["header"], ""
            parsed.first_section = parsed.first_section or number
            _note(parsed, section, key, number)
        elif parsed.first_section is None:
            if not is_early:
                is_early = True
                parsed.problems.append(
                    Problem(
                        number,
                        "has a line before the first section",
                        "Start with a section, as in [server]",
                    )
                )
        elif "=" in bare:
            key = bare.partition("=")[0].strip()
            if key:
                _note(parsed, section, key, number)


def _note(parsed: Parsed, section: str, key: str, number: int) -> None:
    first = parsed.lines.setdefault((section, key), number)
    if first != number:
        problem = f"stands here again, first on line {first}"
        parsed.problems.append(Problem(number, problem, "Keep one", section, key))
