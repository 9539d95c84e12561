"""From a conf file to everything a server is made of, with every mistake reported at once."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tornado_cc import dialects, flows, hooks
from tornado_cc.core.ports import Dialect, Surroundings
from tornado_cc.hooks import Loaded, LoadError, Registry
from tornado_cc.server import advice, checks
from tornado_cc.settings import (
    DIALECT,
    NAMED,
    PLUGIN,
    SECTIONS,
    WEBHOOK,
    Configuration,
    Document,
    PluginSection,
    PluginsSettings,
    ServerSettings,
    Settings,
    secrets_in,
)
from tornado_cc.settings.mistakes import reason

_log = logging.getLogger("tornado_cc.server")


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
        skipped += advice.about(self.configuration)
        if not self.dialects:
            return [*skipped, "no dialect is on; add a section such as [dialect:parse]"]
        spoken = (dialect.hooks for dialect in self.dialects)
        fired = {"on_start", "job", "on_schedule", "send_mail", "on_stop"}.union(*spoken)
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
            configuration.mail,
            *configuration.parse_server.hidden,
            *configuration.webhooks.values(),
            *configuration.dialects.values(),
            *configuration.further.values(),
            *configuration.plugin_settings.values(),
        )
        return {secret.reveal() for secret in secrets_in(sections) if secret}


def build(path: Path, environ: Mapping[str, str]) -> Built:
    """Read the conf, load the plugins and build the dialects. Binds nothing.

    Raises:
        Mistakes: the settings are wrong.
        PluginsFailed: an enabled plugin cannot be loaded.
        PathsTaken: a plugin's endpoint lies where another dialect answers.
        BadSchedules: a plugin's schedule is never due.
    """
    document = Document.read(path, environ)
    if not document.values:
        # Of a file that says nothing, every other mistake would only be an echo.
        document.raise_mistakes()
    packages = {f"{DIALECT}{name}": _package(name) for name in dialects.available()}
    document.add_sections_from_environment([*SECTIONS, *packages])
    _turn_on_implied(document, packages)
    core = {name: document.validate(name, model) for name, model in SECTIONS.items()}
    named = _named_models(document, NAMED)
    models = {**SECTIONS, **named, **_dialect_models(document, packages)}
    spoken = {
        name: document.validate(name, model)
        for name, model in models.items()
        if name not in SECTIONS
    }
    plugins = core["plugins"]
    loaded = _load(document, plugins) if isinstance(plugins, PluginsSettings) else None
    sections, own = _plugin_settings(document, loaded.models if loaded else {})
    everything = {**core, **spoken, **own}
    if loaded:
        models.update({f"{PLUGIN}{name}": model for name, model in loaded.models.items()})
    _check_names(document, [*everything, *packages], loaded)
    checks.check(document, everything)
    if loaded and not loaded.errors:
        checks.check_mail_plugin(document, everything["mail"], loaded.registry({}))
    if document.text("server", "mode") == "production":
        for section, model in models.items():
            document.refuse_example_secrets(section, model)
    document.raise_mistakes()
    assert loaded is not None
    if loaded.errors:
        raise PluginsFailed(loaded.errors)
    return _assemble(everything, sections, packages, loaded)


def _turn_on_implied(document: Document, packages: Mapping[str, ModuleType]) -> None:
    """Add the section of each dialect that a further section of its own is enough to turn on."""
    for section, package in packages.items():
        prefixes = _further(package) if getattr(package, "IMPLIED", False) else ()
        if any(document.sections(f"{prefix}:") for prefix in prefixes):
            document.values.setdefault(section, {})


def _dialect_models(
    document: Document, packages: Mapping[str, ModuleType]
) -> dict[str, type[Settings]]:
    """The sections of the dialects that are on, with the further ones each of them asks for."""
    models: dict[str, type[Settings]] = {}
    for section in document.sections(DIALECT):
        if section not in packages:
            continue
        models[section] = packages[section].DialectSettings
        models.update(_named_models(document, _further(packages[section])))
    return models


def _named_models(
    document: Document, prefixes: Mapping[str, type[Settings]]
) -> dict[str, type[Settings]]:
    """The sections that have a name after one of these prefixes, such as `credential:shop`."""
    models: dict[str, type[Settings]] = {}
    for prefix, model in prefixes.items():
        for section in document.sections(f"{prefix}:"):
            models[section] = model
            if not re.fullmatch(r"[^\s/]+", section.removeprefix(f"{prefix}:")):
                problem = "needs a name without white space and slashes"
                document.add_mistake(section, "", problem, f"As in [{prefix}:shop]")
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
) -> tuple[dict[str, PluginSection | None], dict[str, Settings | None]]:
    """What the server and what the plugin itself reads in the section of each."""
    sections = {f"{PLUGIN}{name}": model for name, model in models.items()}
    document.add_sections_from_environment(sections)
    # Taken first: what is left of a section is the plugin's own.
    common = {
        section.removeprefix(PLUGIN): document.take(section, PluginSection) for section in sections
    }
    own = {section: document.validate(section, model) for section, model in sections.items()}
    return common, own


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


def _assemble(
    everything: Mapping[str, Settings | None],
    sections: Mapping[str, PluginSection | None],
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
    webhooks: Any = under(WEBHOOK)
    registry = loaded.registry(own)
    flows.schedules_of(registry)
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
        *(f"{WEBHOOK}{name}" for name in webhooks),
        *(f"{DIALECT}{name}" for name in spoken),
        *(f"{PLUGIN}{name}" for name in own),
    )
    further = {name: one for name, one in everything.items() if one and name not in named}
    configuration = Configuration(
        **core,
        webhooks=webhooks,
        dialects=spoken,
        further=further,
        plugin_settings=own,
        plugin_sections={name: one for name, one in sections.items() if one is not None},
    )
    return Built(configuration, loaded, registry, tuple(built), tuple(loaded.skipped))


def _check_paths(built: Sequence[Dialect]) -> None:
    """A path that a plugin chose inside another dialect's mount would never be asked.

    Raises:
        PathsTaken: it names each such path.
    """
    owners = {dialect.mount: dialect.name for dialect in built if dialect.mount != "/"}
    owners.update(dict.fromkeys(checks.RESERVED, "the server"))
    taken = [
        f"the {dialect.name} endpoint {path} lies below {mount}, which belongs to {owner}"
        for dialect in built
        for path in dialect.paths
        for mount, owner in owners.items()
        if mount != dialect.mount and (path == mount or path.startswith(f"{mount}/"))
    ]
    if taken:
        raise PathsTaken("\n".join(taken))
