"""`[server] certificate`: two files that belong together, or neither."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.settings.confs import Conf

OPENSSL = shutil.which("openssl")
BOTH = "[server]\ncertificate = certificate.pem\ncertificate_key = key.pem\n"


def make(folder: Path, *more: str, name: str = "") -> None:
    """A certificate and its key, below this name."""
    if OPENSSL is None:
        pytest.skip("openssl makes the certificate")
    subprocess.run(
        [
            *(OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-days", "2", "-subj", "/CN=127.0.0.1", *(more or ("-nodes",))),
            *("-keyout", str(folder / f"{name}key.pem")),
            *("-out", str(folder / f"{name}certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )


def test_without_them_the_server_speaks_plain_http(conf: Conf) -> None:
    server = conf.build("").configuration.server
    assert server.certificate is None
    assert server.certificate_key is None


def test_a_relative_path_starts_at_the_conf(conf: Conf) -> None:
    make(conf.folder)
    server = conf.build(BOTH).configuration.server
    assert server.certificate == conf.folder / "certificate.pem"
    assert server.certificate_key == conf.folder / "key.pem"


@pytest.mark.parametrize(
    ("given", "missing"), [("certificate", "certificate_key"), ("certificate_key", "certificate")]
)
def test_one_without_the_other_is_a_mistake(conf: Conf, given: str, missing: str) -> None:
    mistake = conf.mistake(f"[server]\n{given} = a.pem\n")
    assert (mistake.section, mistake.key) == ("server", missing)
    assert mistake.problem == "is missing: TLS needs both files"


def test_files_that_are_not_there_are_a_mistake(conf: Conf) -> None:
    mistake = conf.mistake(BOTH)
    assert (mistake.section, mistake.key) == ("server", "certificate")
    assert mistake.problem == "cannot be used with its key: No such file or directory"


def test_the_key_of_another_is_a_mistake(conf: Conf) -> None:
    make(conf.folder)
    make(conf.folder, name="other_")
    mistake = conf.mistake(BOTH.replace("key.pem", "other_key.pem"))
    assert mistake.problem == "cannot be used with its key: key values mismatch"


def test_a_key_with_a_password_is_a_mistake_and_nobody_is_asked_for_it(conf: Conf) -> None:
    make(conf.folder, "-passout", "pass:secret word")
    mistake = conf.mistake(BOTH)
    assert mistake.problem.startswith("cannot be used with its key: ")
    assert "secret word" not in mistake.problem


def test_what_is_no_certificate_is_a_mistake(conf: Conf) -> None:
    (conf.folder / "certificate.pem").write_text("secret words")
    (conf.folder / "key.pem").write_text("secret words")
    mistake = conf.mistake(BOTH)
    assert mistake.problem.startswith("cannot be used with its key: ")
    assert "secret words" not in mistake.problem
