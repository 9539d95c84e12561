"""Finding plugins, loading them, and refusing those that could not work."""

import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from tornado_cc.hooks import specs
from tornado_cc.hooks.declare import Declaration, Plugin, hookimpl
from tornado_cc.hooks.kinds import is_async, is_inline
from tornado_cc.hooks.registry import Implementation, Registry
from tornado_cc.settings import PluginSection, PluginsSettings, Settings

GROUP = "tornado_cc.plugins"

_log = logging.getLogger("tornado_cc.hooks")


@dataclass(frozen=True, slots=True)
class LoadError:
    """Why a plugin could not be loaded."""

    plugin: str
    distribution: str
    entry_point: str
    cause: str

    def __str__(self) -> str:
        return f"plugin {self.plugin} ({self.source}) cannot be loaded: {self.cause}"

    @property
    def source(self) -> str:
        """Where it comes from: a distribution and its entry point, or a file."""
        if not self.entry_point:
            return self.distribution
        return f"{self.distribution}, entry point {self.entry_point}"


@dataclass(frozen=True, slots=True)
class Source:
    """A plugin that could be loaded: an installed entry point or a file."""

    name: str
    distribution: str
    target: str
    load: Callable[[], object] = field(repr=False)
    version: str = ""


@dataclass(slots=True)
class Loaded:
    """The plugins as loaded, before their settings are known."""

    modules: dict[str, object] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    models: dict[str, type[Settings]] = field(default_factory=dict)
    errors: list[LoadError] = field(default_factory=list)
    skipped: list[LoadError] = field(default_factory=list)
    available: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)
    unknown: dict[str, list[str]] = field(default_factory=dict)
    manager: pluggy.PluginManager = field(default_factory=lambda: _manager())

    def registry(self, settings: Mapping[str, Settings]) -> Registry:
        """Everything that was loaded, each function with its plugin's settings."""
        return Registry(self._implementations(settings))

    def _implementations(self, settings: Mapping[str, Settings]) -> Iterable[Implementation]:
        for name in self.modules:
            for owner, hook, function, options in _registered(self.manager, name):
                declaration = owner.declaration if isinstance(owner, _Declared) else None
                yield _implementation(
                    self.sources[name], hook, function, options, declaration, settings.get(name)
                )


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    return manager


def load(settings: PluginsSettings) -> Loaded:
    """Load every enabled plugin, one try each; what failed is in `errors`.

    Names in the settings that belong to no plugin are in `unknown`, by key.
    """
    loaded = Loaded()
    sources = _find(settings, loaded.errors)
    loaded.available = tuple(source.name for source in sources)
    # An optional plugin may well not be installed: that is what the word is for.
    loaded.absent = tuple(name for name in settings.optional if name not in loaded.available)
    for key in ("enable", "disable"):
        allowed = (*loaded.available, *settings.optional)
        missing = [name for name in getattr(settings, key) if name not in allowed]
        if missing:
            loaded.unknown[key] = missing
    for source in sources:
        if source.name in settings.disable:
            continue
        if settings.enable and source.name not in settings.enable:
            continue
        error = _load_one(source, loaded)
        if error is None:
            continue
        optional = source.name in settings.optional
        (loaded.skipped if optional else loaded.errors).append(error)
    loaded.errors.extend(_double_claims(loaded))
    return loaded


def _find(settings: PluginsSettings, errors: list[LoadError]) -> list[Source]:
    """Every plugin there is, by name; a name that two of them have is an error."""
    found: dict[str, Source] = {}
    for source in sorted(
        [*map(_from_entry_point, entry_points(group=GROUP)), *_from_folder(settings.dir)],
        key=lambda source: (source.name, source.distribution),
    ):
        first = found.setdefault(source.name, source)
        if first is not source and (first.distribution, first.target) != (
            source.distribution,
            source.target,
        ):
            errors.append(_error(source, f"{first.distribution} has a plugin of that name too"))
    return list(found.values())


def _from_entry_point(point: EntryPoint) -> Source:
    distribution = point.dist.name if point.dist else "unknown distribution"
    version = point.dist.version if point.dist else ""
    return Source(point.name, distribution, point.value, point.load, version)


def _from_folder(folder: Path | None) -> list[Source]:
    if folder is None or not folder.is_dir():
        return []
    return [
        Source(path.stem, f"file {path.name}", "", lambda path=path: _import_file(path))  # type: ignore[misc]
        for path in sorted(folder.glob("*.py"))
        if not path.name.startswith(("_", "."))
    ]


def _import_file(path: Path) -> ModuleType:
    name = f"tornado_cc_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _load_one(source: Source, loaded: Loaded) -> LoadError | None:
    try:
        module = source.load()
        plugins = _plugins_of(module, loaded)
        _register(source, module, plugins, loaded)
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
        _forget(source, loaded)
        _log.debug("plugin failed to load", exc_info=True, extra={"plugin": source.name})
        return _error(source, f"{type(error).__name__}: {_words(error)}")
    loaded.modules[source.name] = module
    loaded.sources[source.name] = source
    return None


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a plugin's exception may have no words for itself
        return "(no words)"


def _plugins_of(module: object, loaded: Loaded) -> list[Plugin]:
    """The `Plugin` objects of a module, without those that another plugin brought already."""
    registered = loaded.manager.get_plugins()
    known = {id(one.plugin) for one in registered if isinstance(one, _Declared)}
    unique = {id(value): value for value in vars(module).values() if isinstance(value, Plugin)}
    return [plugin for key, plugin in unique.items() if key not in known]


