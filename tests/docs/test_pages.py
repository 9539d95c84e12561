"""What the pages say about the code is what the code says."""

import re
from pathlib import Path

import pytest

from docs import settings_tables, wire_table
from tests.docs.pages import PAGES, ROOT, headings
from tests.server.wire.cases import GROUPS
from tornado_cc.dialects.skygear.errors import name_of, status_of
from tornado_cc.hooks.specs import HOOKS
from tornado_cc.server import build

_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
SETTINGS = settings_tables.PAGE.read_text(encoding="utf-8")


def slug(title: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_hooks_has_a_heading_for_each_hook_in_the_order_a_call_meets_them() -> None:
    titles = headings(ROOT / "docs" / "hooks.md")
    assert [title for title in titles if title in HOOKS] == list(HOOKS)


def test_settings_holds_what_the_models_give() -> None:
    assert settings_tables.page(SETTINGS) == SETTINGS, "run `make docs`"


def test_reliability_sums_up_and_lists_the_cases_of_the_wire() -> None:
    text = wire_table.PAGE.read_text(encoding="utf-8")
    assert wire_table.page(text) == text, "run `make docs`"
    assert wire_table.table() in text
    assert wire_table.conversations() in text
    total = sum(len(cases) for cases in GROUPS.values())
    assert f"What is made of {total} conversations" in text
    assert wire_table.conversations().count("\n| ") == total + len(GROUPS)


def test_signs_of_markdown_are_escaped_in_the_tables_of_the_wire() -> None:
    assert wire_table.plain("`a|b` in <c>") == r"\`a\|b\` in \<c\>"


def test_settings_has_a_table_for_each_section_there_is() -> None:
    assert sorted(settings_tables.sections_of(SETTINGS)) == sorted(settings_tables.models())


def test_every_setting_is_explained_by_a_sentence() -> None:
    for section, model in settings_tables.models().items():
        for name, info in model.model_fields.items():
            assert (info.description or "").endswith("."), f"[{section}] {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    for match in _LINK.finditer(page.read_text(encoding="utf-8")):
        name, _, anchor = match["target"].partition("#")
        target = page.parent / name if name else page
        assert target.exists(), match["target"]
        if anchor:
            assert anchor in map(slug, headings(target)), match["target"]


def test_every_page_is_in_the_list_of_contents() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    contents = index.rpartition("```{toctree}")[2]
    assert {page.stem for page in PAGES} - {"README", "index"} <= set(contents.split())


def test_every_plugin_of_this_repository_is_described() -> None:
    text = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    for folder in sorted(path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml")):
        assert f"| `{folder}` |" in text


def test_every_dialect_is_on_in_dev_ini_and_in_prod_ini_once_its_lines_are_uncommented(
    tmp_path: Path,
) -> None:
    known = {name.removeprefix("dialect:") for name in settings_tables.models() if ":" in name}
    others = ("plugin:", "credential:", "webhook:", "source:")
    known = {name for name in known if not name.startswith(others)}
    dev = build(ROOT / "conf" / "dev.ini", {})
    assert {dialect.name for dialect in dev.dialects} == known
    text = (ROOT / "conf" / "prod.ini").read_text(encoding="utf-8")
    conf = tmp_path / "prod.ini"
    conf.write_text(re.sub(r"^# (?=\[\w+[:\]]|\w+ = )", "", text, flags=re.MULTILINE))
    environ = dict.fromkeys(re.findall(r"= env:(\w+)", text), "a secret of the reader's own")
    prod = build(conf, {**environ, "TORNADO_CC__PLUGINS__ENABLE": "payments, endpoints"})
    assert {dialect.name for dialect in prod.dialects} == known


def test_the_codes_of_skygear_are_those_that_are_answered() -> None:
    text = (ROOT / "docs" / "skygear.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (\d+) \|$", text, re.MULTILINE)
    assert rows == [
        (str(code), name_of(code), str(status_of(code))) for code in (*range(101, 130), 10000)
    ]
