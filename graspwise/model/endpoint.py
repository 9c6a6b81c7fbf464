"""A vision-language model behind OpenAI-compatible endpoints.

`http://localhost:8000/v1#MODEL` names one; several addresses with commas between them are servers of the same model. It
gets the square picture and the user's words: a general model, asked without tuning (RT-Grasp, Fig. 1), with what answer
is wanted, one of ours as it was trained (`graspwise.model.manner`). What it writes is read by
`graspwise.answer.parse_grasp`; a text without a grasp is an answer too, one that holds none.
"""

import base64
import io
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from PIL import Image

from graspwise.answer import AnswerError, Mode, parse_grasp
from graspwise.chat import TIMEOUT_SECONDS, TRIES, Client, Endpoint, Unavailable, exchange, open_client
from graspwise.conversation import Message
from graspwise.errors import InputError
from graspwise.model.manner import UNTUNED, Manner
from graspwise.model.responder import Response
from graspwise.model.stoppable import StoppableClient, Stopped
from graspwise.model.upstreams import Upstream, Upstreams, look, models_of
from graspwise.picture import Picture

if TYPE_CHECKING:
    from graspwise.model.decode import Stop

# Requests under way at once.
WORKERS = 4
# Room for a sentence and the tail, and for a model that thinks aloud first.
MOST_TOKENS = 1024
# As many models as one line takes.
LISTED = 20
FORM = "http://HOST:PORT/v1#MODEL"


