"""Every module can be the first one imported, and warns about nothing."""

import subprocess
import sys

from tests.house.source import ROOT, modules
from tests.house.test_libraries import OWNERS

IMPORT_EACH = """
import importlib, os, sys, traceback

for library in sys.argv[1].split(","):
    try:
        importlib.import_module(library)
    except ModuleNotFoundError:
        pass  # not a dependency yet

def start(name):
    child = os.fork()
    if child:
        return child
    try:
        importlib.import_module(name)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

assert not [loaded for loaded in sys.modules if loaded.startswith("tornado_cc")]
importlib.import_module("tornado_cc")
names = sys.argv[2].split(",")
failed = []
for at in range(0, len(names), 4):
    children = {start(name): name for name in names[at : at + 4]}
    failed += [name for child, name in children.items() if os.waitpid(child, 0)[1]]
print("failed:", *failed)
"""


def test_every_module_imports_alone_with_warnings_as_errors() -> None:
    # An interpreter for each would load Tornado and pydantic again every time. This one loads the
    # outside libraries once, and the face, which Python runs before any module below it, and forks
    # for each module, in a child that has nothing else of ours yet.
    names = ",".join(module.name for module in modules() if not module.is_script)
    command = [sys.executable, "-W", "error", "-c", IMPORT_EACH, ",".join(sorted(OWNERS)), names]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("failed:", "")
