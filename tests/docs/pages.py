"""The pages cut into headings and blocks; docs/index.md says what each kind of block means."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"```(?P<language>\S*)$")
_HEADING = re.compile(r"#{1,6} (?P<title>.+)")
_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.+) -->")
_FIRST_LINE = re.compile(r"# (?P<path>\S+\.(py|ini))$")
_ADDED = re.compile(r"# added to (?P<path>\S+\.ini)\n")
_PLUGIN = re.compile(r'Plugin\("(?P<name>\w+)"')


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    language: str
    text: str
    line: int
    not_run: str = ""

    @property
    def path(self) -> str:
        """The file that the first line says the block is, if it does."""
        match = _FIRST_LINE.match(self.text.partition("\n")[0])
        return match["path"] if match else ""

    @property
    def conf(self) -> str:
        """The conf file the block is, the file that it is added to included."""
        match = _ADDED.match(self.text)
        return (
            (ROOT / match["path"]).read_text(encoding="utf-8") + self.text if match else self.text
        )

    @property
    def plugin(self) -> str:
        """The name of the one-file plugin the block is."""
        match = _PLUGIN.search(self.text)
        return match["name"] if match else Path(self.path).stem or "example"

    @property
    def is_test(self) -> bool:
        """Whether the block defines a test instead of a plugin."""
        return "def test_" in self.text


@dataclass
class Section:
    """One heading, and the blocks up to the next."""

    page: str
    title: str
    blocks: list[Block] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.page}: {self.title}"

    def of(self, language: str) -> list[Block]:
        """The blocks to run of one language."""
        return [one for one in self.blocks if one.language == language and not one.not_run]


@dataclass(frozen=True)
class Command:
    """A line that starts with `$`, with the lines it goes on in, and the output shown below."""

    text: str
    output: str


def sections() -> list[Section]:
    """Every heading of every page that has blocks."""
    return [section for page in PAGES for section in _cut(page) if section.blocks]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block."""
    lines = block.text.splitlines()
    if not lines or not lines[0].startswith("$ "):
        raise ValueError(f"line {block.line}: a console block starts with a `$ ` line")
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        last = start
        # A command goes on after a backslash, and while a quote is open.
        while lines[last].endswith("\\") or "\n".join(lines[start : last + 1]).count("'") % 2:
            last += 1
        text = "\n".join(lines[start : last + 1]).removeprefix("$ ")
        yield Command(text, "\n".join(lines[last + 1 : end]))


def headings(page: Path) -> list[str]:
    """The headings of a page, the blocks left out."""
    return [section.title for section in _cut(page)][1:]


def _cut(page: Path) -> list[Section]:
    name = str(page.relative_to(ROOT))
    found = [Section(name, "")]
    not_run = ""
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        if match := _HEADING.match(line):
            found.append(Section(name, match["title"]))
        elif match := _NOT_RUN.match(line):
            not_run = match["reason"]
        elif match := _FENCE.match(line):
            text = "\n".join(_until_fence(lines)) + "\n"
            found[-1].blocks.append(Block(match["language"], text, number, not_run))
            not_run = ""
    return found


def _until_fence(lines: Iterator[tuple[int, str]]) -> Iterator[str]:
    for _, line in lines:
        if line == "```":
            return
        yield line
