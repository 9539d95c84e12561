"""Finding and loading plugins; everything that could not work is refused at the start."""

import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tornado_cc.hooks import Loaded, load
from tornado_cc.settings import PluginsSettings

GOOD = 'from tornado_cc import Plugin\nplugin = Plugin("{name}")\n'
HELLO = '@plugin.cloud_function("{function}")\nasync def hello(call): ...\n'


@pytest.fixture(autouse=True)
def same_modules() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load_files(folder: Path, files: Mapping[str, str], **settings: tuple[str, ...]) -> Loaded:
    for name, source in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(source))
    chosen = {"enable": tuple(files), **settings}
    return load(PluginsSettings(dir=folder, **chosen))


def owning(name: str, function: str) -> str:
    return GOOD.format(name=name) + HELLO.format(function=function)


def causes(loaded: Loaded) -> list[str]:
    return [str(error) for error in loaded.errors]


def claims(loaded: Loaded, hook: str = "cloud_function") -> list[tuple[str, ...]]:
    return list(loaded.registry({}).claims().of(hook))


def test_an_installed_plugin_is_found_by_its_entry_point() -> None:
    loaded = load(PluginsSettings(enable=("hello",)))
    assert loaded.errors == []
    assert claims(loaded) == [("helloWorld",)]
    (one,) = loaded.registry({}).all("cloud_function")
    assert (one.plugin, one.distribution) == ("hello", "tornado_cc_hello")


def test_a_one_file_plugin_is_named_after_its_file(tmp_path: Path) -> None:
    loaded = load_files(tmp_path, {"mine": owning("mine", "f")})
    assert loaded.errors == []
    assert claims(loaded) == [("f",)]


def test_plain_hookimpls_and_plugin_objects_of_one_module_are_both_registered(
    tmp_path: Path,
) -> None:
    source = owning("mine", "f") + (
        "from tornado_cc import hookimpl\n@hookimpl\nasync def cloud_function(call): ...\n"
    )
    loaded = load_files(tmp_path, {"mine": source})
    assert loaded.errors == []
    assert [one.claim for one in loaded.registry({}).all("cloud_function")] == [None, ("f",)]


def test_several_functions_for_one_hook_keep_their_order(tmp_path: Path) -> None:
    source = GOOD.format(name="mine") + (
        '@plugin.before_save("A")\nasync def z(call): ...\n'
        '@plugin.before_save("A")\nasync def a(call): ...\n'
    )
    loaded = load_files(tmp_path, {"mine": source})
    asked = loaded.registry({}).who("before_save", ("A",))
    assert [one.function.__name__ for one in asked] == ["z", "a"]


def test_a_callable_object_may_be_declared(tmp_path: Path) -> None:
    source = GOOD.format(name="mine") + (
        'class Hook:\n    async def __call__(self, call): ...\nplugin.cloud_function("f")(Hook())\n'
    )
    assert claims(load_files(tmp_path, {"mine": source})) == [("f",)]


def test_two_owners_of_one_function_are_an_error_that_names_both(tmp_path: Path) -> None:
    loaded = load_files(tmp_path, {"one": owning("one", "f"), "two": owning("two", "f")})
    (cause,) = causes(loaded)
    assert "plugin two (file two.py" in cause
    assert "plugin one (file one.py) claims too" in cause


def test_a_broken_plugin_is_named_with_its_cause_and_the_others_are_tried(tmp_path: Path) -> None:
    loaded = load_files(
        tmp_path,
        {"broken": "import nowhere_to_be_found", "fine": owning("fine", "f"), "odd": "1 +"},
    )
    first, second = causes(loaded)
    assert first.startswith("plugin broken (file broken.py) cannot be loaded")
    assert "No module named 'nowhere_to_be_found'" in first
    assert "SyntaxError" in second
    assert claims(loaded) == [("f",)]


def test_a_plugin_that_ends_the_process_while_loading_does_not(tmp_path: Path) -> None:
    (cause,) = causes(load_files(tmp_path, {"exits": "import sys; sys.exit(3)"}))
    assert cause.endswith("SystemExit: 3")


def test_an_optional_plugin_may_fail(tmp_path: Path) -> None:
    loaded = load_files(tmp_path, {"broken": "import nowhere"}, optional=("broken",))
    assert loaded.errors == []
    assert [error.plugin for error in loaded.skipped] == ["broken"]


