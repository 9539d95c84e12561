"""What the tests of the server and of the plugins share."""

from collections.abc import Generator

import pytest
from hypothesis import settings

# A busy machine is no reason for a test to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

pytest_plugins = ["tests.hooks_api", "tests.mailserver", "tests.receiver", "tests.serving"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what a test printed cross from one process to another: a lone surrogate cannot."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
