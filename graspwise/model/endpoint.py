"""A general vision-language model behind an OpenAI-compatible endpoint, asked without tuning (RT-Grasp, Fig. 1).

`http://localhost:8000/v1#MODEL` names one. It gets the square picture, what answer is wanted, and the user's words.
What it writes is read by `graspwise.answer.parse_grasp`; a text without a grasp is an answer too, one that holds none.
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

from graspwise.answer import GRASP, AnswerError, AnswerFormat, parse_grasp
from graspwise.chat import TIMEOUT_SECONDS, Client, Endpoint, exchange, open_client
from graspwise.conversation import Message, text_of
from graspwise.errors import InputError
from graspwise.model.responder import Response
from graspwise.model.stoppable import StoppableClient, Stopped
from graspwise.picture import Picture

if TYPE_CHECKING:
    from graspwise.model.decode import Stop

IMAGE_SIZE = 512
# Requests under way at once.
WORKERS = 4
# Room for a sentence and the tail, and for a model that thinks aloud first.
MOST_TOKENS = 1024
# As many models as one line takes.
LISTED = 20
FORM = "http://HOST:PORT/v1#MODEL"

_X, _Y, _THETA = GRASP.numbers
INSTRUCTION = f"""\
The picture is what a robot's camera sees. The robot has a gripper with two parallel jaws, which close on a thing from
two sides. Find one grasp for the request below.

First write one sentence: what the thing is, what shape it has, and where and how to grasp it. No numbers in it.
Then write one line with the grasp, and nothing after it, in this form:
{GRASP.bare.format(x="x", y="y", theta="theta")}

- x: where the middle between the jaws is, as a fraction of the picture's width: {_X.render(_X.low)} is the left edge,
  {_X.render(_X.high)} the right edge.
- y: the same as a fraction of the picture's height: {_Y.render(_Y.low)} is the top edge, {_Y.render(_Y.high)} the
  bottom edge.
- theta: the direction of the line from jaw to jaw, along which they close, counter-clockwise as seen, in radians from
  {_THETA.render(_THETA.low)} to {_THETA.render(_THETA.high)}: +0.00 is one jaw left and one right of the thing, +0.79
  one at its lower left and one at its upper right, -0.79 one at its upper left and one at its lower right, +1.57 one
  below and one above it.

The jaws close across the thing's narrow side: on a long thing, theta is at a right angle to its length. Plain grey bars
at the picture's edges show nothing, but they count in its width and height.

For example, the last line could be:
{GRASP.example}

The request: """


class EndpointResponder:
    """A model at an endpoint; its numbers are text alone, and nothing holds it to the format.

    Args:
        name: `http(s)://HOST:PORT/v1#MODEL`; without `#MODEL` the endpoint's only model is taken. An API key is read
            from OPENAI_API_KEY.
        image_size: Side of the pictures that are sent, pixels.
        timeout_seconds: Longest silence in one request.

    Raises:
        InputError: the name is no such address, or it names no model and the endpoint does not offer exactly one.
    """

    answer_format: AnswerFormat = "reasoned"
    mode = "plain"
    takes_depth = False

    def __init__(self, name: str, *, image_size: int = IMAGE_SIZE, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        address, _, model = name.partition("#")
        base_url = check_address(address)
        key = os.environ.get("OPENAI_API_KEY", "").strip() or None
        self._endpoint = Endpoint(base_url, model or only_model(Endpoint(base_url, "", key)), key, timeout_seconds)
        self.name = f"{base_url}#{self._endpoint.model}"
        self.image_size = image_size

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        """Answers to conversations, several asked at once.

        Args:
            pictures: B pictures.
            conversations: B conversations.

        Raises:
            InputError: the endpoint does not answer as it should; one line with its URL.
        """
        with ThreadPoolExecutor(WORKERS) as pool, open_client(self._endpoint) as client:
            return list(pool.map(partial(self._answer, client), pictures, conversations))

    def respond_each(
        self,
        pictures: Sequence[Picture],
        conversations: Sequence[Sequence[Message]],
        *,
        tell: Callable[[int, Response | Exception], None],
        stop: "Stop",
    ) -> None:
        """Answers to conversations, all asked at once; none waits for another, and none fails with another.

        Args:
            pictures: B pictures.
            conversations: B conversations.
            tell: Told of each row as soon as it is done, from its own thread: the response, or why there is none.
            stop: Asked all the while: row -> whether nobody waits for its answer any more. Then the connection is
                closed, at which such servers stop writing, and the response is empty.
        """

        def one(row: int) -> None:
            client = StoppableClient(self._endpoint, stop=partial(stop, row))
            try:
                outcome: Response | Exception = self._answer(
                    client, pictures[row], conversations[row], sleep=client.sleep
                )
            except Stopped:
                outcome = Response(text="", reasoning="", grasp=None)
            except Exception as error:
                outcome = error
            tell(row, outcome)

        with ThreadPoolExecutor(len(pictures)) as pool:
            list(pool.map(one, range(len(pictures))))

    def _answer(
        self,
        client: Client,
        picture: Picture,
        conversation: Sequence[Message],
        *,
        sleep: Callable[[float], None] | None = None,
    ) -> Response:
        body = {
            "model": self._endpoint.model,
            "messages": wire_messages(picture, conversation),
            "temperature": 0,
            "max_tokens": MOST_TOKENS,
        }
        url = self._endpoint.url
        return read_choice(exchange(client, self._endpoint, url, body=body, sleep=sleep), url=url)


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
    url = f"{endpoint.base_url}/models"
    with open_client(endpoint) as client:
        found = exchange(client, endpoint, url)
    try:
        names = [str(entry["id"]) for entry in found["data"]]
    except (KeyError, TypeError) as error:
        raise InputError(f"{url}: the answer is no list of models; name one, {endpoint.base_url}#MODEL") from error
    if len(names) != 1:
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        listed = ", ".join(names[:LISTED]) + more
        raise InputError(f"{url}: found {listed or 'no model'}; valid is {endpoint.base_url}#MODEL with one of them")
    return names[0]


def wire_messages(picture: Picture, conversation: Sequence[Message]) -> list[dict[str, Any]]:
    """A conversation in OpenAI's wire format, picture and instruction in its first turn.

    The instruction is no system message, because many open models' templates have none.
    """
    first, *rest = conversation
    buffer = io.BytesIO()
    Image.fromarray(picture.rgb).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    opening = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        {"type": "text", "text": INSTRUCTION + text_of(first)},
    ]
    return [
        {"role": "user", "content": opening},
        *({"role": message["role"], "content": text_of(message)} for message in rest),
    ]


def read_choice(answer: Any, *, url: str) -> Response:
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
    text = written.rpartition("</think>")[2].strip()
    try:
        # The last word of a text that was cut short may be half a number.
        reasoning, grasp = parse_grasp(re.sub(r"\S+\Z", "", text) if cut else text)
    except AnswerError:
        return Response(text=text, reasoning=text, grasp=None)
    return Response(text=text, reasoning=reasoning, grasp=grasp)
