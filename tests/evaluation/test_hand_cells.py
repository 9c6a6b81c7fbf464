"""Cells are gone on with object by object, and come out as if never interrupted."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from graspwise.errors import InputError
from graspwise.evaluation.hand_cells import fill_cells
from graspwise.evaluation.hand_measures import HandRow

WANTED = {4: "mug", 1: "pan", 3: "mug", 2: "jug"}


class Method:
    """Gives two rows to a number; stops, as by Ctrl-C, at an object."""

    def __init__(self, stops_at: str = "") -> None:
        self.stops_at, self.made = stops_at, list[tuple[str, list[int]]]()

    def __call__(self, object_id: str, some: Sequence[int]) -> list[list[HandRow]]:
        if object_id == self.stops_at:
            raise KeyboardInterrupt
        self.made.append((object_id, list(some)))
        return [[HandRow(n, object_id, (k,), {}, 0.0, 0.0, 0.0, None, None) for n in some] for k in (0.0, 1.0)]


def fill(folder: Path, method: Method, **changed: str) -> list[list[HandRow]]:
    return fill_cells(
        folder, "part", ["a", "a, adapted"], seed=0, uses={"model": "x", **changed}, wanted=WANTED,
        make=lambda: method, bar=lambda stream, total, title: stream,
    )  # fmt: skip


def test_an_interrupted_cell_is_gone_on_with(tmp_path: Path) -> None:
    whole = fill(tmp_path / "whole", Method())
    assert [[row.number for row in rows] for rows in whole] == [[4, 1, 3, 2]] * 2
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "broken", Method(stops_at="jug"))
    after = Method()
    assert fill(tmp_path / "broken", after) == whole and after.made == [("jug", [2])]
    cells = [sorted((tmp_path / name / "cells").iterdir()) for name in ("whole", "broken")]
    assert [path.read_bytes() for path in cells[0]] == [path.read_bytes() for path in cells[1]]
    # Of two cells the one that is behind decides.
    cells[1][0].unlink()
    again = Method()
    assert fill(tmp_path / "broken", again) == whole
    assert sorted(number for _, some in again.made for number in some) == [1, 2, 3, 4]
    done = Method()
    fill(tmp_path / "broken", done)
    assert done.made == []


def test_cells_of_something_else_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, Method())
    with pytest.raises(InputError, match="made with another model"):
        fill(tmp_path, Method(), model="y")
