"""What every request passes: this machine's own names, a session's cookie, careful headers.

A page of another site can make a browser ask 127.0.0.1 under a name of its own (DNS rebinding);
such a name is refused. The cookie tells sessions apart: it is random, scripts cannot read it, and
other sites cannot have it sent.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

COOKIE = "gdp_session"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
AGE = 90 * 86400  # seconds
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
)
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


def session_of(cookies: str) -> str | None:
    """The session in a Cookie header, if it is one of ours."""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return None
    return found.value if found is not None and TOKEN.fullmatch(found.value) else None


class Guard:
    """ASGI middleware.

    Args:
        app: what is behind it.
        hosts: names under which the server may be asked; None: any.
    """

    def __init__(self, app: App, hosts: tuple[str, ...] | None):
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if self.hosts is not None and name_of(host) not in self.hosts:
            return await refuse(scope, send, 403, b"this studio is not at that address")

        # A new session has its cookie in the very first request already.
        session = session_of(headers.get(b"cookie", b"").decode("latin-1"))
        new = session is None
        if session is None:
            session = secrets.token_urlsafe(32)
            cookie = f"{COOKIE}={session}".encode()  # in place of what may be anything
            others = [(k, v) for k, v in scope["headers"] if k != b"cookie"]
            scope = {**scope, "headers": [*others, (b"cookie", cookie)]}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure = "; Secure" if scope.get("scheme") == "https" else ""
                own = list(HEADERS)
                if new:
                    text = f"{COOKIE}={session}; Path=/; Max-Age={AGE}; HttpOnly; SameSite=Strict"
                    own.append((b"set-cookie", (text + secure).encode()))
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        await self.app(scope, receive, answer)


def name_of(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


async def refuse(scope: Message, send: Send, status: int, text: bytes) -> None:
    """Answer with a line of text."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
