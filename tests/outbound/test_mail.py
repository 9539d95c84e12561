"""What a plugin says of a mail, checked; and whatever it says, what arrives is what was meant."""

import base64
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_cc.outbound import Mail, mail_of, mailboxes
from tornado_cc.outbound.mailbox import LONGEST_TEXT

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLAIN = {"from": "a@example.com", "to": "b@example.com", "text": "Hello"}
FILE = {"name": "a.pdf", "type": "application/pdf", "content": b"\x00\xff"}

any_text = st.text(max_size=300)
hostile = st.sampled_from(
    ["\r\nBcc: x@y.z", "\n.\r\n", "\0", "\x85", "\u2028", "=?utf-8?q?a=0Ab?=", '">', "<x@y>", ","]
)
texts = st.one_of(any_text, st.builds("".join, st.lists(st.one_of(st.text(max_size=9), hostile))))


def mail(**options: Any) -> Mail:
    return mail_of({**PLAIN, **options}, most=10)


def refused(**options: Any) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        mail(**options)
    return str(caught.value)


def read(one: Mail) -> EmailMessage:
    """The mail as its reader has it."""
    found = message_from_bytes(one.bytes("id", WHEN), policy=default)
    assert isinstance(found, EmailMessage)
    return found


def boxes(value: Any) -> list[tuple[str, str]]:
    return [(one.name, one.address) for one in mailboxes("to", value)]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (None, []),
        ("", []),
        ("a@b.de", [("", "a@b.de")]),
        ("Example <test@example.com>", [("Example", "test@example.com")]),
        ("Example Inc. <a@b.de>", [("Example Inc.", "a@b.de")]),
        ('"Zoë, jr." <z@x.de>, c@d.de', [("Zoë, jr.", "z@x.de"), ("", "c@d.de")]),
        ("o'brien+tag@x.de", [("", "o'brien+tag@x.de")]),
        ("root@localhost", [("", "root@localhost")]),
        ("z@bücher.de", [("", "z@xn--bcher-kva.de")]),
        ("z@STRAßE.de", [("", "z@xn--strae-oqa.de")]),
        ({"name": "Zoë", "address": "z@x.de"}, [("Zoë", "z@x.de")]),
        ({"name": None, "address": " z@x.de "}, [("", "z@x.de")]),
        (
            ["a@b.de, c@d.de", {"address": "e@f.de"}],
            [("", x) for x in ("a@b.de", "c@d.de", "e@f.de")],
        ),
        (("a@b.de",), [("", "a@b.de")]),
    ],
)
def test_addresses_are_read_as_people_write_them(said: Any, meant: list[tuple[str, str]]) -> None:
    assert boxes(said) == meant


