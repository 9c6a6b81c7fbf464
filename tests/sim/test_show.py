"""Scenes to look at: what was named is in them, the same for a seed, and nothing is written for bad input."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graspwise.errors import InputError
from graspwise.sim import show
from graspwise.sim.show import RenderConfig, render_scenes

FILES = {"rgb.png", "depth.png", "objects.png", "parts.png", "camera.yaml", "scene.json"}


def names_in(folder: Path) -> list[str]:
    return [row["name"] for row in json.loads((folder / "scene.json").read_text())["objects"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("show")
    seen = []
    config = RenderConfig(objects=("hammer", "banana"), scenes=2, seed=7)
    counts = list(render_scenes(config, out, progress=lambda stream, total: seen.append(total) or stream))
    assert seen == [2] and len(counts) == 2 and min(counts) >= 0
    return out


def test_all_that_was_named_is_in_each_scene(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["000000", "000001"]
    for scene in folder.iterdir():
        assert {path.name for path in scene.iterdir()} == FILES
        assert sorted(names_in(scene)) == ["banana", "hammer"]
        assert set(np.unique(np.asarray(Image.open(scene / "objects.png")))) == {0, 1, 2}


def test_scenes_differ_and_a_seed_brings_one_back(folder: Path, tmp_path: Path) -> None:
    assert (folder / "000000" / "rgb.png").read_bytes() != (folder / "000001" / "rgb.png").read_bytes()
    # The second scene of seed 7 is the first of seed 8.
    list(render_scenes(RenderConfig(objects=("hammer", "banana"), seed=8), tmp_path))
    for name in FILES:
        assert (tmp_path / "000000" / name).read_bytes() == (folder / "000001" / name).read_bytes()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Instead of scenes: how many things each would have."""
    counts: list[int] = []

    def settled(draw, *, seed: int, robot: object = None):
        ids, things = draw()
        assert len(ids) == len(things)
        counts.append(len(ids))
        raise InputError("enough")

    monkeypatch.setattr(show, "settled_scene", settled)
    return counts


@pytest.mark.parametrize(
    ("objects", "fewest", "most", "counts"),
    [
        (("household",), 0, 0, {5}),
        (("train",), 0, 0, {5}),
        (("mug", "banana", "hammer"), 0, 0, {3}),
        (("household",), 2, 4, {2, 3, 4}),
        (("mug", "banana", "hammer"), 1, 1, {1}),
    ],
)
def test_how_many_things_are_in_a_scene(objects, fewest, most, counts, drawn: list[int], tmp_path: Path) -> None:
    for seed in range(20):
        with pytest.raises(InputError, match="enough"):
            list(render_scenes(RenderConfig(objects=objects, seed=seed, fewest=fewest, most=most), tmp_path))
    assert set(drawn) == counts
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (RenderConfig(objects=("mug",), scenes=0), "--scenes is 0; valid is 1 or more"),
        (RenderConfig(objects=("mug",), seed=-1), "--seed is -1; valid is 0 or more"),
        (RenderConfig(objects=("unicorn",)), "unicorn: there is none of that name"),
        (RenderConfig(objects=("mug", "banana"), fewest=1, most=3), "1-3 things from 2 names; valid is 1 to 2"),
        (RenderConfig(objects=("household",), fewest=3, most=2), "3-2 things"),
        (RenderConfig(objects=("household",), fewest=1, most=13), "valid is 1 to 12"),
        (RenderConfig(objects=("household",), fewest=0, most=2), "0-2 things"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(config: RenderConfig, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        list(render_scenes(config, tmp_path / "out"))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
