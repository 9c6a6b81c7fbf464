"""What stands before the routes: the API key, a seat for each question, and how large and how slow a body may be."""

import asyncio
import hmac
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graspwise.server.batcher import Batcher
from graspwise.server.limits import Limits
from graspwise.server.metrics import Metrics
from graspwise.server.problem import Problem

GUARDED = ("/v1/", "/metrics")
# What asks the model: a seat is taken, and a body read, for these alone.
ASKING = ("/v1/grasp", "/v1/chat/completions")
ROUTES = (*ASKING, "/v1/models", "/healthz", "/metrics", "/limits", "/examples", "/")


class Door:
    """ASGI middleware.

    Args:
        app: What is behind it.
        batcher: Gives seats to what asks the model.
        limits: Bytes and seconds of a body.
        metrics: Told of every request.
        api_key: Asked for under /v1 and for /metrics; None asks for none.
    """

    def __init__(
        self, app: ASGIApp, *, batcher: Batcher, limits: Limits, metrics: Metrics, api_key: str | None
    ) -> None:
        self.app, self.batcher, self.limits, self.metrics, self.api_key = app, batcher, limits, metrics, api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Paths that a client makes up must not become metrics of their own.
        path = scope["path"] if scope["path"] in ROUTES else "other"
        started, status = time.monotonic(), 499

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._admit(scope, receive, told)
        except Problem as problem:
            await problem.response()(scope, receive, told)
        finally:
            self.metrics.requests.labels(path, str(status)).inc()
            self.metrics.seconds.labels(path).observe(time.monotonic() - started)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(GUARDED):
            self._check_key(scope)
        if scope["method"] != "POST" or scope["path"] not in ASKING:
            await self.app(scope, receive, send)
            return
        # The body's time is part of the request's.
        deadline = asyncio.get_running_loop().time() + self.limits.seconds
        scope.setdefault("state", {})["deadline"] = deadline
        with self.batcher.seat():
            # Held nowhere else, so that a question that waits has dropped its body.
            await self.app(scope, replayed(await self._read(scope, receive, deadline=deadline), receive), send)

    def _check_key(self, scope: MutableMapping[str, Any]) -> None:
        given = header(scope, b"authorization")
        wanted = f"Bearer {self.api_key}".encode()
        if self.api_key is not None and not hmac.compare_digest(given, wanted):
            raise Problem(
                401,
                "the API key is missing or wrong; send it as Authorization: Bearer KEY",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )

    async def _read(self, scope: Scope, receive: Receive, *, deadline: float) -> bytes:
        said = header(scope, b"content-length")
        if said.isdigit() and int(said[:20]) > self.limits.body:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout_at(deadline):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Problem(400, "the connection ended before the body did")
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > self.limits.body:
                        raise self._too_large()
        except TimeoutError as error:
            raise Problem(408, f"the body took more than {self.limits.seconds:g} s", code="timeout") from error
        return bytes(body)

    def _too_large(self) -> Problem:
        # The rest of the body is not read, so the connection cannot go on.
        return Problem(
            413,
            f"the body is larger than {self.limits.body} bytes; send a smaller picture",
            code="too_large",
            headers={"Connection": "close"},
        )


def header(scope: MutableMapping[str, Any], name: bytes) -> bytes:
    """A header's value; empty where there is none."""
    return next((bytes(value) for key, value in scope["headers"] if key == name), b"")


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the whole body once, keeping none of it, and afterwards what comes then."""
    left = [body]
    del body

    async def again() -> Message:
        if not left:
            return await receive()
        return {"type": "http.request", "body": left.pop(), "more_body": False}

    return again