def _register(source: Source, module: object, plugins: list[Plugin], loaded: Loaded) -> None:
    manager = loaded.manager
    manager.register(module, name=source.name)
    models = set()
    for plugin in plugins:
        if plugin.name != source.name:
            raise ValueError(
                f'Plugin("{plugin.name}") has another name than its entry point or file:'
                f" use the one word {source.name}"
            )
        if not (isinstance(plugin.settings, type) and issubclass(plugin.settings, Settings)):
            raise TypeError("its settings are no subclass of tornado_cc.Settings")
        for key in PluginSection.model_fields.keys() & plugin.settings.model_fields.keys():
            raise ValueError(f"its settings have {key}, a key that every plugin's section has")
        models.add(plugin.settings)
        loaded.warnings += [f"plugin {plugin.name} {warning}" for warning in plugin.warnings]
    declared = [_Declared(plugin, one) for plugin in plugins for one in plugin.declarations]
    for one in sorted(declared, key=lambda one: one.declaration.number):
        manager.register(one, name=f"{source.name}#{one.declaration.number}")
    _check_names(manager, module)
    registered = list(_registered(manager, source.name))
    if not registered:
        raise ValueError("it registers no hook; decorate a function with @plugin... or @hookimpl")
    for owner, hook, function, options in registered:
        _check_signature(function)
        _check_kind(hook, function, options)
        if hook in specs.DECLARED and not isinstance(owner, _Declared):
            raise ValueError(f"a plain {hook} is never asked; use {specs.DECLARED[hook]}")
    models.discard(Settings)
    if len(models) > 1:
        raise ValueError("its Plugin objects name different settings models; a plugin has one")
    loaded.models[source.name] = models.pop() if models else Settings


def _check_names(manager: pluggy.PluginManager, module: object) -> None:
    for caller in manager.get_hookcallers(module) or ():
        if not caller.has_spec():
            known = ", ".join(specs.HOOKS)
            raise ValueError(f"unknown hook {caller.name!r}; there are {known}")


class _Declared:
    """A declaration in the form pluggy registers.

    pluggy would silently drop a callable that is no plain function, so it is given a plain
    function, which nobody calls: `fire` calls the declared one.
    """

    def __init__(self, plugin: Plugin, declaration: Declaration) -> None:
        self.plugin = plugin
        self.declaration = declaration
        marker = hookimpl(
            specname=declaration.hook, tryfirst=declaration.tryfirst, trylast=declaration.trylast
        )

        def implementation() -> None: ...

        self.implementation = marker(implementation)


def _registered(
    manager: pluggy.PluginManager, name: str
) -> Iterable[tuple[object, str, Callable[..., Any], pluggy.HookImpl]]:
    """What one plugin registered: (object, hook, function, options), in declaration order."""
    for plugin_name, owner in manager.list_name_plugin():
        if plugin_name != name and not plugin_name.startswith(f"{name}#"):
            continue
        found = [
            (caller, one)
            for caller in manager.get_hookcallers(owner) or ()
            for one in caller.get_hookimpls()
            if one.plugin is owner
        ]
        for caller, one in sorted(found, key=lambda pair: _line(pair[1].function)):
            declared = owner.declaration if isinstance(owner, _Declared) else None
            yield owner, caller.name, declared.function if declared else one.function, one


def _line(function: Callable[..., Any]) -> int:
    """Where a function stands in its file: pluggy keeps them in the order of their names."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_firstlineno if code else 0


def _check_signature(function: Callable[..., Any]) -> None:
    try:
        inspect.signature(function).bind("call")
    except TypeError as error:
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(f"{name} has to take one argument, the call: {error}") from None


def _check_kind(hook: str, function: Callable[..., Any], options: pluggy.HookImpl) -> None:
    name = getattr(function, "__qualname__", repr(function))
    if options.wrapper or options.hookwrapper:
        raise TypeError(f"{name} is a wrapper; {hook} has none, because hooks are awaited")
    plain = inspect.unwrap(function)
    if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        raise TypeError(f"{name} is a generator; a hook is a plain or an async function")


def _forget(source: Source, loaded: Loaded) -> None:
    """Take back what a plugin registered before it failed: half a plugin is worse than none."""
    for name, owner in loaded.manager.list_name_plugin():
        if name == source.name or name.startswith(f"{source.name}#"):
            loaded.manager.unregister(owner, name)


def _double_claims(loaded: Loaded) -> list[LoadError]:
    """A name with two owners: whichever answered, the other's author would look for the bug."""
    owners: dict[tuple[str, tuple[str, ...]], Implementation] = {}
    errors = []
    for one in loaded._implementations({}):
        if one.hook not in specs.EXCLUSIVE or one.claim is None:
            continue
        first = owners.setdefault((one.hook, one.claim), one)
        if first is not one:
            cause = (
                f"{one.place} claims {one.hook} {'.'.join(one.claim)}, which {first.place}"
                f" of plugin {first.plugin} ({first.distribution}) claims too"
            )
            errors.append(_error(loaded.sources[one.plugin], cause))
    return errors


def _error(source: Source, cause: str) -> LoadError:
    return LoadError(source.name, source.distribution, source.target, cause)


def _implementation(
    source: Source,
    hook: str,
    function: Callable[..., Any],
    options: pluggy.HookImpl,
    declaration: Declaration | None,
    settings: Settings | None,
) -> Implementation:
    return Implementation(
        hook=hook,
        claim=declaration.claim if declaration else None,
        function=function,
        plugin=source.name,
        distribution=source.distribution,
        is_async=is_async(function),
        inline=is_inline(function),
        settings=settings or Settings(),
        log=logging.getLogger(f"tornado_cc.plugin.{source.name}"),
        on_timeout=declaration.on_timeout if declaration else "refuse",
        tryfirst=options.tryfirst,
        trylast=options.trylast,
        options=declaration.options if declaration else {},
        version=source.version,
    )
