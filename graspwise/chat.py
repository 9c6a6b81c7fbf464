"""Chat completions over HTTP: one endpoint, one exchange, one line for whatever fails."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from graspwise.errors import InputError

TRIES = 3
BACKOFF_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
CONNECT_SECONDS = 10.0
TIMEOUT_SECONDS = 120.0


class Unavailable(InputError):
    """The server gave no answer and wrote no word of one; another server may."""


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible chat endpoint.

    Attributes:
        base_url: What comes before `/chat/completions`, e.g. "http://localhost:8000/v1".
        model: The model's name there.
        api_key: Sent as a bearer token; None sends none.
        timeout_seconds: Longest silence in one request.
    """

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    timeout_seconds: float = TIMEOUT_SECONDS

    def __post_init__(self) -> None:
        if self.api_key is not None and not (self.api_key.isascii() and self.api_key.isprintable()):
            raise InputError("the API key in OPENAI_API_KEY: valid are printable ASCII characters on one line")
        if not self.timeout_seconds > 0:
            raise InputError(f"timeout {self.timeout_seconds:g}: valid is a positive number of seconds")

    @property
    def url(self) -> str:
        return self.base_url.rstrip("/") + "/chat/completions"


def open_client(endpoint: Endpoint) -> httpx.Client:
    headers = {"Authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else {}
    return httpx.Client(headers=headers, timeout=httpx.Timeout(endpoint.timeout_seconds, connect=CONNECT_SECONDS))


class Client(Protocol):
    """What an exchange needs of an HTTP client."""

    def request(self, method: str, url: str, *, json: Any = None) -> httpx.Response: ...


def exchange(
    client: Client,
    endpoint: Endpoint,
    url: str,
    *,
    body: dict[str, Any] | None = None,
    sleep: Callable[[float], None] | None = None,
    tries: int = TRIES,
) -> Any:
    """The JSON that a GET, or a POST of `body`, is answered with; a busy or failing server is asked again.

    Args:
        client: Sends the request.
        endpoint: Whose it is.
        url: Where to.
        body: JSON to post; None gets.
        sleep: Waits some seconds before the next try; None is `time.sleep`.
        tries: How often a busy or failing server is asked.

    Raises:
        Unavailable: one line with the URL: the server cannot be reached, is silent, broke off, or is busy to the end.
        InputError: one line with the URL, on what else failed and what to set.
    """
    for attempt in range(tries):
        try:
            response = client.request("GET" if body is None else "POST", url, json=body)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise InputError(
                f"endpoint {endpoint.base_url!r}: valid is a URL such as http://localhost:8000/v1"
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unavailable(f"{url}: cannot be reached ({error}); is the server running?") from error
        except httpx.TimeoutException as error:
            raise Unavailable(f"{url}: no answer within {endpoint.timeout_seconds:g} s") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"{url}: the connection broke ({error})") from error
        except UnicodeError as error:
            raise InputError(f"{url}: the request or the model's name is not valid text ({error})") from error
        busy = response.status_code == 429 or response.status_code >= 500
        if not busy:
            break
        if attempt == tries - 1:
            tried = f" after {tries} tries" if tries > 1 else ""
            raise Unavailable(f"{url}: answered {response.status_code}{tried} ({shown(response, endpoint)})")
        (sleep or time.sleep)(wait_seconds(response.headers.get("retry-after"), attempt=attempt))
    return contents(response, endpoint=endpoint, url=url)


def wait_seconds(retry_after: str | None, *, attempt: int) -> float:
    """Seconds until the next try: what the server asks for, or twice as long each time."""
    # A date is allowed there too; doubling serves then.
    asked = float(retry_after) if retry_after and retry_after.isdecimal() else BACKOFF_SECONDS * 2**attempt
    return min(asked, LONGEST_WAIT_SECONDS)


def contents(response: httpx.Response, *, endpoint: Endpoint, url: str) -> Any:
    """The JSON of a response.

    Raises:
        InputError: it reports a failure, or is not JSON.
    """
    status, text = response.status_code, shown(response, endpoint)
    if status in (401, 403):
        # Servers repeat parts of the key in their own message, so it is not shown.
        why = "the API key is not accepted" if endpoint.api_key else "an API key is needed"
        raise InputError(f"{url}: {why} ({status}); set OPENAI_API_KEY")
    if status == 404:
        raise InputError(
            f"{url}: not found (404: {text}); valid is a base URL such as http://localhost:8000/v1 and a model there"
        )
    if status != 200:
        raise InputError(f"{url}: answered {status} ({text})")
    try:
        return response.json()
    except ValueError as error:
        raise InputError(f"{url}: the answer is not JSON ({text[:80]!r}); is it a base URL?") from error


def shown(response: httpx.Response, endpoint: Endpoint) -> str:
    """The beginning of a response's text without the key."""
    text = response.text.replace(endpoint.api_key, "...") if endpoint.api_key else response.text
    return text[:200] or "no text"