@pytest.mark.parametrize(
    "said",
    [
        "a",
        "a@",
        "@b.de",
        "a@b@c.de",
        "<a@b.de",
        "a b@c.de",
        "a,b <c@d.de>",
        "a@b.de; c@d.de",
        "a@b.de x",
        "friends: a@b.de;",
        '"a b"@c.de',
        '"a>"@c.de',
        "a@[127.0.0.1]",
        "a..b@c.de",
        "a@b..de",
        "a@-b.de",
        "a@b_c.de\n",
        "zoë@x.de",
        "a@\u2024.de",
        f"{'x' * 65}@b.de",
        f"a@{'x.' * 150}de",
        "a@b.de\r\nBcc: c@d.de",
        "=?utf-8?q?a=0Ab?= <a@b.de>",
        "\ud800 <a@b.de>",
        "x" * 100_001,
        5,
        b"a@b.de",
        [5],
        [["a@b.de"]],
        {"name": "a"},
        {"name": "a", "address": "a@b.de", "x": 1},
        {"name": 5, "address": "a@b.de"},
        {"name": "a\nb", "address": "a@b.de"},
        {"name": "a" * 1001, "address": "a@b.de"},
        {"address": 5},
        {"address": "a"},
        {"address": "x <a@b.de>"},
        {"address": "a@b.de, c@d.de"},
    ],
)
def test_what_is_no_address_is_refused_and_not_guessed_at(said: Any) -> None:
    with pytest.raises(ValueError, match=r"^to"):
        mailboxes("to", said)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"from": None}, "from is one address, not 0"),
        ({"from": "a@b.de, c@d.de"}, "from is one address, not 2"),
        ({"to": None}, "it goes to nobody: to, cc and bcc are empty"),
        ({"to": [f"a{n}@b.de" for n in range(11)]}, "it goes to 11 addresses, and [mail]"),
        ({"text": None}, "it has neither text nor html"),
        ({"text": 5}, "text is not a text"),
        ({"text": "a\0"}, "text has a NUL"),
        ({"html": "a\ud800"}, "html has a surrogate"),
        ({"subject": 5}, "subject is not a text"),
        ({"subject": "a\r\nBcc: c@d.de"}, "subject has a line break or another control character"),
        ({"subject": "a\0"}, "subject has a line break or another control character, U+0000"),
        ({"subject": "a\u2028b"}, "subject has a line break or another control character, U+2028"),
        ({"subject": "a" * 1001}, "subject is longer than 1,000 characters"),
        ({"attachments": "x"}, "attachments is not a list"),
        ({"attachments": FILE}, "attachments is not a list"),
        ({"attachments": [5]}, "attachment 1 is a mapping of name, type and content"),
        ({"attachments": [FILE] * 21}, "it has 21 attachments, and may have 20"),
        ({"attachments": [FILE, {**FILE, "name": " "}]}, "attachment 2: its name is empty"),
        ({"attachments": [{**FILE, "name": "a\nb"}]}, "attachment 1: its name has a line break"),
        ({"attachments": [{**FILE, "name": "=?utf-8?q?x?="}]}, "attachment 1: its name is empty"),
        ({"attachments": [{**FILE, "type": "pdf"}]}, "attachment 1: its type is a media type"),
        ({"attachments": [{**FILE, "type": "message/rfc822"}]}, "attachment 1: its type"),
        ({"attachments": [{**FILE, "type": "text/x\r\nBcc: y"}]}, "attachment 1: its type"),
        ({"attachments": [{**FILE, "content": "%%"}]}, "attachment 1: its content is a text, and"),
        ({"attachments": [{**FILE, "content": 5}]}, "attachment 1: its content is bytes"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_reason(options: dict[str, Any], words: str) -> None:
    assert refused(**options).startswith(words)


def test_a_mail_has_the_headers_that_were_meant_and_no_others() -> None:
    one = mail(cc="C <c@x.de>", bcc="hidden@x.de", reply_to="r@x.de", subject="Hi")
    message = read(one)
    assert {name: str(value) for name, value in message.items()} == {
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
        "From": "a@example.com",
        "To": "b@example.com",
        "Cc": "C <c@x.de>",
        "Reply-To": "r@x.de",
        "Subject": "Hi",
        "Date": "Fri, 02 Jan 2026 03:04:05 +0000",
        "Message-ID": "<id@example.com>",
    }
    assert one.recipients == ["b@example.com", "c@x.de", "hidden@x.de"]
    assert b"hidden" not in one.bytes("id", WHEN)


def test_one_that_all_get_unseen_says_so() -> None:
    message = read(mail(to=None, bcc="hidden@x.de"))
    assert message["To"] == "undisclosed-recipients:;"


def test_somebody_who_is_named_twice_gets_it_once() -> None:
    assert mail(to="b@x.de, c@x.de", cc="b@x.de").recipients == ["b@x.de", "c@x.de"]


def test_text_and_html_stand_beside_each_other_and_files_below() -> None:
    message = read(mail(text="plain é", html="<b>é</b>", attachments=[FILE]))
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert (plain.get_content(), html.get_content()) == (
        "plain é\r\n",
        "<b>é</b>\r\n",
    )
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("a.pdf", "application/pdf")
    assert file.get_content() == b"\x00\xff"


def test_html_may_stand_alone() -> None:
    message = read(mail(text=None, html="<b>x</b>"))
    assert message.get_content_type() == "text/html"


def test_an_attachment_may_be_given_in_base64() -> None:
    one = mail(attachments=[{**FILE, "content": base64.b64encode(b"abc").decode()}])
    assert one.attachments[0].content == b"abc"


@pytest.mark.parametrize("text", ["é" * 3000, "x" * 3000, ".\r\n..\r\nFrom a\r\n", "a\rb\nc"])
def test_every_line_is_short_and_ascii(text: str) -> None:
    content = mail(text=text, html=text, subject="é" * LONGEST_TEXT).bytes("id", WHEN)
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")


@settings(max_examples=200)
@given(subject=texts, name=texts, file=texts, text=texts)
def test_whatever_the_texts_are_what_arrives_is_what_was_meant(
    subject: str, name: str, file: str, text: str
) -> None:
    said = {
        "to": [{"name": name, "address": "b@example.com"}],
        "subject": subject,
        "text": text,
        "attachments": [{**FILE, "name": file}],
    }
    try:
        one = mail(**said)
    except ValueError:
        return
    message = read(one)
    wanted = {"Content-Type", "MIME-Version", "From", "To", "Subject", "Date", "Message-ID"}
    assert set(message.keys()) == wanted - ({"Subject"} if not subject else set())
    assert len(message.keys()) == len(set(message.keys()))
    assert (message["Subject"] or "") == subject
    (to,) = message["To"].addresses
    assert (to.display_name, to.addr_spec) == (name.strip(), "b@example.com")
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == file.strip()
    body = message.get_body(("plain",))
    assert body is not None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    assert body.get_content().replace("\r\n", "\n").removesuffix("\n") == lines


@settings(max_examples=200)
@given(text=texts)
def test_whatever_stands_for_an_address_only_plain_ones_come_of_it(text: str) -> None:
    try:
        found = mailboxes("to", text) + mailboxes("to", {"address": text})
    except ValueError:
        return
    for one in found:
        assert one.address.isascii()
        assert not set(one.address) & set(' \r\n\0<>",;:()[]\\')
        assert one.address.count("@") == 1


@settings(max_examples=100)
@given(subject=texts, name=texts, text=texts)
def test_what_is_kept_makes_the_same_mail_again(subject: str, name: str, text: str) -> None:
    try:
        one = mail(subject=subject, cc=[{"name": name, "address": "c@d.de"}], text=text)
    except ValueError:
        return
    assert mail_of(one.facts(), most=10) == one
