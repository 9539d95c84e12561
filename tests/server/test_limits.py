"""What the gate does not let in gets a clear answer in the dialect's spelling."""

import asyncio

from tests.serving import KEY, Serve, read_answer

MIB = 1 << 20
HELLO = "/webhooks/functions/helloWorld"


async def test_a_body_of_20_mib_is_refused_and_the_next_request_works(serve: Serve) -> None:
    served = await serve(enable="hello")
    answer = await served.request("POST", HELLO, KEY, b"[" + b" " * (20 * MIB))
    assert answer.status == 200
    assert answer.json() == {"error": "The body is larger than 10485760 bytes"}
    assert answer.header("Connection") == "close"
    assert await served.webhook("/functions/helloWorld", {}) == {"success": "Hello World!"}
    assert served.fired == ["cloud_function helloWorld (hello)"]


async def test_a_chunked_body_that_grows_too_large_is_refused_while_it_arrives(
    serve: Serve,
) -> None:
    served = await serve("[dialect:parse]\nwebhook_key = test-key\nmax_body = 100 KiB\n")
    head = f"POST {HELLO} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"%x\r\n%s\r\n" % (40 << 10, b"x" * (40 << 10))
    answer = await served.send(head + chunk * 3 + b"0\r\n\r\n")
    assert answer.json() == {"error": "The body is larger than 102400 bytes"}
    assert served.fired == []


async def test_a_refused_sender_may_finish_sending_before_the_connection_closes(
    serve: Serve,
) -> None:
    served = await serve("[dialect:parse]\nmax_body = 10 B\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"POST {HELLO} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n".encode())
    for _ in range(20):
        writer.write(b"x" * 100_000)
        await writer.drain()
    answer = await read_answer(reader)
    assert answer.json() == {"error": "The body is larger than 10 bytes"}
    assert await reader.read() == b""
    writer.close()


async def test_a_sender_that_asks_before_sending_is_refused_without_sending(serve: Serve) -> None:
    served = await serve("[dialect:parse]\nmax_body = 10 B\n")
    answer = await served.send(
        f"POST {HELLO} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n"
        "Expect: 100-continue\r\n\r\n".encode()
    )
    assert answer.json() == {"error": "The body is larger than 10 bytes"}


async def test_a_sender_that_never_ends_is_cut_off(serve: Serve) -> None:
    served = await serve("[dialect:parse]\nmax_body = 10 B\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"POST {HELLO} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\nx".encode())
    async with asyncio.timeout(10):
        answer = await read_answer(reader)
        assert answer.json() == {"error": "The body is larger than 10 bytes"}
        assert await reader.read() == b""
    writer.close()


async def test_a_body_that_does_not_arrive_is_refused_in_the_dialects_spelling(
    serve: Serve,
) -> None:
    served = await serve("[dialect:parse]\n[server]\nbody_timeout = 0.1\n")
    head = "Host: x\r\nContent-Length: 10\r\n\r\nabc"
    answer = await served.send(f"POST {HELLO} HTTP/1.1\r\n{head}".encode())
    assert (answer.status, answer.json()) == (200, {"error": "The body took longer than 0.1 s"})
    answer = await served.send(f"POST /nowhere HTTP/1.1\r\n{head}".encode())
    assert (answer.status, answer.json()) == (408, {"error": "The body took longer than 0.1 s"})


async def test_40_kib_of_headers_are_refused_and_the_next_request_works(serve: Serve) -> None:
    served = await serve(enable="hello")
    answer = await served.request("POST", HELLO, {**KEY, "X-Large": "x" * (40 << 10)}, b"{}")
    assert answer.status == 200
    assert answer.json() == {"error": "Request headers are too large"}
    answer = await served.request("GET", "/nowhere", {"X-Large": "x" * (40 << 10)})
    assert answer.status == 431
    assert await served.webhook("/functions/helloWorld", {}) == {"success": "Hello World!"}
    assert served.fired == ["cloud_function helloWorld (hello)"]


async def test_101_headers_are_refused(serve: Serve) -> None:
    served = await serve(enable="hello")
    many = {f"X-{number}": "x" for number in range(99)}
    answer = await served.request("POST", HELLO, many, b"{}")
    assert answer.json() == {"error": "Request headers are too large"}
    del many["X-0"], many["X-1"]
    answer = await served.request("POST", HELLO, many | KEY, b"{}")
    assert answer.json() == {"success": "Hello World!"}


async def test_json_2000_levels_deep_is_refused(serve: Serve) -> None:
    served = await serve(enable="hello")
    body = b'{"params": ' + b"[" * 2000 + b"]" * 2000 + b"}"
    answer = await served.request("POST", HELLO, KEY, body)
    assert answer.status == 200
    assert "error" in answer.json()
    assert served.fired == []


async def test_bad_utf_8_is_refused(serve: Serve) -> None:
    served = await serve(enable="hello")
    answer = await served.request("POST", HELLO, KEY, b'{"params": {"a": "\xff"}}')
    assert answer.status == 200
    assert answer.json()["error"].startswith("The body is not JSON")
    assert served.fired == []


async def test_a_body_over_the_limit_of_an_unknown_path_is_413(serve: Serve) -> None:
    served = await serve("[server]\nmax_body = 100 B\n")
    answer = await served.request("POST", "/nowhere", {}, b"x" * 101)
    assert answer.status == 413
    assert answer.json() == {"error": "The body is larger than 100 bytes"}


async def test_two_requests_sent_together_are_answered_in_order(serve: Serve) -> None:
    served = await serve(enable="hello")
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    hello = f"POST {HELLO} HTTP/1.1\r\nHost: x\r\nX-Parse-Webhook-Key: test-key\r\n"
    writer.write(
        f"{hello}Content-Length: 2\r\n\r\n{{}}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    )
    first = await read_one(reader)
    assert first.endswith(b'{"success":"Hello World!"}')
    second = await read_one(reader)
    assert second.endswith(b'{"status":"ok"}')
    writer.close()


async def read_one(reader: asyncio.StreamReader) -> bytes:
    """One response off a connection that stays open, by its Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)
