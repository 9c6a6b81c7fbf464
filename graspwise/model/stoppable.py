"""HTTP requests that are broken off when nobody waits for their answer any more, and told of word by word."""

import asyncio
import json as text_format
import time
from collections.abc import Callable
from typing import Any

import httpx

from graspwise.chat import CONNECT_SECONDS, Endpoint

# How long at most a request goes on after nobody waits for it.
LOOK_SECONDS = 0.1


class Stopped(Exception):
    """A request was broken off."""


class StoppableClient:
    """An HTTP client for one endpoint that closes the connection once `stop` says so.

    Args:
        endpoint: Whose key and time limits it has.
        stop: Whether nobody waits any more.
        told: Told of a streamed completion's text so far, again and again.

    Attributes:
        begun: Whether a word has been told: what fails after that cannot be asked again.
    """

    def __init__(
        self, endpoint: Endpoint, *, stop: Callable[[], bool], told: Callable[[str], None] = lambda text: None
    ) -> None:
        self._endpoint, self._stop, self._told = endpoint, stop, told
        self.begun = False

    def request(self, method: str, url: str, *, json: Any = None) -> httpx.Response:
        """A response, read whole; of a completion that is streamed, what the same would be in one piece.

        Raises:
            Stopped: nobody waits for it any more.
            httpx.HTTPError: as of `httpx.Client`.
        """
        return asyncio.run(self._request(method, url, json))

    def sleep(self, seconds: float) -> None:
        """Waits; raises Stopped as soon as nobody waits any more."""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self._check()
            time.sleep(min(rest, LOOK_SECONDS))

    async def _request(self, method: str, url: str, json: Any) -> httpx.Response:
        key = self._endpoint.api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(self._endpoint.timeout_seconds, connect=CONNECT_SECONDS)
        async with httpx.AsyncClient(headers=headers, timeout=timeout) as client:
            request = asyncio.ensure_future(self._answer(client, method, url, json))
            try:
                while not request.done():
                    self._check()
                    await asyncio.wait({request}, timeout=LOOK_SECONDS)
            finally:
                # Cancelling closes the connection; a request that is done stays as it is.
                request.cancel()
            return request.result()

    async def _answer(self, client: httpx.AsyncClient, method: str, url: str, json: Any) -> httpx.Response:
        async with client.stream(method, url, json=json) as response:
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                await response.aread()
                return response
            text, reason = "", None
            async for line in response.aiter_lines():
                name, _, data = line.partition(":")
                if name != "data" or (data := data.strip()) == "[DONE]":
                    continue
                more, ended = part(data)
                reason = ended or reason
                if more:
                    text, self.begun = text + more, True
                    self._told(text)
            if reason is None:
                raise httpx.ReadError("the stream ended before the answer did")
            choice = {"message": {"role": "assistant", "content": text}, "finish_reason": reason}
            return httpx.Response(200, json={"choices": [choice]}, request=response.request)

    def _check(self) -> None:
        if self._stop():
            raise Stopped


def part(data: str) -> tuple[str, str | None]:
    """What an event of a streamed completion adds to the text, and why the text ends, where it does.

    Raises:
        httpx.ReadError: it is no such event, or tells of a failure.
    """
    try:
        value = text_format.loads(data)
        if "error" in value:
            raise httpx.ReadError(f"it told {str(value['error'])[:120]}")
        # The last event of some servers counts tokens and has no choice.
        choice = value["choices"][0] if value["choices"] else {"delta": {}}
        return str(choice["delta"].get("content") or ""), choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise httpx.ReadError(f"{data[:80]!r} is no part of a completion") from error
