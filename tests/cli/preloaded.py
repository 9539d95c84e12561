"""Runs the command line in children of a process that has its libraries already.

Importing them takes most of a command's time, and the tests run hundreds of commands. Everything
else is as for `python -m tornado_cc`: a process with its own environment, input and output.
"""

import json
import os
import sys
import traceback
from typing import Any, NoReturn

import tornado_cc.cli.replay
import tornado_cc.cli.serve
import tornado_cc.store.postgresql  # noqa: F401 - these three are imported when they are needed
from tornado_cc.cli import main


def child(job: dict[str, Any]) -> NoReturn:
    """Be one command, to its end."""
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)
    modes = (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)
    for number, (name, mode) in enumerate(zip(job["files"], modes, strict=True)):
        os.dup2(os.open(name, mode), number)
    code = 0
    try:
        main(job["arguments"], prog_name="python -m tornado_cc")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


for line in sys.stdin:
    pid = os.fork()
    if not pid:
        child(json.loads(line))
    sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
    sys.stdout.flush()
