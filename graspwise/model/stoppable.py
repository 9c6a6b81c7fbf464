"""HTTP requests that are broken off when nobody waits for their answer any more."""

import asyncio
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
    """

    def __init__(self, endpoint: Endpoint, *, stop: Callable[[], bool]) -> None:
        self._endpoint, self._stop = endpoint, stop

    def request(self, method: str, url: str, *, json: Any = None) -> httpx.Response:
        """A response, read whole.

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
            request = asyncio.ensure_future(client.request(method, url, json=json))
            try:
                while not request.done():
                    self._check()
                    await asyncio.wait({request}, timeout=LOOK_SECONDS)
            finally:
                # Cancelling closes the connection; a request that is done stays as it is.
                request.cancel()
            return request.result()

    def _check(self) -> None:
        if self._stop():
            raise Stopped
