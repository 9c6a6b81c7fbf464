"""Several servers of one model: each request goes to the one with the fewest under way.

One that fails is left out for a while, then asked whether it is well again before it gets a request. Where all are left
out, the one that is to be back first gets the next request all the same: the balancer is no reason for a failure.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from graspwise.chat import Endpoint, Unavailable, exchange, open_client
from graspwise.errors import InputError

log = logging.getLogger("graspwise.upstreams")
# How long one that fails is left out: twice as long each time, up to the longest.
REST_SECONDS, LONGEST_REST_SECONDS = 2.0, 60.0
# A server that is well says so at once.
CHECK_SECONDS = 5.0


@dataclass(eq=False)
class Upstream:
    """One server.

    Attributes:
        endpoint: Where it is.
        under_way: Requests that it is answering.
        served: Requests that it got so far.
        failures: In a row.
        rests_until: Left out until then; 0 where it is not.
        is_vllm: Whether vLLM is behind it; None until it was asked.
    """

    endpoint: Endpoint
    under_way: int = 0
    served: int = 0
    failures: int = 0
    rests_until: float = 0.0
    is_vllm: bool | None = None


class Upstreams:
    """Servers of one model, from any thread.

    Args:
        endpoints: At least one; all with the same model.
        clock: Seconds.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.all = [Upstream(endpoint) for endpoint in endpoints]
        self._clock, self._lock = clock, threading.Lock()

    @contextmanager
    def seat(self, *, besides: Collection[Upstream] = ()) -> Iterator[Upstream]:
        """The server for one request, as long as the context lasts.

        Args:
            besides: Those that were tried for it in vain; they come last.
        """
        self._look_after()
        with self._lock:
            upstream = min(self.all, key=lambda u: (u in besides, u.rests_until, u.under_way, u.served))
            upstream.under_way += 1
            upstream.served += 1
        try:
            yield upstream
        finally:
            with self._lock:
                upstream.under_way -= 1

    def failed(self, upstream: Upstream) -> None:
        """It gave no answer: it is left out for a while."""
        with self._lock:
            upstream.failures += 1
            rest = min(REST_SECONDS * 2 ** (upstream.failures - 1), LONGEST_REST_SECONDS)
            upstream.rests_until = self._clock() + rest
        if len(self.all) > 1:
            log.warning("%s is left out for %g s", upstream.endpoint.base_url, rest)

    def well(self, upstream: Upstream) -> None:
        """It gave an answer."""
        with self._lock:
            was_out, upstream.failures, upstream.rests_until = upstream.rests_until > 0, 0, 0.0
        if was_out:
            log.warning("%s is back", upstream.endpoint.base_url)

    def _look_after(self) -> None:
        """Asks those whose rest is over, each in a thread of its own, so that no request waits for them."""
        now = self._clock()
        with self._lock:
            due = [u for u in self.all if 0 < u.rests_until <= now]
            for upstream in due:
                # Nobody else asks it meanwhile.
                upstream.rests_until = now + 2 * CHECK_SECONDS
        for upstream in due:
            threading.Thread(target=self.check, args=(upstream,), name="graspwise-check", daemon=True).start()

    def check(self, upstream: Upstream) -> None:
        """Ask a server whether it is well."""
        try:
            look(upstream)
        except Unavailable:
            self.failed(upstream)
        else:
            self.well(upstream)


def look(upstream: Upstream) -> None:
    """Ask a server for its models, and remember whether it is vLLM.

    Raises:
        Unavailable: it gives no answer.
    """
    endpoint = replace(upstream.endpoint, timeout_seconds=min(CHECK_SECONDS, upstream.endpoint.timeout_seconds))
    try:
        upstream.is_vllm = "vllm" in models_of(endpoint, tries=1).values()
    except Unavailable:
        raise
    except InputError:
        # Some servers list no models; they answer, and vLLM is none of them.
        upstream.is_vllm = False


def models_of(endpoint: Endpoint, *, tries: int) -> dict[str, str]:
    """Names of the models that an endpoint offers, with their owners.

    Raises:
        InputError: it gives no list.
    """
    url = f"{endpoint.base_url}/models"
    with open_client(endpoint) as client:
        found = exchange(client, endpoint, url, tries=tries)
    try:
        return {str(entry["id"]): str(entry.get("owned_by", "")) for entry in found["data"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{url}: the answer is no list of models; name one, {endpoint.base_url}#MODEL") from error
