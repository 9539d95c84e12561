"""How a start ends that does not become a server."""

from pathlib import Path

import pytest

from tests.cli.running import occupied_port, run, write_conf

HELLO = """
from pathlib import Path
from tornado_cc import Plugin, hookimpl

plugin = Plugin("greeter")

@plugin.cloud_function("hello")
def hello(call): return "Hello"

@plugin.on_start
def began(app): Path(__file__).with_name("began").touch()

@hookimpl
def before_save(call): ...
"""
PARSE = "[server]\n[dialect:parse]\nwebhook_key = Zx8-q41\n"


def install(folder: Path, name: str, source: str) -> dict[str, str]:
    """A distribution as pip leaves it behind; returns the environment that has it."""
    info = folder / f"acme_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[tornado_cc.plugins]\n{name} = acme_{name}\n")
    (folder / f"acme_{name}.py").write_text(source)
    return {"PYTHONPATH": str(folder)}


def test_mistakes_are_all_reported_and_nothing_is_bound(tmp_path: Path) -> None:
    with occupied_port() as port:
        text = f"[server]\nbind = 127.0.0.1:{port}\nmoed = x\n[hooks]\nthreads = 0\n[dialect:x]\n"
        ended = run(
            "--conf",
            write_conf(tmp_path, text, {"greeter": HELLO}),
            environ={"TORNADO_CC__NOSUCH__KEY": "1"},
        )
    assert (ended.code, ended.stdout) == (78, "")
    first, *mistakes = ended.stderr.splitlines()
    assert first == "tornado_cc: 4 mistakes in the settings:"
    wrong = ["[server] moed", "[hooks] threads", "[dialect:x]", "TORNADO_CC__NOSUCH__KEY"]
    assert all(words in mistake for words, mistake in zip(wrong, mistakes, strict=True))
    assert "listen" not in ended.stderr
    assert not (tmp_path / "plugins.d" / "began").exists()


def test_one_mistake_is_called_one(tmp_path: Path) -> None:
    ended = run("--conf", write_conf(tmp_path, "[hooks]\nthreads = 0\n"))
    assert ended.code == 78
    assert ended.stderr.startswith("tornado_cc: 1 mistake in the settings:\n")


def test_a_conf_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    ended = run("--conf", tmp_path / "nosuch.ini")
    assert ended.code == 78
    assert f"{tmp_path / 'nosuch.ini'}: cannot be read: No such file or directory" in ended.stderr


def test_without_a_conf_the_command_says_how_it_is_used() -> None:
    ended = run()
    assert ended.code == 2
    assert "--conf" in ended.stderr


def test_an_example_secret_does_not_start_in_production(tmp_path: Path) -> None:
    text = "[server]\nmode = production\n[dialect:parse]\nwebhook_key = dev-webhook-key\n"
    ended = run("--conf", write_conf(tmp_path, text))
    assert ended.code == 78
    assert "dev-webhook-key" not in ended.stderr


@pytest.mark.parametrize("flags", [[], ["--check"]])
def test_a_plugin_that_cannot_be_loaded_stops_the_start(tmp_path: Path, flags: list[str]) -> None:
    environ = install(tmp_path, "broken", "import nosuch_module\n")
    text = f"{PARSE}[plugins]\nenable = broken\n"
    ended = run("--conf", write_conf(tmp_path, text), *flags, environ=environ)
    assert (ended.code, ended.stdout) == (70, "")
    assert ended.stderr.splitlines()[0] == (
        "tornado_cc: plugin broken (acme-broken, entry point acme_broken) cannot be loaded:"
        " ModuleNotFoundError: No module named 'nosuch_module'"
    )
    assert "Traceback" not in ended.stderr


def test_every_plugin_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    plugins = {"one": "1 / 0", "two": "raise SystemExit(3)", "three": "def oops(:"}
    ended = run("--conf", write_conf(tmp_path, PARSE, plugins))
    assert ended.code == 70
    for words in ("plugin one (file one.py", "ZeroDivisionError", "plugin two", "SystemExit: 3"):
        assert words in ended.stderr
    assert "plugin three" in ended.stderr
    assert "SyntaxError" in ended.stderr


def test_an_optional_plugin_that_cannot_be_loaded_is_a_warning(tmp_path: Path) -> None:
    plugins = {"greeter": HELLO, "broken": "import nosuch_module"}
    text = f"{PARSE}[plugins]\ndir = plugins.d\nenable = greeter, broken\noptional = broken\n"
    ended = run("--conf", write_conf(tmp_path, text, plugins), "--check")
    assert ended.code == 0
    assert "warning: skipped, since it is optional: plugin broken" in ended.stderr
    assert "plugin greeter: cloud_function hello" in ended.stdout


