"""What a hook may use besides what it is given, each made when the hook asks for it first."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from tornado_cc.core.call import Call
    from tornado_cc.core.parse import Parse
    from tornado_cc.core.ports import Http, Jobs, Mail, Services, Webhooks
    from tornado_cc.core.state import Config, Store

_NAMES = ("http", "store", "config", "webhooks", "parse", "mail", "jobs")

T = TypeVar("T")


class Served:
    """Has services: most hooks use one or none, and all of them cost as much as a short hook.

    The runner sets `services` and `until` before the hook runs.
    """

    plugin: str
    until: float
    services: "Services" = cast("Services", None)
    """What makes them; None for a call that no hook has."""
    form: Callable[[Any], Any] | None = None
    """What makes another form of a service, for hooks that cannot await."""

    @cached_property
    def http(self) -> "Http":
        """The way out."""
        return self._formed(self.services.http(self.plugin, self.until))

    @cached_property
    def store(self) -> "Store":
        """What is kept."""
        return self._formed(self.services.store(self._asking()))

    @cached_property
    def config(self) -> "Config":
        """The configuration."""
        return self._formed(self.services.config)

    @cached_property
    def webhooks(self) -> "Webhooks":
        """Webhooks to others."""
        return self._formed(self.services.webhooks(self.plugin, self._asking()))

    @cached_property
    def parse(self) -> "Parse":
        """The Parse Server."""
        return self._formed(self.services.parse(self._asking(), self.until))

    @cached_property
    def mail(self) -> "Mail":
        """Mail to anybody."""
        return self._formed(self.services.mail(self.plugin, self._asking()))

    @cached_property
    def jobs(self) -> "Jobs":
        """What puts work off."""
        return self._formed(self.services.jobs(self.plugin, self._asking()))

    @property
    def awaits(self) -> bool:
        """Whether they are to be awaited."""
        return self.services is not None and self.form is None

    def take(self, form: Callable[[Any], Any] | None, again: Callable[[Any], Any]) -> None:
        """Have the services in another form.

        Args:
            form: makes it of one; None for services as they are.
            again: makes it of one that there is already.
        """
        mine = vars(self)
        mine["form"] = form
        for name in _NAMES:
            if name in mine:
                mine[name] = again(mine[name])

    def _formed(self, service: T) -> T:
        return service if self.form is None else self.form(service)

    def _asking(self) -> "Call | None":
        """The call in whose name a service acts."""
        return None
