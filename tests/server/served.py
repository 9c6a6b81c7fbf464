"""Small pictures, a model that writes as it is told to, and a live server."""

import base64
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from PIL import Image

from graspwise.answer import parse_grasp
from graspwise.conversation import text_of
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.responder import Response
from graspwise.predict import Model
from graspwise.server.app import create_app
from graspwise.server.limits import Limits

REASON = "A thin bar (with a dark end), held across its middle."
# In the square frame, of a picture twice as wide as high, whose y is 0.3.
WRITTEN = f"{REASON}\nGrasp point coordinates: [0.100, 0.400]\nRotation angle in radians: -0.50"


def picture_bytes(size: tuple[int, int] = (80, 40), kind: str = "PNG") -> bytes:
    """A light picture with a dark bar."""
    image = Image.new("RGB", size, "white")
    image.paste((20, 20, 90), (size[0] // 2, 4, size[0] // 2 + 6, size[1] - 4))
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def picture_base64(size: tuple[int, int] = (80, 40)) -> str:
    return base64.b64encode(picture_bytes(size)).decode()


def chat(*texts: str, size: tuple[int, int] = (80, 40), **more: Any) -> dict[str, Any]:
    """A chat request of alternating turns."""
    url = f"data:image/png;base64,{picture_base64(size)}"
    first: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": texts[0]}]
    messages: list[dict[str, Any]] = [{"role": "user", "content": first}]
    messages += [{"role": "user" if i % 2 else "assistant", "content": text} for i, text in enumerate(texts[1:])]
    return {"messages": messages, **more}


class Writer(LlavaResponder):
    """Writes `text` token by token, no further than it is let; keeps what it was asked and what was broken off."""

    answer_format = "reasoned"
    mode = "plain"
    image_size = 64

    def __init__(self, text: str = WRITTEN) -> None:
        self.name, self.text = "writer", text
        self.go = threading.Event()
        self.go.set()
        self.begun = threading.Semaphore(0)
        self.asked: list[list[Any]] = []
        self.broken: list[int] = []

    def tokens(self, conversation):
        return sum(len(text_of(message).split()) for message in conversation)

    def respond(self, pictures, conversations, *, on_token, stop, **_):
        self.asked.append(list(conversations))
        self.begun.release()
        stopped = set()
        for end in range(1, len(self.text) + 1):
            for row in set(range(len(pictures))) - stopped:
                on_token(row, self.text[:end])
                if stop(row):
                    stopped.add(row)
            # What holds it back is looked at like the next token would be.
            while not self.go.is_set() and len(stopped) < len(pictures):
                stopped |= {row for row in range(len(pictures)) if stop(row)}
                time.sleep(0.005)
            if len(stopped) == len(pictures):
                break
        self.broken += sorted(stopped)
        reasoning, grasp = parse_grasp(self.text)
        return [Response(self.text, reasoning, None if row in stopped else grasp) for row in range(len(pictures))]


@contextmanager
def running(model: Model, *, limits: Limits | None = None, **options: Any) -> Iterator[str]:
    """A live server on a free port; its address."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(model, limits=limits or Limits(), **options), port=0, log_level="critical")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def until(true: Callable[[], bool], *, seconds: float = 60) -> None:
    """Waits for something that will become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.005)
