"""From a conf file to everything a server is made of, with every mistake reported at once."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tornado_cc import dialects, hooks
from tornado_cc.core.ports import Dialect, Surroundings
from tornado_cc.hooks import Loaded, LoadError, Registry
from tornado_cc.hooks.specs import HOOKS
from tornado_cc.settings import (
    SECTIONS,
    Configuration,
    Document,
    HooksSettings,
    PluginsSettings,
    ServerSettings,
    Settings,
    secrets_in,
)
from tornado_cc.settings.mistakes import reason

_log = logging.getLogger("tornado_cc.server")

DIALECT = "dialect:"
PLUGIN = "plugin:"


class PluginsFailed(Exception):
    """Enabled plugins could not be loaded."""

    def __init__(self, errors: list[LoadError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in errors))


class PathsTaken(Exception):
    """Endpoints that no request could reach, because their paths belong to somebody else."""


@dataclass(frozen=True, slots=True)
class Built:
    """A validated configuration, its plugins and its dialects: ready to serve."""

    configuration: Configuration
    loaded: Loaded
    registry: Registry
    dialects: tuple[Dialect, ...]
    skipped: tuple[LoadError, ...]

    def warnings(self) -> list[str]:
        """What is valid and still probably not meant."""
        skipped = [f"skipped, since it is optional: {error}" for error in self.skipped]
        skipped += self.loaded.warnings
        skipped += _about_store(self.configuration)
        if not self.dialects:
            return [*skipped, "no dialect is on; add a section such as [dialect:parse]"]
        fired = {"on_start", "on_stop"}.union(*(dialect.hooks for dialect in self.dialects))
        idle = {(one.plugin, one.hook) for one in self.registry.everything()}
        return [
            *skipped,
            *(
                f"plugin {plugin}: no dialect that is on fires {hook}"
                for plugin, hook in sorted(idle)
                if hook not in fired
            ),
            *(f"dialect {one.name}: {text}" for one in self.dialects for text in one.warnings),
        ]

    def secrets(self) -> set[str]:
        """Every secret of the settings, for the redactor."""
        configuration = self.configuration
        sections = (
            configuration.store,
            *configuration.dialects.values(),
            *configuration.further.values(),
            *configuration.plugin_settings.values(),
        )
        return {secret.reveal() for secret in secrets_in(sections) if secret}


def _about_store(configuration: Configuration) -> list[str]:
    """In production a service manager chooses the folder in which a relative path starts."""
    path = configuration.store.url.path
    if configuration.server.mode != "production" or path is None or path.is_absolute():
        return []
    return [
        f"[store] url is a relative path, so another working folder is another, empty store;"
        f" write sqlite:///{path.absolute()}"
    ]


def build(path: Path, environ: Mapping[str, str]) -> Built:
    """Read the conf, load the plugins and build the dialects. Binds nothing.

    Raises:
        Mistakes: the settings are wrong.
        PluginsFailed: an enabled plugin cannot be loaded.
        PathsTaken: a plugin's endpoint lies where another dialect answers.
    """
    document = Document.read(path, environ)
    if not document.values:
        # Of a file that says nothing, every other mistake would only be an echo.
        document.raise_mistakes()
    packages = {f"{DIALECT}{name}": _package(name) for name in dialects.available()}
    document.add_sections_from_environment([*SECTIONS, *packages])
    core = {name: document.validate(name, model) for name, model in SECTIONS.items()}
    models = {**SECTIONS, **_dialect_models(document, packages)}
    spoken = {
        name: document.validate(name, model)
        for name, model in models.items()
        if name not in SECTIONS
    }
    plugins = core["plugins"]
    loaded = _load(document, plugins) if isinstance(plugins, PluginsSettings) else None
    own = _plugin_settings(document, loaded.models if loaded else {})
    everything = {**core, **spoken, **own}
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


def _dialect_models(
    document: Document, packages: Mapping[str, ModuleType]
) -> dict[str, type[Settings]]:
    """The sections of the dialects that are on, with the further ones each of them asks for."""
    models: dict[str, type[Settings]] = {}
    for section in document.sections(DIALECT):
        if section not in packages:
            continue
        models[section] = packages[section].DialectSettings
        for prefix, model in _further(packages[section]).items():
            named = document.sections(f"{prefix}:")
            models.update(dict.fromkeys(named, model))
            for one in named:
                if not re.fullmatch(r"[^\s/]+", one.removeprefix(f"{prefix}:")):
                    problem = "needs a name without white space and slashes"
                    document.add_mistake(one, "", problem, f"As in [{prefix}:shop]")
    return models


def _further(package: ModuleType) -> Mapping[str, type[Settings]]:
    """The prefixes of further sections that belong to a dialect, such as `credential`."""
    return getattr(package, "SECTIONS", {})


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
    known = dict.fromkeys(
        (*known, *_of_dialects_that_are_off(document), *sorted(unjudged - {PLUGIN}))
    )
    document.add_unknown_sections(known)
    document.add_unknown_variables(unjudged)


def _of_dialects_that_are_off(document: Document) -> list[str]:
    """Sections such as `credential:NAME` whose dialect is not on: each is a mistake."""
    found = []
    for name in dialects.available():
        if f"{DIALECT}{name}" in document.values:
            continue
        for prefix in _further(_package(name)):
            for section in document.sections(f"{prefix}:"):
                problem = f"belongs to the dialect {name}, which is not on"
                document.add_mistake(section, "", problem, f"Add a section [{DIALECT}{name}]")
                found.append(section)
    return found


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
    server = everything["server"]
    production = isinstance(server, ServerSettings) and server.mode == "production"
    built = []
    for name, settings in spoken.items():
        package = packages[f"{DIALECT}{name}"]
        surroundings = Surroundings(
            claims=registry.claims(),
            production=production,
            alone=len(spoken) == 1,
            sections={prefix: under(f"{prefix}:") for prefix in _further(package)},
        )
        built.append(package.build(settings, surroundings))
    _check_paths(built)
    core: dict[str, Any] = {name: everything[name] for name in SECTIONS}
    named = (
        *SECTIONS,
        *(f"{DIALECT}{name}" for name in spoken),
        *(f"{PLUGIN}{name}" for name in own),
    )
    further = {name: one for name, one in everything.items() if one and name not in named}
    configuration = Configuration(**core, dialects=spoken, further=further, plugin_settings=own)
    return Built(configuration, loaded, registry, tuple(built), tuple(loaded.skipped))


def _check_paths(built: Sequence[Dialect]) -> None:
    """A path that a plugin chose inside another dialect's mount would never be asked.

    Raises:
        PathsTaken: it names each such path.
    """
    owners = {dialect.mount: dialect.name for dialect in built if dialect.mount != "/"}
    owners.update(dict.fromkeys(RESERVED, "the server"))
    taken = [
        f"the {dialect.name} endpoint {path} lies below {mount}, which belongs to {owner}"
        for dialect in built
        for path in dialect.paths
        for mount, owner in owners.items()
        if mount != dialect.mount and (path == mount or path.startswith(f"{mount}/"))
    ]
    if taken:
        raise PathsTaken("\n".join(taken))
