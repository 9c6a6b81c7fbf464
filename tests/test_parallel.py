"""Work in order, whatever runs it: the same results, errors that arrive, items taken only as they are needed."""

import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from graspwise.errors import InputError
from graspwise.files import read_json, write_json
from graspwise.parallel import AHEAD, in_order, on_ray


def late_square(number: int) -> tuple[int, int]:
    """A square and who made it; the first take the longest."""
    time.sleep(0.2 if number == 0 else 0.0)
    return number * number, os.getpid()


def picky(number: int, *, refused: int) -> int:
    if number == refused:
        raise InputError(f"scene {number}: found nothing; valid is something")
    return number


class Counted:
    """Numbers below `end` that remember how many were taken."""

    def __init__(self, end: int) -> None:
        self.end, self.taken = end, 0

    def __iter__(self) -> Iterator[int]:
        for number in range(self.end):
            self.taken += 1
            yield number


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers: int) -> None:
    results = list(in_order(late_square, range(12), workers=workers))
    assert [square for square, _ in results] == [number**2 for number in range(12)]
    makers = {maker for _, maker in results}
    assert (os.getpid() in makers) == (workers == 1)
    assert len(makers) <= workers


def test_no_items_no_results() -> None:
    assert list(in_order(abs, [], workers=1)) == []
    assert list(in_order(abs, [], workers=2)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_workers_exception_arrives_after_the_results_before_it(workers: int) -> None:
    stream = in_order(partial(picky, refused=3), range(6), workers=workers)
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError) as caught:
        next(stream)
    assert str(caught.value) == "scene 3: found nothing; valid is something"


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (2, 2 * AHEAD + 1)])
def test_items_are_taken_as_they_are_needed(workers: int, ahead: int) -> None:
    numbers = Counted(1000)
    stream = in_order(abs, numbers, workers=workers)
    assert next(stream) == 0
    assert numbers.taken <= ahead
    stream.close()
    assert numbers.taken <= ahead


@pytest.mark.parametrize("workers", [0, -1])
def test_there_is_one_process_or_more(workers: int) -> None:
    with pytest.raises(InputError, match=f"--workers is {workers}; valid is 1 or more"):
        list(in_order(abs, [1], workers=workers))


def test_ray_gives_the_same_and_its_errors_are_one_line(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    paths = [tmp_path / f"{number}.json" for number in range(6)]
    for number, path in enumerate(paths):
        write_json(path, number)
    stream = in_order(read_json, [*paths, tmp_path / "missing.json"], ray="local")
    assert [next(stream) for _ in paths] == list(range(6))
    with pytest.raises(InputError) as caught:
        next(stream)
    assert str(caught.value) == f"{tmp_path / 'missing.json'}: no such file"


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'graspwise\[ray\]'"):
        next(on_ray(abs, [1], address="local"))
