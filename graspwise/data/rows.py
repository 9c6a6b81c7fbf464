"""Samples of a data set that are read from their files when they are asked for, so that ten million take no memory.

A line's place is known by its block: where every `BLOCK`-th line of a file begins, and which lines of the block belong
to the selection. That is half a byte a line.
"""

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np

from graspwise.data.store import Sample, Source, parsed
from graspwise.errors import InputError

# Lines of a block, as many as a word has bits.
BLOCK = 64


class Rows(Sequence[Sample]):
    """Chosen lines of a data set's files, in their order. Reading is safe from several threads.

    A selection is made line by line: every line of every source goes past `pass_by`, in order, then `close` is called.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._source, self._offset, self._chosen = array("I"), array("Q"), array("Q")
        self._before = np.zeros(1, dtype=np.int64)

    def pass_by(self, source: int, line: int, offset: int, *, chosen: bool) -> None:
        """Go past a line.

        Args:
            source: Which of the sources it is in.
            line: Its number there, from 0.
            offset: Where it begins, bytes.
            chosen: Whether it belongs to the selection.
        """
        if line % BLOCK == 0:
            self._source.append(source)
            self._offset.append(offset)
            self._chosen.append(0)
        if chosen:
            self._chosen[-1] |= 1 << (line % BLOCK)

    def close(self) -> "Rows":
        """Forget the blocks of which nothing was chosen; the selection is made."""
        counts = np.bitwise_count(np.frombuffer(self._chosen, dtype=np.uint64)).astype(np.int64)
        kept = counts > 0
        for name, kind in (("_source", np.uint32), ("_offset", np.uint64), ("_chosen", np.uint64)):
            setattr(self, name, np.frombuffer(getattr(self, name), dtype=kind)[kept])
        self._before = np.concatenate([[0], np.cumsum(counts[kept])])
        return self

    def __len__(self) -> int:
        return int(self._before[-1])

    @overload
    def __getitem__(self, place: int) -> Sample: ...
    @overload
    def __getitem__(self, place: slice) -> list[Sample]: ...
    def __getitem__(self, place: int | slice) -> Sample | list[Sample]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        index = place + len(self) if place < 0 else place
        if not 0 <= index < len(self):
            raise IndexError(place)
        block = int(np.searchsorted(self._before, index, side="right")) - 1
        line = self._lines(block)[index - int(self._before[block])]
        source = self._sources[self._source[block]]
        with source.path.open("rb") as stream:
            stream.seek(int(self._offset[block]))
            text = next(islice(stream, line, None), b"")
        return source.sample(parsed(text, where=source.path))

    def __iter__(self) -> Iterator[Sample]:
        for block in range(len(self._offset)):
            source = self._sources[self._source[block]]
            with source.path.open("rb") as stream:
                stream.seek(int(self._offset[block]))
                texts = list(islice(stream, BLOCK))
            for line in self._lines(block):
                yield source.sample(parsed(b"".join(texts[line : line + 1]), where=source.path))

    def _lines(self, block: int) -> list[int]:
        chosen = int(self._chosen[block])
        return [line for line in range(BLOCK) if chosen >> line & 1]


class Picked(Sequence[Sample]):
    """Some of a sequence of samples, by their places in it, 4 bytes each."""

    def __init__(self, samples: Sequence[Sample], places: Iterable[int]) -> None:
        self._samples, self._places = samples, array("I", places)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Sample: ...
    @overload
    def __getitem__(self, place: slice) -> list[Sample]: ...
    def __getitem__(self, place: int | slice) -> Sample | list[Sample]:
        if isinstance(place, slice):
            return [self._samples[index] for index in self._places[place]]
        return self._samples[self._places[place]]


def those(samples: Sequence[Sample], wanted: Callable[[Sample], bool]) -> Picked:
    """The samples that are wanted; each is looked at once, and its place alone is kept."""
    return Picked(samples, (place for place, sample in enumerate(samples) if wanted(sample)))


class Outline(NamedTuple):
    """What a split asks of a sample; reading it takes a tenth of the time of the sample's."""

    object_id: str
    category: str
    source_image: str
    original: bool
    wish: bool


def outline(line: bytes, *, source: Source, number: int) -> Outline:
    """Of a line of a source, its number from 1.

    Raises:
        InputError: it is not a sample.
    """
    try:
        value = json.loads(line)
        return Outline(
            value["object_id"], value["category"], source.prefix + value["source_image"], value["original"],
            "wish" in value,
        )  # fmt: skip
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(f"{source.path}: line {number} is not a sample ({error})") from error


def outlines(sources: Sequence[Source]) -> Iterator[Outline]:
    """Of all samples of some files, in order."""
    for source in sources:
        for number, _, text in read_lines(source.path):
            yield outline(text, source=source, number=number + 1)


def read_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Number, offset and text of every line of a file, one at a time."""
    offset = 0
    with path.open("rb") as stream:
        for number, text in enumerate(stream):
            yield number, offset, text
            offset += len(text)
