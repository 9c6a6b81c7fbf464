"""OpenAI's chat completions: their messages as turns, and answers as completions and as chunks of a stream."""

import json
import re
import time
import uuid
from collections.abc import Sequence
from typing import Any

from graspwise.answer import GRASP, AnswerFormat, target_of
from graspwise.errors import InputError
from graspwise.predict import Answer
from graspwise.server.questions import Said
from graspwise.server.schema import ChatMessage

TAIL = GRASP.prompted.partition("{")[0].rstrip(" [:")
DONE = "data: [DONE]\n\n"


def read_messages(messages: Sequence[ChatMessage]) -> tuple[str, list[Said]]:
    """The picture (base64 or data URL) and the turns.

    Raises:
        InputError: there is no picture, more than one, or it stands elsewhere than in the first user's turn.
    """
    images, said = list[str](), list[Said]()
    for message in messages:
        if message.role == "system" or message.role == "developer":
            continue
        parts = message.content
        if isinstance(parts, str):
            said.append(Said(message.role, parts, message.graspwise.model_text if message.graspwise else None))
            continue
        found = [part.image_url.url for part in parts if part.type == "image_url"]
        if found and (said or message.role != "user"):
            raise InputError("messages: a picture in a later turn; valid is one, in the first user's turn")
        images += found
        said.append(Said(message.role, "\n".join(part.text for part in parts if part.type == "text")))
    if len(images) != 1:
        raise InputError(f"messages: found {len(images)} pictures; valid is one image_url, in the first user's turn")
    return images[0], said


def reasoning_so_far(text: str, answer_format: AnswerFormat) -> str:
    """What can be shown of an answer that is being written: the beginning of its reasoning, and no number.

    Args:
        text: In the model's frame, so far.
        answer_format: How it is written.
    """
    if answer_format != "reasoned":
        return ""
    # Half a character, and what `parse_grasp` takes for markup of the tail, wait for what comes next.
    line = text.partition("\n")[0].rstrip("\ufffd").rstrip(" \t*_`\"'#([{").strip()
    shown = target_of(re.sub(r"\s*```\w*\Z", "", line))[0]
    # A reasoning of blanks alone leaves the tail on the first line.
    return "" if shown.startswith(TAIL) or TAIL.startswith(shown) else shown


class Completion:
    """One completion, whole or as a stream.

    Args:
        model: The model's name.
    """

    def __init__(self, model: str) -> None:
        self.id, self.created, self.model = f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), model
        self._told = ""

    def whole(self, answer: Answer) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**self._head("chat.completion"), "choices": [choice], "graspwise": answer.to_json()}

    def first(self) -> str:
        return self._chunk({"role": "assistant", "content": ""})

    def writes(self, text: str, answer_format: AnswerFormat) -> str:
        """The chunk for what was written since the last one; empty where nothing can be shown yet."""
        shown = reasoning_so_far(text, answer_format)
        if len(shown) <= len(self._told) or not shown.startswith(self._told):
            return ""
        more, self._told = shown[len(self._told) :], shown
        return self._chunk({"content": more})

    def last(self, answer: Answer) -> str:
        """The chunks for the rest of the text, in the picture's frame, and for the end."""
        fits = answer.text.startswith(self._told)
        # A text that came out differently is told once more as a whole.
        rest = answer.text[len(self._told) :] if fits else f"\n{answer.text}"
        told = self._chunk({"content": rest}) if rest else ""
        return told + self._chunk({}, finish="stop", graspwise=answer.to_json()) + DONE

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _chunk(self, delta: dict[str, str], *, finish: str | None = None, **extra: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**self._head("chat.completion.chunk"), "choices": [choice], **extra})


def event(value: dict[str, Any]) -> str:
    """A server-sent event."""
    return f"data: {json.dumps(value)}\n\n"
