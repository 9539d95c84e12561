"""Who is asked, and in which order."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tornado_cc.core.ports import Claims
from tornado_cc.hooks.declare import ANY, OnTimeout

# Names come from callers, so what is remembered about them is bounded.
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Implementation:
    """One function a plugin gave for one hook.

    `claim` is None for a plain `@hookimpl`: it is asked for names nobody declared, and its None
    means "not mine".
    """

    hook: str
    claim: tuple[str, ...] | None
    function: Callable[..., Any] = field(repr=False)
    plugin: str
    distribution: str
    is_async: bool
    inline: bool
    settings: Any = field(repr=False)
    log: logging.Logger = field(repr=False)
    on_timeout: OnTimeout = "refuse"
    tryfirst: bool = False
    trylast: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    @property
    def place(self) -> str:
        """Where the function stands, for people: `module.function`."""
        name = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        return f"{getattr(self.function, '__module__', '?')}.{name}"

    def matches(self, claim: tuple[str, ...]) -> bool:
        """Whether the declared name, with `*` for any, covers this one.

        Names of other lengths are of other kinds: a credential is no source.
        """
        if self.claim is None or len(self.claim) != len(claim):
            return False
        return all(mine in (ANY, theirs) for mine, theirs in zip(self.claim, claim, strict=True))

    def names(self, claim: tuple[str, ...]) -> bool:
        """Whether it covers this name by more than `*`."""
        return self.claim is not None and self.matches(claim) and set(self.claim) != {ANY}


class Registry:
    """Every implementation, in the order: tryfirst, plugin name, declaration order, trylast."""

    def __init__(self, implementations: Iterable[Implementation]) -> None:
        self._by_hook: dict[str, list[Implementation]] = {}
        for one in sorted(implementations, key=_order):
            self._by_hook.setdefault(one.hook, []).append(one)
        self._keys = dict(_keyed(self.everything()))
        self._by_key = {(one.plugin, key): one for one, key in self._keys.items()}
        self._asked: dict[tuple[str, tuple[str, ...]], Sequence[Implementation]] = {}

    def all(self, hook: str) -> Sequence[Implementation]:
        """Every implementation of a hook that is not claimed by name."""
        return self._by_hook.get(hook, ())

    def everything(self) -> Sequence[Implementation]:
        """Every implementation, by hook and then in the order they are asked."""
        return [one for found in self._by_hook.values() for one in found]

    def key_of(self, one: Implementation) -> str:
        """What an implementation is known by, within its plugin and for as long as it is kept."""
        return self._keys[one]

    def by_key(self, plugin: str, key: str) -> Implementation | None:
        """The implementation of that key, None when the plugin has none of it now."""
        return self._by_key.get((plugin, key))

    def who(self, hook: str, claim: tuple[str, ...]) -> Sequence[Implementation]:
        """Whom to ask for this name, first to last.

        Those that declared it, with those that declared `*`. Plain hookimpls are asked only for a
        name that nobody declared; `*` alone declares no name, or one auditing plugin would
        silence every plain one.
        """
        asked = self._asked.get((hook, claim))
        if asked is None:
            asked = self._find(hook, claim)
            if len(self._asked) < _REMEMBERED:
                self._asked[hook, claim] = asked
        return asked

    def claims(self) -> Claims:
        """What was declared by name, `*` included."""
        by_hook: Mapping[str, Sequence[tuple[str, ...]]] = {
            hook: list(dict.fromkeys(one.claim for one in found if one.claim))
            for hook, found in self._by_hook.items()
        }
        options = {
            (one.hook, one.claim): one.options
            for found in self._by_hook.values()
            for one in found
            if one.claim and one.options
        }
        return Claims(by_hook, options)

    def _find(self, hook: str, claim: tuple[str, ...]) -> Sequence[Implementation]:
        found = self._by_hook.get(hook, [])
        if any(one.names(claim) for one in found):
            return tuple(one for one in found if one.matches(claim))
        return tuple(one for one in found if one.claim is None or one.matches(claim))


def _keyed(implementations: Iterable[Implementation]) -> Iterator[tuple[Implementation, str]]:
    """Hook, claim and function; a number too, for what was declared in a loop."""
    seen: Counter[tuple[str, str]] = Counter()
    for one in implementations:
        key = " ".join((one.hook, ".".join(one.claim or ("any",)), one.place))
        seen[one.plugin, key] += 1
        again = seen[one.plugin, key]
        yield one, key if again == 1 else f"{key} #{again}"


def _order(one: Implementation) -> tuple[int, str]:
    """The sort is stable, so declaration order settles the rest."""
    place = 0 if one.tryfirst else 2 if one.trylast else 1
    return place, one.plugin