def test_check_prints_mounts_and_plugins_without_listening(tmp_path: Path) -> None:
    with occupied_port() as port:
        text = PARSE.replace("[server]", f"[server]\nbind = 127.0.0.1:{port}")
        conf = write_conf(tmp_path, text, {"greeter": HELLO})
        ended = run("--conf", conf, "--check")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        f"{conf} is valid.",
        "dialect parse at /webhooks",
        "plugin greeter: on_start (tornado_cc_file_greeter.began)",
        "plugin greeter: cloud_function hello (tornado_cc_file_greeter.hello)",
        "plugin greeter: before_save of any name nobody declared"
        " (tornado_cc_file_greeter.before_save)",
    ]
    assert not (tmp_path / "plugins.d" / "began").exists()


def test_check_tells_when_each_schedule_is_due_next(tmp_path: Path) -> None:
    source = (
        'from tornado_cc import Plugin\nplugin = Plugin("timer")\n'
        '@plugin.every("day", name="tidy up")\ndef tidy(call): ...\n'
        "@plugin.every(90)\ndef poll(call): ...\n"
        '@plugin.job("remind")\ndef remind(call): ...\n'
    )
    ended = run("--conf", write_conf(tmp_path, PARSE, {"timer": source}), "--check")
    assert (ended.code, ended.stderr) == (0, "")
    remind, tidy, poll = ended.stdout.splitlines()[2:]
    assert remind == "plugin timer: job remind (tornado_cc_file_timer.remind)"
    start, _, rest = tidy.partition(", next at ")
    assert start == "plugin timer: on_schedule tidy up every day"
    assert rest.endswith("T00:00:00.000Z (tornado_cc_file_timer.tidy)")
    assert poll.startswith("plugin timer: on_schedule poll every 90 s, next at ")


@pytest.mark.parametrize("flags", [[], ["--check"]])
def test_a_schedule_that_is_never_due_stops_the_start(tmp_path: Path, flags: list[str]) -> None:
    source = HELLO + '@plugin.every("0 25 * * *")\ndef tidy(call): ...\n'
    ended = run("--conf", write_conf(tmp_path, PARSE, {"greeter": source}), *flags)
    assert (ended.code, ended.stdout) == (70, "")
    assert ended.stderr.splitlines()[0] == (
        'tornado_cc: plugin greeter: tornado_cc_file_greeter.tidy is to run every "0 25 * * *":'
        " Bad hour"
    )
    assert not (tmp_path / "plugins.d" / "began").exists()


def test_check_shows_no_secret(tmp_path: Path) -> None:
    ended = run("--conf", write_conf(tmp_path, PARSE, {"greeter": HELLO}), "--check")
    assert "Zx8-q41" not in ended.stdout + ended.stderr


def test_check_reports_mistakes_like_a_start(tmp_path: Path) -> None:
    ended = run("--conf", write_conf(tmp_path, "[hooks]\nthreads = 0\n"), "--check")
    assert (ended.code, ended.stdout) == (78, "")


def test_a_port_that_somebody_else_has_is_said_in_one_line(tmp_path: Path) -> None:
    with occupied_port() as port:
        text = PARSE.replace("[server]", f"[server]\nbind = 127.0.0.1:{port}")
        ended = run("--conf", write_conf(tmp_path, text))
    assert ended.code == 70
    # Warnings are on, and Tornado leaves the socket that was refused to the garbage collector.
    lines = [line for line in ended.stderr.splitlines() if line.startswith("tornado_cc: ")]
    assert lines == [f"tornado_cc: cannot listen on 127.0.0.1:{port}: Address already in use"]
    assert "Traceback" not in ended.stderr


def test_a_port_of_the_metrics_that_somebody_else_has_is_said_before_anything_starts(
    tmp_path: Path,
) -> None:
    with occupied_port() as port:
        text = f"{PARSE}[admin]\nbind = 127.0.0.1:{port}\n"
        ended = run("--conf", write_conf(tmp_path, text, {"greeter": HELLO}))
    assert ended.code == 70
    lines = [line for line in ended.stderr.splitlines() if line.startswith("tornado_cc: ")]
    assert lines == [
        f"tornado_cc: [admin] bind: cannot listen on 127.0.0.1:{port}: Address already in use;"
        " set another port, or off"
    ]
    assert not (tmp_path / "plugins.d" / "began").exists()


def test_an_address_of_another_machine_is_said_in_one_line(tmp_path: Path) -> None:
    text = PARSE.replace("[server]", "[server]\nbind = 192.0.2.1:8080")
    ended = run("--conf", write_conf(tmp_path, text))
    assert ended.code == 70
    assert (
        "tornado_cc: cannot listen on 192.0.2.1:8080: Cannot assign requested address\n"
        in ended.stderr
    )
    assert "Traceback" not in ended.stderr


def test_a_plugin_that_fails_at_the_start_is_named(tmp_path: Path) -> None:
    source = HELLO.replace("Path(__file__)", "raise OSError('no disk'); Path(__file__)")
    ended = run("--conf", write_conf(tmp_path, PARSE, {"greeter": source}))
    assert ended.code == 70
    assert "plugin greeter: on_start (tornado_cc_file_greeter.began)" in ended.stderr
    assert "listening" not in ended.stderr


def test_the_version_is_that_of_the_distribution() -> None:
    ended = run("--version")
    assert ended.code == 0
    assert "tornado_cc" in ended.stdout
