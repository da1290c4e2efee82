"""Sessions and hosts, asked as a server would."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from gdp.studio.server.guard import TOKEN, Guard, session_of

HERE = ("127.0.0.1", "localhost", "::1")


def ask(headers, hosts=HERE, scheme="http"):
    """Status, headers, and the session that the application saw."""
    seen, sent = [], []

    async def app(scope, receive, send):
        cookies = [v for k, v in scope["headers"] if k == b"cookie"]
        seen.append([session_of(c.decode("latin-1")) for c in cookies])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "scheme": scheme, "headers": headers}
    with ThreadPoolExecutor(1) as thread:  # a browser's tests have a loop running in this one
        thread.submit(lambda: asyncio.run(Guard(app, hosts)(scope, None, send))).result()
    return sent[0]["status"], dict(sent[0]["headers"]), seen


@pytest.mark.parametrize("host", [b"127.0.0.1:7860", b"localhost", b"[::1]:7860", b"LOCALHOST:1"])
def test_this_machine(host):
    status, headers, seen = ask([(b"host", host)])
    assert status == 200
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert TOKEN.fullmatch(seen[0][0])


@pytest.mark.parametrize("host", [b"evil.example", b"127.0.0.1.evil.example", b"", b"127.0.0.2"])
def test_other_names(host):
    status, _, seen = ask([(b"host", host)])
    assert status == 403
    assert not seen
    assert ask([(b"host", host)], hosts=None)[0] == 200


def test_a_new_session_has_a_careful_cookie():
    _, headers, seen = ask([(b"host", b"localhost")])
    cookie = headers[b"set-cookie"].decode()
    assert seen[0][0] in cookie
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Secure" not in cookie
    assert "Secure" in ask([(b"host", b"localhost")], scheme="https")[1][b"set-cookie"].decode()


def test_an_old_session_stays():
    token = "a" * 43
    _, headers, seen = ask([(b"host", b"localhost"), (b"cookie", b"x=1; gdp_session=" + b"a" * 43)])
    assert seen == [[token]]
    assert b"set-cookie" not in headers


@pytest.mark.parametrize("cookie", [b"gdp_session=short", b"gdp_session=../../x", b"\xff=;;"])
def test_a_made_up_session_is_replaced(cookie):
    _, headers, seen = ask([(b"host", b"localhost"), (b"cookie", cookie)])
    assert b"set-cookie" in headers
    assert TOKEN.fullmatch(seen[0][0])
