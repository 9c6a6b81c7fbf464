"""How alike two sentences are, for the neighbour by caption: MiniLM, or where it cannot be had the words they share."""

import re
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from graspwise.errors import InputError
from graspwise.evaluation.wish_choosers import MiniLm, Say

# Sentences that are encoded at once.
BATCH = 64


class Likeness(Protocol):
    """Vectors of sentences whose product is how alike they are.

    Attributes:
        note: How, for the report.
    """

    note: str

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(n, D) float32, each of length 1 or 0."""


class SentenceVectors:
    """MiniLM's cosine.

    Raises:
        InputError: its package can neither be found nor fetched.
    """

    note = "by the cosine of all-MiniLM-L6-v2"

    def __init__(self, *, say: Say) -> None:
        self._encoder = MiniLm(say=say)

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        # Texts of one length waste nothing on padding.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        parts = [
            self._encoder.vectors([texts[i] for i in order[at : at + BATCH]]) for at in range(0, len(order), BATCH)
        ]
        found = np.concatenate(parts).astype(np.float32)
        return found[np.argsort(order)]


class WordVectors:
    """The cosine of which words two sentences have, words of few sentences weighing more.

    Args:
        known: Sentences that tell which words there are and how rare they are.
    """

    note = "by the words that both have, rare ones weighing more, as MiniLM's package could not be had"

    def __init__(self, known: Sequence[str]) -> None:
        split = [words_in(text) for text in known]
        names = sorted(set().union(*split))
        self._place = {word: place for place, word in enumerate(names)}
        counts = np.zeros(len(names))
        for words in split:
            counts[[self._place[word] for word in words]] += 1
        self._weights = np.log((1 + len(known)) / (1 + counts)) + 1

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), len(self._weights)), np.float32)
        for row, text in enumerate(texts):
            places = [self._place[word] for word in words_in(text) if word in self._place]
            found[row, places] = self._weights[places]
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def words_in(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def open_likeness(known: Sequence[str], *, say: Callable[[str], None]) -> Likeness:
    """MiniLM, or where its package cannot be had the words of known sentences."""
    try:
        return SentenceVectors(say=say)
    except InputError as error:
        say(f"nearest neighbour by caption: {error}; the words that captions share are taken instead")
        return WordVectors(known)
