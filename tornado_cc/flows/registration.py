"""Our webhooks at a Parse Server: what is registered there, compared with what plugins declare.

Registered one after another: a Parse Server loses some of those that are registered at once.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tornado_cc.outbound import ParseError, ParseServer, Rights
from tornado_cc.outbound.address import check_url
from tornado_cc.settings import ParseServerSettings

_EXISTS = 143
_MASTER = Rights(master=True)


@dataclass(frozen=True, slots=True, order=True)
class Hook:
    """A function, or a trigger of a class.

    Attributes:
        class_name: empty for a function.
        name: of the function or the trigger.
    """

    class_name: str
    name: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind.removesuffix("s"), self.class_name, self.name)))

    @property
    def kind(self) -> str:
        """`functions` or `triggers`, as both ends have it in their paths."""
        return "triggers" if self.class_name else "functions"

    @property
    def place(self) -> str:
        """Where it is below a mount of ours, and below `hooks/` of a Parse Server."""
        parts = (self.kind, self.class_name, self.name)
        return "/".join(quote(part, safe="@") for part in parts if part)

    @property
    def fields(self) -> dict[str, str]:
        """Its names, as a Parse Server spells them."""
        if self.class_name:
            return {"className": self.class_name, "triggerName": self.name}
        return {"functionName": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is registered, against what should be.

    Attributes:
        missing: declared, and not registered.
        moved: declared, and registered at another address, which is given.
        kept: declared, and registered.
        orphans: registered at an address of ours, and declared by no plugin.
        others: registered at addresses of somebody else, which are given; not declared here.
    """

    missing: tuple[Hook, ...] = ()
    moved: Mapping[Hook, str] = field(default_factory=dict)
    kept: tuple[Hook, ...] = ()
    orphans: tuple[Hook, ...] = ()
    others: Mapping[Hook, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether nothing has to be done."""
        return not (self.missing or self.moved or self.orphans)


@dataclass(slots=True)
class Done:
    """What was done; `failed` has the Parse Server's words about what it did not take."""

    added: list[Hook] = field(default_factory=list)
    moved: list[Hook] = field(default_factory=list)
    confirmed: list[Hook] = field(default_factory=list)
    removed: list[Hook] = field(default_factory=list)
    failed: dict[Hook, str] = field(default_factory=dict)


class Registration:
    """The webhooks of one conf at its Parse Server.

    Args:
        root: our address as the Parse Server has it, down to the mount.
        declared: what the plugins declare.
    """

    def __init__(self, server: ParseServer, root: str, declared: Iterable[Hook]) -> None:
        self._server = server
        self._root = root.rstrip("/")
        self._declared = tuple(sorted(set(declared)))

    def url(self, hook: Hook) -> str:
        """Where a Parse Server has to call a hook."""
        return f"{self._root}/{hook.place}"

    async def plan(self) -> Plan:
        """Compare.

        Raises:
            ValueError: the conf names no Parse Server, or no master key.
            OutboundError: it cannot be asked.
        """
        registered = dict(await self._registered())
        others = {hook: url for hook, url in registered.items() if hook not in self._declared}
        there = [hook for hook in self._declared if hook in registered]
        return Plan(
            missing=tuple(hook for hook in self._declared if hook not in registered),
            moved={one: registered[one] for one in there if registered[one] != self.url(one)},
            kept=tuple(hook for hook in there if registered[hook] == self.url(hook)),
            orphans=tuple(sorted(hook for hook, url in others.items() if self.is_ours(url))),
            others={one: others[one] for one in sorted(others) if not self.is_ours(others[one])},
        )

    async def apply(self, plan: Plan, *, remove: bool) -> Done:
        """Make it so, and confirm what is there.

        A registration holds in the process that took it; code in the Parse Server's own language
        comes before it again after a restart. So one that is there is told again.

        Args:
            remove: whether orphans are removed.

        Raises:
            OutboundError: the Parse Server cannot be asked any more; what was done is done.
        """
        done = Done()
        for hook in (*plan.missing, *plan.moved, *plan.kept):
            target = done.added if hook in plan.missing else done.confirmed
            await self._tell(hook, done.moved if hook in plan.moved else target, done)
        if remove:
            await self._remove(plan.orphans, done)
        return done

    async def keep(self, plan: Plan) -> Done:
        """The same without taking anything away from anybody: what is elsewhere stays there."""
        ours = {hook: url for hook, url in plan.moved.items() if self.is_ours(url)}
        mine = Plan(missing=plan.missing, moved=ours, kept=plan.kept)
        return await self.apply(mine, remove=False)

    async def remove(self, hooks: Iterable[Hook]) -> Done:
        """Remove some. Raises as `apply` does."""
        done = Done()
        await self._remove(hooks, done)
        return done

    def ours(self, plan: Plan) -> tuple[Hook, ...]:
        """What is registered at an address of ours."""
        moved = (hook for hook, url in plan.moved.items() if self.is_ours(url))
        return tuple(sorted((*plan.kept, *moved, *plan.orphans)))

    def is_ours(self, url: str) -> bool:
        """Whether an address is below our mount."""
        return url == self._root or url.startswith(f"{self._root}/")

    async def _registered(self) -> list[tuple[Hook, str]]:
        """What is registered, each with its address."""
        found: list[tuple[Hook, str]] = []
        for kind in ("functions", "triggers"):
            rows = await self._server.read(_MASTER, math.inf, f"hooks/{kind}")
            found += _hooks(rows if isinstance(rows, list) else [])
        return found

    async def _tell(self, hook: Hook, to: list[Hook], done: Done) -> None:
        """Register one. What is there already is changed, also when it came meanwhile."""
        body = {**hook.fields, "url": self.url(hook)}
        try:
            if to is not done.added or not await self._create(hook, body):
                await self._server.write(
                    _MASTER, math.inf, f"hooks/{hook.place}", {"url": body["url"]}, method="PUT"
                )
        except ParseError as error:
            done.failed[hook] = error.message
        else:
            to.append(hook)

    async def _create(self, hook: Hook, body: Mapping[str, str]) -> bool:
        """Register one that is not there; whether it was not."""
        try:
            await self._server.write(_MASTER, math.inf, f"hooks/{hook.kind}", body)
        except ParseError as error:
            if error.code != _EXISTS or "already" not in error.message:
                raise
            return False
        return True

    async def _remove(self, hooks: Iterable[Hook], done: Done) -> None:
        for hook in hooks:
            try:
                await self._server.write(
                    _MASTER, math.inf, f"hooks/{hook.place}", {"__op": "Delete"}, method="PUT"
                )
            except ParseError as error:
                done.failed[hook] = error.message
            else:
                done.removed.append(hook)


def declared(manifest: Mapping[str, Any]) -> Iterator[Hook]:
    """What a manifest of ParseCloud/1.0 names."""
    for one in manifest["hooks"]["functions"]:
        yield Hook("", one["name"])
    for one in manifest["hooks"]["triggers"]:
        yield Hook(one["className"], one["triggerName"])


def unusable(settings: ParseServerSettings) -> Iterator[tuple[str, str]]:
    """What in `[parse_server]` cannot be used, each with why; the words quote nothing."""
    for key, address in (("url", settings.url), ("public_url", settings.public_url)):
        if address is None:
            continue
        text = address.url.reveal()
        try:
            check_url(text)
        except ValueError as error:
            yield key, f"cannot be used: {error}"
        if "?" in text or "#" in text:
            yield key, "has a query or a fragment, and paths are added to its end"
    if settings.url is not None and not settings.application_id:
        yield "application_id", "is missing: the Parse Server asks for it"
    if settings.url is None and (settings.public_url or settings.keep_hooks):
        yield "url", "is missing: webhooks are registered there"
    if settings.keep_hooks and settings.public_url is None:
        yield "public_url", "is missing: keep_hooks registers webhooks at it"
    if settings.keep_hooks and not settings.master_key:
        yield "master_key", "is missing: keep_hooks needs it"


def _hooks(rows: Iterable[object]) -> Iterator[tuple[Hook, str]]:
    for row in rows:
        if not isinstance(row, dict) or not isinstance(url := row.get("url"), str):
            continue
        function, class_name = row.get("functionName"), row.get("className")
        trigger = row.get("triggerName")
        if isinstance(function, str) and function:
            yield Hook("", function), url
        elif isinstance(class_name, str) and isinstance(trigger, str) and class_name and trigger:
            yield Hook(class_name, trigger), url
