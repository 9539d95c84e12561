"""What commands say of themselves, and to whom they are misspelt."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.cli.running import done, environment, misused, run, write_conf
from tornado_cc.cli import main


def commands(group: click.Group, *above: str) -> list[tuple[str, ...]]:
    """The words of every command and of every group."""
    found: list[tuple[str, ...]] = [above]
    for name, one in group.commands.items():
        words = (*above, name)
        found += commands(one, *words) if isinstance(one, click.Group) else [words]
    return found


def test_every_command_says_what_it_does_without_a_conf() -> None:
    assert len(commands(main)) == 35
    for words in commands(main):
        with click.Context(main, info_name="tornado_cc") as context:
            command: click.Command = main
            for word in words:
                assert isinstance(command, click.Group)
                command = command.commands[word]
            shown = command.get_help(context)
        assert command.help
        assert command.help.strip().split("\n\n")[0].endswith((".", ":"))
        options = [one for one in command.params if isinstance(one, click.Option)]
        assert all((one.help or "").endswith(".") for one in options), words
        assert "Traceback" not in shown


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("users",),
        ("users", "token"),
        ("config",),
        ("requests", "replay"),
        ("deliveries",),
        ("hooks",),
        ("hooks", "apply"),
        ("tail",),
        ("move",),
    ],
)
def test_help_needs_no_conf(words: tuple[str, ...]) -> None:
    assert done(*words, "--help").startswith("Usage: python -m tornado_cc")


def test_a_command_waits_for_no_library_of_the_server() -> None:
    program = "import sys, tornado_cc.cli; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, check=True
    )
    loaded = set(printed.stdout.decode().split())
    assert "click" in loaded
    assert not loaded & {"tornado", "prometheus_client", "limits", "cronsim", "werkzeug", "rich"}


def test_a_group_alone_shows_its_commands(tmp_path: Path) -> None:
    ended = run("--conf", write_conf(tmp_path, "[server]\n"), "users")
    assert ended.code == 2
    assert "revoke" in ended.stderr


def test_a_command_without_a_conf_says_where_it_stands() -> None:
    assert misused("users", "list").startswith("Missing option '--conf', which stands before")


def test_check_takes_no_command(tmp_path: Path) -> None:
    path = write_conf(tmp_path, "[server]\n")
    assert "--check stands alone" in misused("--conf", path, "--check", "users", "list")


def test_a_command_nobody_knows_is_said() -> None:
    assert "No such command 'user'" in misused("user", "list")
