"""Work on Ray whose workers are killed in the middle: the same results to the byte, and nothing done twice."""

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from killed_workers import killing_one
from wish_drawn import draw_scene

from graspwise.data import wish_build
from graspwise.data.wish_build import WishConfig, build_wishes
from graspwise.data.wish_scenes import read_wish_scenes
from graspwise.errors import InputError
from graspwise.parallel import RETRIES, in_order

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One Ray for all tests; work that asks for a local one finds it."""
    # Workers do not find the tests' own modules.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def cell(number: int, *, folder: Path, deaths: int) -> int:
    """A piece of work that leaves a mark each time it is begun; number 2 kills its process the first times."""
    with (folder / f"{number}.begun").open("a") as marks:
        marks.write("x")
    if number == 2 and len((folder / f"{number}.begun").read_text()) <= deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_only_the_work_of_a_worker_that_died_is_begun_again(tmp_path: Path) -> None:
    assert list(in_order(partial(cell, folder=tmp_path, deaths=1), range(6), ray="local")) == [0, 1, 4, 9, 16, 25]
    begun = [len((tmp_path / f"{number}.begun").read_text()) for number in range(6)]
    assert begun == [1, 1, 2, 1, 1, 1]


def test_work_that_kills_every_worker_ends_in_one_line(tmp_path: Path) -> None:
    stream = in_order(partial(cell, folder=tmp_path, deaths=RETRIES + 9), range(4), ray="local")
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(InputError, match=f"died {RETRIES + 1} times") as caught:
        next(stream)
    assert "\n" not in str(caught.value)
    assert len((tmp_path / "2.begun").read_text()) == RETRIES + 1


def test_a_killed_worker_changes_nothing_in_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wish_build, "PIECE", 25)
    for number, things in enumerate([("mug", "bowl"), ("bowl", "hammer", "mug"), ("hammer", "mug")]):
        draw_scene(tmp_path / "scenes" / f"{number:06d}", *things)
    scenes, config = read_wish_scenes(tmp_path), WishConfig(samples=200, size=64, seed=2)
    alone = build_wishes(scenes, out=tmp_path / "alone", config=config, workers=1)
    # The first pieces are written while later ones are under way.
    with killing_one(lambda: any(tmp_path.glob(".ray.*/ray/samples-*.jsonl"))) as killed:
        on_ray = build_wishes(scenes, out=tmp_path / "ray", config=config, ray="local")
    assert killed
    assert contents(on_ray) == contents(alone)
