"""Marks of 0 to 100 that a vision-language model gives to pictures of grasps, as GPT-4 does in SemGrasp's table.

Any OpenAI-compatible endpoint, `http://HOST:PORT/v1#MODEL`; its key is read from OPENAI_API_KEY. What it said is kept,
so that nothing is asked twice.
"""

import base64
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graspwise.chat import Endpoint, exchange, open_client
from graspwise.errors import InputError
from graspwise.evaluation.cells import cell_path, check_same
from graspwise.evaluation.hand_ratings import Shown, picture_path
from graspwise.evaluation.runs import Bar
from graspwise.files import read_json, write_json
from graspwise.model.endpoint import check_address, only_model

# Room for a model that thinks aloud first.
MOST_TOKENS = 1024
ASKED = """\
The picture shows a hand on a thing, from the side that shows most; each part of the thing has a colour of its own.
Somebody asked for this grasp with the words: "{sentence}"

How well does the hand do what was asked? Look at whether the fingers are where the words want them, whether the hand
touches the thing without being inside it, and whether a person would hold it so. Answer in one sentence, then write a
last line with nothing but a whole number from 0, not at all, to 100, perfectly, in this form:
Score: 50"""
SCORE = re.compile(r"score\W*(\d{1,3})\b", re.IGNORECASE)


def judge_of(name: str) -> Endpoint:
    """The endpoint of a judge.

    Raises:
        InputError: the name is no address, or names no model and the endpoint does not offer exactly one.
    """
    address, _, model = name.partition("#")
    base_url = check_address(address)
    key = os.environ.get("OPENAI_API_KEY", "").strip() or None
    return Endpoint(base_url, model or only_model(Endpoint(base_url, "", key)), key)


def judged(folder: Path, endpoint: Endpoint, shown: Sequence[Shown], *, seed: int, bar: Bar) -> dict[str, float]:
    """Marks by picture; a picture whose answer holds none has none.

    Args:
        folder: Report folder; the pictures are there.
        endpoint: Who judges.
        shown: The answers.
        seed: Of the benchmark.
        bar: Wraps the pictures in a progress bar.

    Raises:
        InputError: the endpoint does not answer as it should, or the marks in the folder are another judge's.
    """
    path, uses = cell_path(folder, "judge", seed, endpoint.model), {"judge": endpoint.model, "asked": ASKED}
    said: dict[str, str] = {}
    if path.is_file():
        cell = read_json(path)
        check_same(path, cell, uses)
        said = dict(cell["said"])
    sentences = {one.name: one.sentence for one in shown}
    missing = [name for name in sentences if name not in said]
    if missing:
        with open_client(endpoint) as client:
            for name in bar(iter(missing), len(missing), "pictures judged"):
                body = request(endpoint.model, picture_path(folder, name).read_bytes(), sentences[name])
                said[name] = text_in(exchange(client, endpoint, endpoint.url, body=body), url=endpoint.url)
                write_json(path, {**uses, "said": said})
    marks = {name: mark_in(said[name]) for name in sentences}
    return {name: mark for name, mark in marks.items() if mark is not None}


def request(model: str, jpeg: bytes, sentence: str) -> dict[str, Any]:
    """What is posted about one picture."""
    content = [
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"}},
        {"type": "text", "text": ASKED.format(sentence=sentence)},
    ]
    return {
        "model": model, "messages": [{"role": "user", "content": content}], "max_tokens": MOST_TOKENS, "temperature": 0
    }  # fmt: skip


def text_in(answer: Any, *, url: str) -> str:
    """The text of a chat completion.

    Raises:
        InputError: it is none.
    """
    try:
        return str(answer["choices"][0]["message"].get("content") or "")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(f"{url}: the answer has no choices[0].message; valid is OpenAI's chat completion") from error


def mark_in(text: str) -> float | None:
    """The last score in a text, None where there is none or it is not 0 to 100."""
    found = SCORE.findall(text)
    return float(found[-1]) if found and int(found[-1]) <= 100 else None
