"""From a conf file to everything a server is made of, with every mistake reported at once."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tornado_cc import dialects, hooks
from tornado_cc.core.ports import Dialect
from tornado_cc.hooks import Loaded, LoadError, Registry
from tornado_cc.hooks.specs import HOOKS
from tornado_cc.settings import (
    Configuration,
    Document,
    HooksSettings,
    LogSettings,
    PluginsSettings,
    ServerSettings,
    Settings,
    secrets_in,
)
from tornado_cc.settings.mistakes import reason

_log = logging.getLogger("tornado_cc.server")

DIALECT = "dialect:"
PLUGIN = "plugin:"
SECTIONS: Mapping[str, type[Settings]] = {
    "server": ServerSettings,
    "hooks": HooksSettings,
    "log": LogSettings,
    "plugins": PluginsSettings,
}


class PluginsFailed(Exception):
    """Enabled plugins could not be loaded."""

    def __init__(self, errors: list[LoadError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in errors))


@dataclass(frozen=True, slots=True)
class Built:
    """A validated configuration, its plugins and its dialects: ready to serve."""

    configuration: Configuration
    loaded: Loaded
    registry: Registry
    dialects: tuple[Dialect, ...]
    skipped: tuple[LoadError, ...]

    def secrets(self) -> set[str]:
        """Every secret of the settings, for the redactor."""
        configuration = self.configuration
        sections = (*configuration.dialects.values(), *configuration.plugin_settings.values())
        return {secret.reveal() for secret in secrets_in(sections) if secret}


def build(path: Path, environ: Mapping[str, str]) -> Built:
    """Read the conf, load the plugins and build the dialects. Binds nothing.

    Raises:
        Mistakes: the settings are wrong.
        PluginsFailed: an enabled plugin cannot be loaded.
    """
    document = Document.read(path, environ)
    if not document.values:
        # Of a file that says nothing, every other mistake would only be an echo.
        document.raise_mistakes()
    packages = {f"{DIALECT}{name}": _package(name) for name in dialects.available()}
    document.add_sections_from_environment([*SECTIONS, *packages])
    core = {name: document.validate(name, model) for name, model in SECTIONS.items()}
    spoken = {
        name: document.validate(name, packages[name].DialectSettings)
        for name in document.sections(DIALECT)
        if name in packages
    }
    plugins = core["plugins"]
    loaded = _load(document, plugins) if isinstance(plugins, PluginsSettings) else None
    own = _plugin_settings(document, loaded.models if loaded else {})
    everything = {**core, **spoken, **own}
    models = {**SECTIONS, **{name: packages[name].DialectSettings for name in spoken}}
    if loaded:
        models.update({f"{PLUGIN}{name}": model for name, model in loaded.models.items()})
    _check_names(document, [*everything, *packages], loaded)
    _check_deadlines(document, everything["hooks"])
    if document.text("server", "mode") == "production":
        for section, model in models.items():
            document.refuse_example_secrets(section, model)
    _check_mounts(document, everything)
    document.raise_mistakes()
    assert loaded is not None
    if loaded.errors:
        raise PluginsFailed(loaded.errors)
    return _assemble(everything, packages, loaded)


def _package(name: str) -> ModuleType:
    package = dialects.find(name)
    assert package is not None
    return package


def _load(document: Document, settings: PluginsSettings) -> Loaded:
    if settings.dir is not None and (problem := _unreadable(settings.dir)):
        document.add_mistake("plugins", "dir", f"names the folder {settings.dir}, {problem}")
        settings = settings.model_copy(update={"dir": None})
    loaded = hooks.load(settings)
    for key, names in loaded.unknown.items():
        known = ", ".join(loaded.available) or "none"
        document.add_mistake(
            "plugins",
            key,
            f"names {', '.join(names)}, which is not installed",
            f"Installed: {known}",
        )
    return loaded


def _unreadable(folder: Path) -> str:
    """Why a folder's plugins would silently be missing, or nothing."""
    try:
        next(folder.iterdir(), None)
    except (OSError, ValueError) as error:
        return f"which cannot be read: {reason(error)}"
    return ""


def _plugin_settings(
    document: Document, models: Mapping[str, type[Settings]]
) -> dict[str, Settings | None]:
    sections = {f"{PLUGIN}{name}": model for name, model in models.items()}
    document.add_sections_from_environment(sections)
    return {section: document.validate(section, model) for section, model in sections.items()}


def _check_names(document: Document, known: Iterable[str], loaded: Loaded | None) -> None:
    """Sections and variables that nobody knows.

    Those of plugins that are disabled, that failed or that are optional and not installed are
    passed over: nobody can judge them.
    Without a valid [plugins] that is every plugin.
    """
    if loaded is None:
        unjudged = {PLUGIN, *document.sections(PLUGIN)}
    else:
        failed = [error.plugin for error in (*loaded.errors, *loaded.skipped)]
        without = {*loaded.available, *loaded.absent, *failed} - set(loaded.models)
        unjudged = {f"{PLUGIN}{name}" for name in without}
    document.add_unknown_sections(dict.fromkeys((*known, *sorted(unjudged - {PLUGIN}))))
    document.add_unknown_variables(unjudged)


def _check_deadlines(document: Document, settings: Settings | None) -> None:
    if not isinstance(settings, HooksSettings):
        return
    for name in settings.deadlines:
        if name not in HOOKS:
            document.add_mistake(
                "hooks",
                "deadlines",
                f"names {name}, which is no hook",
                f"Hooks: {', '.join(HOOKS)}",
            )


def _check_mounts(document: Document, everything: Mapping[str, Settings | None]) -> None:
    """Two dialects at one path would shadow each other."""
    owners: dict[str, str] = {}
    for section, one in everything.items():
        mount = getattr(one, "mount", None) if section.startswith(DIALECT) else None
        if mount is None:
            continue
        first = owners.setdefault(mount, section)
        if first != section:
            document.add_mistake(
                section, "mount", f"is {mount}, as in [{first}]", "Give each dialect its own path"
            )
        if mount in RESERVED:
            document.add_mistake(section, "mount", f"is {mount}, which is the server's own")


RESERVED = ("/healthz", "/readyz")


def _assemble(
    everything: Mapping[str, Settings | None],
    packages: Mapping[str, ModuleType],
    loaded: Loaded,
) -> Built:
    def under(prefix: str) -> dict[str, Settings]:
        return {
            section.removeprefix(prefix): one
            for section, one in everything.items()
            if section.startswith(prefix) and one is not None
        }

    spoken = under(DIALECT)
    own = under(PLUGIN)
    registry = loaded.registry(own)
    claims = registry.claims()
    built = tuple(
        packages[f"{DIALECT}{name}"].build(settings, claims) for name, settings in spoken.items()
    )
    core: dict[str, Any] = {name: everything[name] for name in SECTIONS}
    configuration = Configuration(**core, dialects=spoken, plugin_settings=own)
    return Built(configuration, loaded, registry, built, tuple(loaded.skipped))
