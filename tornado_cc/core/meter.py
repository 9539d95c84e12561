"""What is counted and timed, whoever keeps the figures."""

from typing import Protocol


class Meter(Protocol):
    """Takes note of what happens. Labels are names of plugins and hooks, never a caller's words."""

    def hook_ended(self, plugin: str, hook: str, how: str, seconds: float) -> None:
        """One implementation ran: `how` is `ok`, `refused`, `failed` or `timeout`."""
        ...

    def loop_stalled(self, plugin: str) -> None:
        """The event loop was blocked, by a plugin or by `none`; called from another thread."""
        ...

    def delivery_ended(self, kind: str, plugin: str, how: str) -> None:
        """One attempt of a delivery ended: `how` is `done`, `retried` or `dead`."""
        ...

    def breaker_changed(self, host: str, before: str, after: str) -> None:
        """Requests to a host are held back or not: `closed`, `open` or `half-open`.

        Args:
            host: as the conf names it, or `other`.
        """
        ...


class Unmetered:
    """Keeps no figures."""

    def hook_ended(self, plugin: str, hook: str, how: str, seconds: float) -> None:
        """Nothing."""

    def loop_stalled(self, plugin: str) -> None:
        """Nothing."""

    def delivery_ended(self, kind: str, plugin: str, how: str) -> None:
        """Nothing."""

    def breaker_changed(self, host: str, before: str, after: str) -> None:
        """Nothing."""
