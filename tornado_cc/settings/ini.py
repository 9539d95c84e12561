"""An ini file and the environment laid over it, with every mistake reported at once."""

import difflib
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from tornado_cc.core.redact import Redactor
from tornado_cc.core.secret import Secret
from tornado_cc.settings.mistakes import Mistake, Mistakes, nearest, reason
from tornado_cc.settings.parse import parse
from tornado_cc.settings.types import Settings

M = TypeVar("M", bound=Settings)

# White space and one of the marks that start a comment on a line of its own.
_COMMENT = re.compile(r"\s[#;](\s|$)")

PREFIX = "TORNADO_CC__"


@dataclass(slots=True)
class Document:
    """The texts of the settings by section and key, and the mistakes found so far.

    `validate` is called for each section somebody knows; what is left is a mistake.
    """

    path: Path
    values: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    mistakes: list[Mistake] = field(default_factory=list)
    _lines: dict[tuple[str, str], int] = field(default_factory=dict)
    _sources: dict[tuple[str, str], str] = field(default_factory=dict)
    _environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    _used: set[str] = field(default_factory=set)
    _settable: set[str] = field(default_factory=set)
    _taken: dict[str, frozenset[str]] = field(default_factory=dict)
    _resolved: dict[str, dict[str, str | None]] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, path: Path, environ: Mapping[str, str]) -> "Document":
        """Read the conf file; what is wrong with it is in `mistakes`, never raised."""
        document = cls(path, _environ=environ)
        try:
            # Some editors begin a file with a byte-order mark.
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            document._mistake("", "", f"cannot be read: {reason(error)}", "Name a conf with --conf")
            return document
        parsed = parse(text)
        document.values, document._lines = parsed.values, parsed.lines
        for one in parsed.problems:
            document._mistake(one.section, one.key, one.problem, one.suggestion, one.line)
        return document

    def sections(self, prefix: str = "") -> list[str]:
        """The names of the sections that start with `prefix`, from the file or the environment."""
        return [name for name in self.values if name.startswith(prefix)]

    def add_sections_from_environment(self, known: Iterable[str]) -> None:
        """Add those sections that only the environment speaks of."""
        for section in known:
            if any(name.startswith(_start(section)) for name in self._environ):
                self.values.setdefault(section, {})

    def take(self, section: str, model: type[M]) -> M | None:
        """Some keys of a section as a model of their own, which `validate` then passes over."""
        keys = self._taken[section] = frozenset(model.model_fields)
        texts = self.values.get(section, {})
        return self._validated(section, model, {key: texts[key] for key in texts if key in keys})

    def validate(self, section: str, model: type[M]) -> M | None:
        """One section as its model, or None after adding its mistakes."""
        texts = self.values.get(section, {})
        taken = self._taken.get(section, frozenset())
        left = {key: text for key, text in texts.items() if key not in taken}
        return self._validated(section, model, left)

    def _validated(self, section: str, model: type[M], texts: Mapping[str, str]) -> M | None:
        texts = {**texts, **self._overrides(section, model)}
        resolved = {key: self._resolve(section, key, text) for key, text in texts.items()}
        self._resolved[section] = {**self._resolved.get(section, {}), **resolved}
        values = {
            key: _literal(model, key, text) for key, text in resolved.items() if text is not None
        }
        self._root(section, model, values)
        try:
            return model.model_validate(values)
        except ValidationError as error:
            self._add_errors(section, model, error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's model may raise anything
            problem = f"cannot be checked: its model raised {type(error).__name__}"
            self._mistake(section, "", problem, "A validator raises ValueError for a bad value")
        return None

    def text(self, section: str, key: str) -> str | None:
        """The text a key of a validated section has, also when the section is wrong elsewhere."""
        return self._resolved.get(section, {}).get(key)

    def refuse_example_secrets(self, section: str, model: type[Settings]) -> None:
        """Production only: every secret of the section has to be one nobody can guess."""
        for key, text, default in self._secrets(section, model):
            if not text.strip():
                problem = "is empty, which production does not allow"
            elif text == default or Secret(text).is_example():
                problem = "is an example or a default, which production does not allow"
            else:
                continue
            self._mistake(
                section, key, problem, f"Set a secret of your own, as in {key} = env:{_shout(key)}"
            )

    def add_unknown_sections(self, known: Iterable[str]) -> None:
        """Every section nobody knows is a mistake."""
        known = list(known)
        for section in self.values:
            if section not in known:
                self._mistake(section, "", "is not a section known here", nearest(section, known))

    def add_unknown_variables(self, unjudged: Iterable[str]) -> None:
        """Every `TORNADO_CC__` variable that set nothing is a mistake.

        Args:
            unjudged: sections that exist without anybody to validate them, or `PREFIX:` for all
                of a kind.
        """
        starts = tuple(_start(section) for section in unjudged)
        for name in sorted(self._environ):
            if not name.startswith(PREFIX) or name in self._used or name.startswith(starts):
                continue
            # Every variable starts alike, so only a very close one is meant.
            close = difflib.get_close_matches(name, sorted(self._settable), n=1, cutoff=0.85)
            suggestion = f"Write {PREFIX}SECTION__KEY, as in {PREFIX}SERVER__BIND"
            if close:
                suggestion = f"Did you mean {close[0]}?"
            self.mistakes.append(Mistake("environment", "", name, "names no setting", suggestion))

    def add_mistake(self, section: str, key: str, problem: str, suggestion: str = "") -> None:
        """A mistake that only somebody else could notice."""
        self._mistake(section, key, problem, suggestion)

    def raise_mistakes(self) -> None:
        """Raise `Mistakes` if there are any."""
        if self.mistakes:
            raise Mistakes(self.mistakes)

    def _overrides(self, section: str, model: type[Settings]) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in model.model_fields:
            name = f"{_start(section)}{_shout(key)}"
            self._settable.add(name)
            if name in self._environ:
                found[key] = self._environ[name]
                self._sources[section, key] = name
                self._used.add(name)
            file_name = f"{name}_FILE"
            if file_name in self._environ and f"{key}_file" not in model.model_fields:
                self._used.add(file_name)
                if name in self._environ:
                    self._mistake(section, key, f"is set by {name} and {file_name}", "Keep one")
                found[key] = f"file:{self._environ[file_name]}"
                self._sources[section, key] = file_name
        return found

    def _resolve(self, section: str, key: str, text: str) -> str | None:
        """The value a text stands for, or None after adding a mistake."""
        kind, colon, rest = text.partition(":")
        if kind == "literal" and colon:
            return rest
        if _COMMENT.search(text) and (section, key) not in self._sources:
            problem = "ends in what looks like a comment, and would be taken whole"
            suggestion = "Comments have lines of their own; a value that is meant so is literal:…"
            self._mistake(section, key, problem, suggestion)
            return None
        if not colon or kind not in ("env", "file"):
            return text
        rest = rest.strip()
        if kind == "env":
            if rest not in self._environ:
                self._mistake(
                    section, key, f"names the variable {rest}, which is not set", f"Set {rest}"
                )
            return self._environ.get(rest)
        try:
            return self._path(rest).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            problem = f"names the file {rest}, which cannot be read: {reason(error)}"
            self._mistake(section, key, problem, "A relative path starts at the conf file")
            return None

    def _path(self, text: str) -> Path:
        """A path as somebody wrote it: `~` is a home folder, a relative one starts at the conf."""
        try:
            return self.path.parent / Path(text).expanduser()
        except RuntimeError:
            raise ValueError("nobody's home folder") from None

    def _root(self, section: str, model: type[Settings], values: dict[str, Any]) -> None:
        """Make paths of the texts, and of relative defaults; an empty text is no path at all."""
        for key, info in model.model_fields.items():
            if not _is_path(info.annotation):
                continue
            try:
                if key in values:
                    values[key] = self._path(values[key]) if values[key] else None
                elif isinstance(info.default, Path) and not self._is_unresolved(section, key):
                    values[key] = self._path(str(info.default))
            except ValueError:
                self._mistake(section, key, "names a home folder that does not exist")
                self._resolved[section][key] = None
                values.pop(key, None)

    def _is_unresolved(self, section: str, key: str) -> bool:
        return key in self._resolved[section] and self._resolved[section][key] is None

    def _secrets(
        self, section: str, model: type[Settings]
    ) -> Iterable[tuple[str, str, str | None]]:
        """Key, text and default of every secret that has either."""
        for key, info in model.model_fields.items():
            if _is_secret(info):
                default = info.default.reveal() if isinstance(info.default, Secret) else None
                text = self._resolved.get(section, {}).get(key, default)
                if text is not None:
                    yield key, text, default

    def _add_errors(self, section: str, model: type[Settings], error: ValidationError) -> None:
        # A model may quote a value in what it raises.
        redactor = Redactor(text for _, text, _ in self._secrets(section, model))
        for one in error.errors(include_url=False, include_input=False):
            key = str(one["loc"][0]) if one["loc"] else ""
            if one["type"] == "missing":
                if not self._is_unresolved(section, key):
                    self._mistake(section, key, "is missing", _describe(model, key))
            elif one["type"] == "extra_forbidden":
                known = {*model.model_fields, *self._taken.get(section, ())}
                self._mistake(section, key, "is not a key known here", nearest(key, known))
            else:
                problem = redactor.clean(one["msg"].removeprefix("Value error, "))
                if problem[:1].isupper():
                    problem = f"is not valid: {problem[:1].lower()}{problem[1:]}"
                self._mistake(section, key, problem, _describe(model, key))

    def _mistake(
        self, section: str, key: str, problem: str, suggestion: str = "", line: int = 0
    ) -> None:
        source = self._sources.get((section, key))
        if source is not None:
            self.mistakes.append(Mistake(source, section, key, problem, suggestion))
            return
        line = line or self._lines.get((section, key)) or self._lines.get((section, ""), 0)
        self.mistakes.append(Mistake(str(self.path), section, key, problem, suggestion, line))


def _shout(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def _start(section: str) -> str:
    """How the variables of a section start, or of every section of a kind, as in `plugin:`."""
    return f"{PREFIX}{_shout(section)}{'' if section.endswith(':') else '__'}"


def _literal(model: type[Settings], key: str, text: str) -> Any:
    """The member of a `Literal` that a text spells: pydantic would not take "200" for 200."""
    info = model.model_fields.get(key)
    if info is None or get_origin(info.annotation) is not Literal:
        return text
    return next((one for one in get_args(info.annotation) if str(one) == text), text)


def _is_path(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType):
        return Path in get_args(annotation)
    return annotation is Path


def _is_secret(info: FieldInfo) -> bool:
    return Secret in _kinds(info.annotation)


def _kinds(annotation: Any) -> Iterable[Any]:
    """An annotation and everything it is made of, as in `SecretText | None`."""
    yield annotation
    for one in get_args(annotation):
        yield from _kinds(one)


def _describe(model: type[Settings], key: str) -> str:
    info = model.model_fields.get(key)
    return (info.description or "") if info else ""
