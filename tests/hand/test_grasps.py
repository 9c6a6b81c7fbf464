"""The folder of a data set of hands: what is written is read, and damage is one line."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plain_solids import box, solid

from graspwise.errors import InputError
from graspwise.hand.grasps import ARRAYS, CAPTIONS, RECORD, Caption, HandDataset, HandGrasp, HandObject, keep_solid
from graspwise.hand.grasps import write_hands as write

SETS = ("train", "train", "train", "train", "household", "meshes", "oakink")


def thing(set_name: str, number: int) -> HandObject:
    block = solid(box((0, 0, 0), (0.1, 0.05, 0.02)), parts=("body", "lid"), face_parts=np.arange(12) % 2)
    return HandObject.of(
        block,
        object_id=f"{set_name}/thing-{number}",
        name="thing",
        set_name=set_name,
        rng=np.random.default_rng(number),
    )


def grasp(object_id: str, number: int) -> HandGrasp:
    captions = (
        Caption("low", "Thumb on the body.", (("thumb", "body"),)),
        Caption("talk", "leave the lid free", ((None, "body"),), ("lid",)),
    )
    parameters = np.random.default_rng(number).normal(size=38).astype(np.float32)
    return HandGrasp(object_id, parameters, {"thumb": ("body",), "palm": ()}, "firm", captions)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    objects = [thing(name, i) for i, name in enumerate(SETS)]
    grasps = [grasp(own.object_id, 2 * i + j) for i, own in enumerate(objects) for j in range(2)]
    write(tmp_path, hand="open", objects=objects, grasps=grasps, seed=3)
    return tmp_path


def test_what_is_written_is_read(folder: Path) -> None:
    found = HandDataset(folder)
    assert found.hand == "open" and len(found.grasps) == 14 and len(found.objects) == 7
    for number, own in enumerate(found.grasps):
        wanted = grasp(own.object_id, number)
        assert np.array_equal(own.parameters, wanted.parameters) and own.parameters.dtype == np.float32
        assert (own.fingers, own.force, own.captions) == (wanted.fingers, wanted.force, wanted.captions)
    for number, own_thing in enumerate(found.objects.values()):
        wanted_thing = thing(own_thing.set, number)
        # Points are kept in half precision: of a thing of 10 cm to less than 0.1 mm.
        assert np.abs(own_thing.cloud - wanted_thing.cloud).max() < 1e-4
        assert np.array_equal(own_thing.cloud_parts, wanted_thing.cloud_parts)
        assert own_thing.to_json() == wanted_thing.to_json()
        assert own_thing.size == pytest.approx(0.1)


def test_clouds_are_on_the_surface_with_its_normals() -> None:
    own = thing("train", 0)
    assert own.cloud.shape == own.normals.shape == (1024, 3)
    on = np.isclose(own.cloud, 0, atol=1e-6) | np.isclose(own.cloud, (0.1, 0.05, 0.02), atol=1e-6)
    assert on.any(axis=1).all() and np.allclose(np.abs(own.normals).max(axis=1), 1)


def test_household_and_meshes_are_never_learned_from(folder: Path) -> None:
    data = HandDataset(folder)
    for share in (None, 0.0, 0.5):
        for seed in range(5):
            split = data.split(test_share=share, validation=0.25, seed=seed)
            assert {"household/thing-4", "meshes/thing-5"} <= set(split.test)
            parts = (split.training, split.validation, split.test)
            assert sorted(name for part in parts for name in part) == sorted(data.objects)
            assert len(split.test) == (4 if share else 2)


def test_a_seed_gives_one_split(folder: Path) -> None:
    data = HandDataset(folder)
    assert data.split(seed=1, validation=0.4) == data.split(seed=1, validation=0.4)
    assert len({data.split(seed=seed, validation=0.4).validation for seed in range(8)}) > 1


def test_an_object_of_another_data_set_keeps_its_surface(folder: Path) -> None:
    block = solid(box((0, 0, 0), (0.1, 0.05, 0.02)), parts=("body", "lid"), face_parts=np.arange(12) % 2)
    with pytest.raises(InputError, match="thing-6"):
        HandDataset(folder).solid("oakink/thing-6")
    keep_solid(folder, "oakink/thing-6", block)
    found = HandDataset(folder).solid("oakink/thing-6")
    assert np.allclose(found.vertices, block.vertices) and np.array_equal(found.faces, block.faces)
    assert found.parts == block.parts and np.array_equal(found.face_parts, block.face_parts)


def test_an_object_of_the_simulator_is_made_again(tmp_path: Path) -> None:
    own = replace(thing("household", 0), object_id="household/lemon")
    write(tmp_path, hand="open", objects=[own], grasps=[grasp("household/lemon", 0)], seed=0)
    assert HandDataset(tmp_path).solid("household/lemon").parts == ("body", "stem", "leaf")
    with pytest.raises(InputError, match="no object household/mug"):
        HandDataset(tmp_path).solid("household/mug")


def of_another_task(folder: Path) -> None:
    (folder / RECORD).write_text(json.dumps({"task": "grasp", "version": 1}))


def without_a_line(folder: Path) -> None:
    lines = (folder / CAPTIONS).read_text().splitlines()
    (folder / CAPTIONS).write_text("\n".join(lines[1:]))


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (of_another_task, "no data set of hands"),
    (without_a_line, "found 13 lines; valid are 14"),
    (lambda folder: (folder / RECORD).unlink(), "no such file"),
    (lambda folder: (folder / ARRAYS).write_bytes(b"nothing"), "cannot be read"),
    (lambda folder: (folder / CAPTIONS).unlink(), "no such file"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGES)
def test_damage_is_one_line(folder: Path, damage: Callable[[Path], object], says: str) -> None:
    damage(folder)
    with pytest.raises(InputError, match=says):
        HandDataset(folder).grasps  # noqa: B018


def test_nothing_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no grasp was kept"):
        write(tmp_path, hand="open", objects=[], grasps=[], seed=0)


@pytest.mark.parametrize(
    ("options", "says"), [({"validation": 1.0}, "validation"), ({"test_share": -0.1}, "test_share")]
)
def test_a_share_is_a_share(folder: Path, options: dict[str, float], says: str) -> None:
    with pytest.raises(InputError, match=says):
        HandDataset(folder).split(**options)
