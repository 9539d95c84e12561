"""Starting and stopping: plugins open what they need before the server listens."""

from tornado_cc.core.errors import Refusal
from tornado_cc.hooks import App, Implementation, Registry, Runner


async def start(registry: Registry, runner: Runner) -> tuple[Implementation, Refusal] | None:
    """Run `on_start` of every plugin; the first that fails, with why, or None."""
    for one in registry.all("on_start"):
        fired = await runner.run(one, App(one.plugin, one.settings, one.log))
        if fired.refusal is not None:
            return one, fired.refusal
    return None


async def stop(registry: Registry, runner: Runner) -> None:
    """Run `on_stop` of every plugin; the runner logs what fails."""
    for one in registry.all("on_stop"):
        await runner.run(one, App(one.plugin, one.settings, one.log))