def test_nothing_of_a_plugin_that_failed_stays_registered(tmp_path: Path) -> None:
    source = (
        owning("mine", "f") + "from tornado_cc import hookimpl\n@hookimpl\ndef on_what(call): ...\n"
    )
    loaded = load_files(tmp_path, {"mine": source}, optional=("mine",))
    assert [error.plugin for error in loaded.skipped] == ["mine"]
    assert claims(loaded) == []


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        (GOOD, "it registers no hook"),
        ("", "it registers no hook"),
        ('from tornado_cc import Plugin\nplugin = Plugin("other")\n', "use the one word mine"),
        (
            "import pluggy\n@pluggy.HookimplMarker('tornado_cc')(wrapper=True)\n"
            "def cloud_function(call):\n    yield\n",
            "is a wrapper",
        ),
        (
            "import pluggy\n@pluggy.HookimplMarker('tornado_cc')(hookwrapper=True)\n"
            "def cloud_function(call):\n    yield\n",
            "is a wrapper",
        ),
        (GOOD + '@plugin.cloud_function("f")\nasync def f(call):\n    yield\n', "is a generator"),
        (GOOD + '@plugin.cloud_function("f")\ndef f(call):\n    yield\n', "is a generator"),
        (GOOD + '@plugin.cloud_function("f")\nasync def f(): ...\n', "has to take one argument"),
        (GOOD + "@plugin.before_save\nasync def f(call): ...\n", "needs a name"),
        (GOOD + '@plugin.cloud_function("*")\nasync def f(call): ...\n', "by its name"),
        (
            "from tornado_cc import hookimpl\n@hookimpl\nasync def on_what(call): ...\n",
            "unknown hook 'on_what'",
        ),
        (
            "from tornado_cc import hookimpl\n@hookimpl\nasync def before_save(thing): ...\n",
            "thing",
        ),
        ('from tornado_cc import Plugin\nPlugin("two words")\n', "one word"),
    ],
)
def test_what_could_not_work_is_refused_with_its_reason(
    tmp_path: Path, source: str, cause: str
) -> None:
    (error,) = causes(load_files(tmp_path, {"mine": source.replace("{name}", "mine")}))
    assert cause in error


def test_a_name_that_is_not_installed_is_reported_by_key(tmp_path: Path) -> None:
    loaded = load(PluginsSettings(enable=("hello", "nowhere"), disable=("neither",)))
    assert loaded.unknown == {"enable": ["nowhere"], "disable": ["neither"]}


def test_a_disabled_plugin_is_not_even_imported(tmp_path: Path) -> None:
    loaded = load_files(tmp_path, {"broken": "raise RuntimeError"}, disable=("broken",))
    assert loaded.errors == []


def test_a_file_with_the_name_of_an_installed_plugin_is_an_error(tmp_path: Path) -> None:
    loaded = load_files(tmp_path, {"hello": owning("hello", "f")})
    assert any("has a plugin of that name too" in cause for cause in causes(loaded))


ODD = "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd"


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import asyncio\nraise asyncio.CancelledError", "CancelledError"),
        ("class Boom(BaseException): ...\nraise Boom('x')", "Boom: x"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        (ODD, "Odd: (no words)"),
        (owning("mine", "f").replace('"mine"', '"mine", settings=dict'), "no subclass of"),
        (
            "from tornado_cc import hookimpl\n@hookimpl\ndef cloud_function(): ...\n",
            "has to take one argument",
        ),
        (
            GOOD.format(name="mine")
            + '@plugin.before_save("A", on_timeout="Allow")\nasync def f(call): ...\n',
            'on_timeout is "refuse" or "allow"',
        ),
    ],
)
def test_whatever_a_plugin_raises_while_loading_is_its_own_failure(
    tmp_path: Path, source: str, cause: str
) -> None:
    loaded = load_files(tmp_path, {"mine": source}, optional=("mine",))
    assert loaded.errors == []
    (error,) = loaded.skipped
    assert cause in str(error)


def test_plain_hookimpls_and_two_plugin_objects_keep_the_order_of_the_file(tmp_path: Path) -> None:
    source = (
        "from tornado_cc import Plugin, hookimpl\n"
        'p1 = Plugin("mine")\np2 = Plugin("mine")\n'
        '@hookimpl(specname="before_save")\nasync def zebra(call): ...\n'
        '@hookimpl(specname="before_save")\nasync def alpha(call): ...\n'
        '@p2.before_save("*")\nasync def mike(call): ...\n'
        '@p1.before_save("*")\nasync def bravo(call): ...\n'
    )
    asked = load_files(tmp_path, {"mine": source}).registry({}).who("before_save", ("A",))
    assert [one.function.__name__ for one in asked] == ["zebra", "alpha", "mike", "bravo"]


def test_a_file_that_an_editor_hides_is_no_plugin(tmp_path: Path) -> None:
    (tmp_path / ".#mine.py").write_text("1 +")
    assert load_files(tmp_path, {"mine": owning("mine", "f")}, enable=()).errors == []
