"""Every example in README.md and docs/ is run; docs/index.md states the convention."""

import asyncio
import inspect
import json
import os
import re
import shlex
import shutil
import socket
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.docs.curl import curl
from tests.docs.pages import PAGES, ROOT, Block, Command, Section, commands, sections
from tests.serving import Serve
from tornado_cc.server import Server, build

SECTIONS = sections()
LANGUAGES = {"python", "ini", "console", "json", "toml", "text", "javascript", "{toctree}"}
DOCUMENTED = "127.0.0.1:8080"
ADMIN = "127.0.0.1:8081"
MAY_BE_LEFT_OUT = 2

_TARGET = re.compile(r"^(?P<name>[a-z0-9]+):", re.MULTILINE)
_PROGRAM = re.compile(r"([A-Z_]+=\S* )*(?P<name>\S+)")
# A variable of the shell, for the commands that follow; one before a program is for that alone.
_SETS = re.compile(r"[A-Z]+=(?!.* python -m tornado_cc)")
_NAMED_CONF = re.compile(r"--conf (\S+)")
_ENVIRONMENT = re.compile(r"= env:(\w+)")
_ID = re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")


@pytest.mark.parametrize("section", SECTIONS, ids=str)
async def test_the_blocks_under_a_heading_do_what_they_show(
    section: Section, tmp_path: Path, serve: Serve
) -> None:
    stage = Stage(section, tmp_path)
    for block in section.of("ini"):
        if block.path not in stage.checked_by_command:
            build(stage.conf(block), stage.environ(block))
    for block in section.of("json"):
        json.loads(block.text)
    for block in section.of("toml"):
        tomllib.loads(block.text)
    for block in stage.tests:
        await run_test(block, serve)
    async with AsyncExitStack() as stack:
        addresses: Mapping[str, str] = {}
        if stage.needs_server:
            addresses = await stack.enter_async_context(stage.server())
        printed = shell = ""
        for block in section.of("console"):
            for command in commands(block):
                if _SETS.match(command.text):
                    shell += f"{command.text}\n"
                else:
                    printed += await check(command, addresses, tmp_path, printed, shell)


def test_every_block_is_of_a_kind_that_is_known() -> None:
    assert {block.language for section in SECTIONS for block in section.blocks} <= LANGUAGES


def test_few_blocks_are_not_run_and_each_has_a_reason() -> None:
    left_out = [block.not_run for section in SECTIONS for block in section.blocks if block.not_run]
    marks = sum(page.read_text(encoding="utf-8").count("<!-- not run") for page in PAGES)
    # docs/index.md names the mark once, in the text that explains it.
    assert len(left_out) == marks - 1
    assert len(left_out) <= MAY_BE_LEFT_OUT


async def test_the_stand_in_for_curl_prints_what_curl_prints(serve: Serve) -> None:
    served = await serve(enable="hello")
    url = f"http://127.0.0.1:{served.port}/webhooks/functions/helloWorld"
    arguments = ["-s", url, "-H", "X-Parse-Webhook-Key: test-key", "-d", "{}"]
    assert await asyncio.to_thread(curl, arguments) == '{"success":"Hello World!"}'
    for one in (["-s", url], ["-si", f"{url}?a=1"], ["-si", "-X", "DELETE", url, "-d", "a=b"]):
        assert undated(await run_curl(one)) == undated(await asyncio.to_thread(curl, one))