class EndpointResponder:
    """A model at an endpoint, or at several; its numbers are text alone.

    Args:
        name: `http(s)://HOST:PORT/v1[,http(s)://...]#MODEL`; without `#MODEL` the endpoint's only model is taken. An
            API key is read from OPENAI_API_KEY.
        manner: How it is asked. Its grammar is passed where vLLM is behind an endpoint.
        timeout_seconds: Longest silence in one request.

    Raises:
        InputError: the name is no such address, or it names no model and the endpoint does not offer exactly one.
    """

    mode: Mode = "plain"
    takes_depth = False

    def __init__(self, name: str, *, manner: Manner = UNTUNED, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        addresses, model = addresses_and_model(name)
        key = os.environ.get("OPENAI_API_KEY", "").strip() or None
        model = model or only_model(Endpoint(addresses[0], "", key))
        self.upstreams = Upstreams([Endpoint(address, model, key, timeout_seconds) for address in addresses])
        self.name = f"{','.join(addresses)}#{model}"
        self.manner, self.image_size, self.answer_format = manner, manner.image_size, manner.answer_format

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        """Answers to conversations, several asked at once.

        Args:
            pictures: B pictures.
            conversations: B conversations.

        Raises:
            InputError: the endpoint does not answer as it should; one line with its URL.
        """
        with ThreadPoolExecutor(WORKERS) as pool, open_client(self.upstreams.all[0].endpoint) as client:
            return list(pool.map(partial(self._answer, client), pictures, conversations))

    def respond_each(
        self,
        pictures: Sequence[Picture],
        conversations: Sequence[Sequence[Message]],
        *,
        tell: Callable[[int, Response | Exception], None],
        stop: "Stop",
        on_text: Callable[[int, str], None] = lambda row, text: None,
    ) -> None:
        """Answers to conversations, all asked at once; none waits for another, and none fails with another.

        Args:
            pictures: B pictures.
            conversations: B conversations.
            tell: Told of each row as soon as it is done, from its own thread: the response, or why there is none.
            stop: Asked all the while: row -> whether nobody waits for its answer any more. Then the connection is
                closed, at which such servers stop writing, and the response is empty.
            on_text: Told of each row's text so far, where a grammar holds it.
        """

        def one(row: int) -> None:
            endpoint = self.upstreams.all[0].endpoint
            client = StoppableClient(endpoint, stop=partial(stop, row), told=partial(on_text, row))
            try:
                outcome: Response | Exception = self._answer(client, pictures[row], conversations[row])
            except Stopped:
                outcome = Response(text="", reasoning="", grasp=None)
            except Exception as error:
                outcome = error
            tell(row, outcome)

        with ThreadPoolExecutor(len(pictures)) as pool:
            list(pool.map(one, range(len(pictures))))

    def _answer(self, client: Client, picture: Picture, conversation: Sequence[Message]) -> Response:
        """One answer; what fails before its first word is asked of another server, or once more of the same.

        Raises:
            InputError: the last failure; or one that no other server would mend.
        """
        body = {
            "messages": self.manner.wire_messages(png(picture), conversation),
            "temperature": 0,
            "max_tokens": MOST_TOKENS,
        }
        tried: list[Upstream] = []
        while True:
            with self.upstreams.seat(besides=tried) as upstream:
                try:
                    found = self._ask(client, upstream, body, tries=TRIES if len(self.upstreams.all) == 1 else 1)
                except Unavailable:
                    self.upstreams.failed(upstream)
                    tried.append(upstream)
                    if getattr(client, "begun", False) or len(tried) == len(self.upstreams.all):
                        raise
                    continue
                self.upstreams.well(upstream)
                return read_choice(found, url=upstream.endpoint.url, manner=self.manner)

    def _ask(self, client: Client, upstream: Upstream, body: dict[str, Any], *, tries: int) -> Any:
        """The completion of one server."""
        endpoint, more = upstream.endpoint, dict[str, Any]()
        if self.manner.pattern is not None:
            if upstream.is_vllm is None:
                look(upstream)
            if upstream.is_vllm:
                # vLLM's own field; held to the grammar, a text can be told as it comes.
                more = {
                    "structured_outputs": {"regex": self.manner.pattern},
                    "stream": isinstance(client, StoppableClient),
                }
        sleep = client.sleep if isinstance(client, StoppableClient) else None
        whole = {"model": endpoint.model, **body, **more}
        return exchange(client, endpoint, endpoint.url, body=whole, sleep=sleep, tries=tries)


def addresses_and_model(name: str) -> tuple[list[str], str]:
    """Base URLs and the model's name, "" where none is named.

    Raises:
        InputError: an address is none or there twice, or they name different models.
    """
    parts = [part.partition("#") for part in name.split(",")]
    addresses = [check_address(address.strip()) for address, _, _ in parts]
    models = list(dict.fromkeys(model for _, _, model in parts if model))
    if len(models) > 1:
        raise InputError(f"model {name!r}: found the models {', '.join(models)}; valid are several servers of one")
    if len(set(addresses)) < len(addresses):
        raise InputError(f"model {name!r}: names a server twice; valid is each once")
    return addresses, models[0] if models else ""


def check_address(address: str) -> str:
    """The base URL without slashes at its end.

    Raises:
        InputError: it is no http address of a host, or carries a user, a password or a query.
    """
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InputError(f"model {address!r}: not an address ({error}); valid is {FORM}") from error
    if url.userinfo or url.query:
        # A password must not be repeated.
        raise InputError(f"model at {url.host}: user, password and query are not taken; set OPENAI_API_KEY for a key")
    if url.scheme not in ("http", "https") or not url.host:
        raise InputError(f"model {address!r}: not an address with a host; valid is {FORM}")
    return address.rstrip("/")


def only_model(endpoint: Endpoint) -> str:
    """The name of the one model that an endpoint offers.

    Raises:
        InputError: it offers none or several, which are then listed, or it gives no list.
    """
    names = list(models_of(endpoint, tries=TRIES))
    if len(names) != 1:
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        listed = ", ".join(names[:LISTED]) + more
        url = endpoint.base_url
        raise InputError(f"{url}/models: found {listed or 'no model'}; valid is {url}#MODEL with one of them")
    return names[0]


def png(picture: Picture) -> str:
    """A picture as a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(picture.rgb).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def read_choice(answer: Any, *, url: str, manner: Manner) -> Response:
    """The response in a chat completion; its grasp is None where the text holds no valid one.

    Raises:
        InputError: it is no chat completion.
    """
    try:
        choice = answer["choices"][0]
        message, cut = choice["message"], choice.get("finish_reason") == "length"
        # A refusal may come in a field of its own, and a model that only thought has no text.
        written = message.get("content") or message.get("refusal") or ""
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(f"{url}: the answer has no choices[0].message; valid is OpenAI's chat completion") from error
    if not isinstance(written, str):
        raise InputError(f"{url}: the answer's content is {type(written).__name__}; valid is text")
    text = manner.coordinates.read(written.rpartition("</think>")[2].strip())
    try:
        # The last word of a text that was cut short may be half a number.
        reasoning, grasp = parse_grasp(re.sub(r"\S+\Z", "", text) if cut else text)
    except AnswerError:
        return Response(text=text, reasoning=text, grasp=None)
    return Response(text=text, reasoning=reasoning, grasp=grasp)