class Stage:
    """The files, the settings and the plugins under one heading."""

    def __init__(self, section: Section, folder: Path) -> None:
        shutil.copytree(ROOT / "conf", folder / "conf")
        self._folder = folder
        self._section = section
        self.tests = [block for block in section.of("python") if block.is_test]
        self._plugins = [block for block in section.of("python") if not block.is_test]
        shown = [command for block in section.of("console") for command in commands(block)]
        self.checked_by_command = {
            name for command in shown for name in _NAMED_CONF.findall(command.text)
        }
        curls = any(program(command) == "curl" for command in shown)
        self.needs_server = curls or bool(self._plugins)
        plugins = folder / "conf" / "plugins.d"
        plugins.mkdir()
        self._address = "127.0.0.1:0"
        confs = section.of("ini")
        is_called = any(DOCUMENTED in block.text for block in self._plugins)
        if is_called or any(f"://{DOCUMENTED}" in block.text for block in confs):
            # Whoever calls their own server has to know the port before there is one.
            self._address = free_address()
        for block in self._plugins:
            text = block.text.replace(DOCUMENTED, self._address)
            (plugins / f"{block.plugin}.py").write_text(text)
        assert len(list(plugins.iterdir())) == len(self._plugins), "two plugins have one name"
        for block in confs:
            text = block.conf.replace(f"://{DOCUMENTED}", f"://{self._address}")
            self.conf(block).write_text(text)

    def conf(self, block: Block) -> Path:
        """The file that an ini block is."""
        return self._folder / (block.path or f"conf/line-{block.line}.ini")

    def environ(self, block: Block | None) -> Mapping[str, str]:
        """Every variable the conf refers to, the folder of the plugins, and a free port."""
        names = _ENVIRONMENT.findall(block.conf) if block else []
        return {
            **dict.fromkeys(names, "a secret of the reader's own"),
            "DATABASE_URL": "postgresql://user:password@host/name",
            "TORNADO_CC__SERVER__BIND": self._address,
            "TORNADO_CC__ADMIN__BIND": "127.0.0.1:0",
            "TORNADO_CC__PLUGINS__DIR": "plugins.d",
        }

    @asynccontextmanager
    async def server(self) -> AsyncIterator[Mapping[str, str]]:
        """A server on the first conf under the heading, or conf/dev.ini, with the plugins.

        Yields where it is in place of each address that the pages name.
        """
        served = [one for one in self._section.of("ini") if one.path not in self.checked_by_command]
        block = next(iter(served), None)
        path = self.conf(block) if block else self._folder / "conf" / "dev.ini"
        # Nothing that one page keeps is there on the next, and nobody's database is touched.
        # It is the one that commands look after: a relative path starts where they run.
        store = {"TORNADO_CC__STORE__URL": f"sqlite:///{self._folder}/data/tornado_cc.db"}
        built = build(path, {**self.environ(block), **store})
        claimed = {one.plugin for one in built.registry.everything()}
        assert claimed >= {block.plugin for block in self._plugins}
        server = Server(built)
        await server.start()
        try:
            yield {DOCUMENTED: server.addresses[0], ADMIN: server.admin_addresses[0]}
        finally:
            await server.stop()


def free_address() -> str:
    """An address of this machine that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


async def run_test(block: Block, serve: Serve) -> None:
    """Run the tests a python block defines."""
    names: dict[str, Callable[..., object]] = {}
    exec(compile(block.text, f"line {block.line}", "exec"), names)
    for name, test in names.items():
        if name.startswith("test_"):
            outcome = test(serve)
            if inspect.isawaitable(outcome):
                await outcome


async def check(
    command: Command, addresses: Mapping[str, str], folder: Path, printed: str, shell: str
) -> str:
    """Run a command as the reader would, and compare what it prints with what is shown.

    Args:
        printed: what the commands before it printed.
        shell: the lines before it that set variables.

    Returns:
        What it printed.
    """
    name = program(command)
    if name == "make":
        targets = {match["name"] for match in _TARGET.finditer((ROOT / "Makefile").read_text())}
        assert set(shlex.split(command.text)[1:]) <= targets
        return ""
    if name == "curl":
        assert any(documented in command.text for documented in addresses)
        line = command.text.replace("\\\n", " ")
        for documented, address in addresses.items():
            line = line.replace(documented, address)
        output = await (run_shell(shell + line) if shell else run_curl(shlex.split(line)[1:]))
    elif "python -m tornado_cc" in command.text:
        first = next(iter(_ID.findall(printed)), "")
        output = await run(["sh", "-c", f"ID={first}; {command.text}"], folder)
    else:
        pytest.fail(f"no way to run `{command.text}`: see docs/index.md")
    # The lines of an HTTP head end in two characters, those of a page in one.
    output = output.replace("\r\n", "\n")
    shown = ".*".join(re.escape(part) for part in command.output.strip().split("..."))
    assert re.fullmatch(shown, output.strip(), re.DOTALL), f"{command.text} printed\n{output}"
    return output


def program(command: Command) -> str:
    """The name of the program a command runs."""
    match = _PROGRAM.match(command.text)
    return match["name"] if match else ""


def undated(answer: str) -> str:
    """What curl printed, without what a second changes."""
    return re.sub(r"^Date: .*$", "", answer, flags=re.MULTILINE)


async def run_curl(arguments: list[str]) -> str:
    """Run curl, or the stand-in where there is none."""
    if shutil.which("curl") is None:
        return await asyncio.to_thread(curl, arguments)
    return await run(["curl", *arguments], ROOT)


async def run_shell(lines: str) -> str:
    """Run lines in a shell that has openssl, and curl or the stand-in."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    if shutil.which("curl") is None:
        program = "import sys; from tests.docs.curl import curl; print(curl(sys.argv[1:]), end='')"
        lines = f'curl() {{ python -c "{program}" "$@"; }}\n{lines}'
    return await run(["sh", "-ec", lines], ROOT)


async def run(arguments: list[str], folder: Path) -> str:
    """Run a program in a folder, with the Python that runs the tests as `python`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TORNADO_CC__")}
    kept.pop("PARSE_WEBHOOK_KEY", None)
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=folder,
        env={**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    return output.decode()
