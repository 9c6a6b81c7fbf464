"""Scenes that wishes are about: what is in view, which grasps are right for which target, and damaged folders."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wish_folders import BOWL, HAMMER, MUG, SCISSORS, SIZE, Drawn, label, write_sim_scene

from graspwise.data.store import read_mask
from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import WishScenes, grasps_of, read_scene, read_wish_scenes
from graspwise.errors import InputError
from graspwise.files import read_json, write_json
from graspwise.grasp import Grasp

MUG_AT, SCISSORS_AT = 1, 2
DEEP = np.full((120, 160), 300, np.uint16)
DAMAGED = "scene.json or labels.json is damaged"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sim_scene(tmp_path / "scenes" / "000000", (MUG, SCISSORS))


def test_a_scene_is_what_its_files_say(folder: Path) -> None:
    scene = read_scene(folder)
    assert (scene.name, scene.image_size, scene.sets) == ("000000", SIZE, {"train"})
    assert scene.object_ids == ("train/mug-00", "train/scissors-01")
    assert [(thing.index, thing.category, thing.material) for thing in scene.things] == [
        (MUG_AT, "mug", "ceramic"), (SCISSORS_AT, "scissors", "steel")
    ]  # fmt: skip
    scissors = scene.thing(SCISSORS_AT)
    assert (scissors.parts, scissors.avoid) == (("handles",), ("blades",))
    assert {path.name for path in (scene.picture, scene.depth, scene.objects, scene.parts, scene.camera) if path} == {
        "rgb.png", "depth.png", "objects.png", "parts.png", "camera.yaml"
    }  # fmt: skip
    parts = read_mask(folder / "parts.png")
    for (index, name), value in scene.part_indices.items():
        assert name in scene.thing(index).parts + scene.thing(index).avoid
        assert (read_mask(scene.objects)[parts == value] == index).all()
    with pytest.raises(KeyError):
        scene.thing(3)


def test_right_grasps_are_on_the_target_and_on_its_part(folder: Path) -> None:
    scene = read_scene(folder)

    def held(*targets: Target) -> list[tuple[int, tuple[str, ...]]]:
        return [(grasp.index, grasp.parts) for grasp in grasps_of(scene, targets)]

    assert held(Target(MUG_AT, "mug", None)) == [(MUG_AT, ("handle",)), (MUG_AT, ("body",))]
    assert held(Target(MUG_AT, "mug", "body")) == [(MUG_AT, ("body",))]
    # Nobody may be told to hold the blades.
    assert held(Target(SCISSORS_AT, "scissors", None)) == [(SCISSORS_AT, ("handles",))]
    assert held(Target(SCISSORS_AT, "scissors", "blades")) == []
    both = held(Target(MUG_AT, "mug", "handle"), Target(SCISSORS_AT, "scissors", None))
    assert both == [(MUG_AT, ("handle",)), (SCISSORS_AT, ("handles",))]
    # A target that is there twice gives its grasps once.
    assert held(Target(MUG_AT, "mug", "body"), Target(MUG_AT, "mug", None)) == held(Target(MUG_AT, "mug", None))
    assert held() == []


@pytest.mark.parametrize(
    ("changes", "right"),
    [({}, True), ({"rate": 0.75}, True), ({"rate": 0.74}, False), ({"allowed": False}, False), ({"index": 2}, False)],
)
def test_right_is_what_lifts_often_enough_by_what_may_be_held(changes: dict, right: bool, tmp_path: Path) -> None:
    row = {**label(MUG_AT, Grasp(x=0.2, y=0.2, theta=0.0, opening=0.1)), **changes}
    scene = read_scene(write_sim_scene(tmp_path / "s", (MUG, SCISSORS), rows=[row]))
    assert bool(grasps_of(scene, [Target(MUG_AT, "mug", None)])) is right


def test_hidden_things_and_parts_are_not_in_view(folder: Path) -> None:
    objects, parts = (np.array(Image.open(folder / f"{name}.png")) for name in ("objects", "parts"))
    objects[objects == MUG_AT] = 0
    parts[parts == 4] = 0
    Image.fromarray(objects).save(folder / "objects.png")
    Image.fromarray(parts).save(folder / "parts.png")
    scene = read_scene(folder)
    assert [(thing.category, thing.parts) for thing in scene.things] == [("scissors", ("handles",))]
    assert scene.object_ids == ("train/scissors-01",)
    assert {grasp.index for grasp in scene.grasps} == {SCISSORS_AT}
    assert scene.part_indices == {(SCISSORS_AT, "handles"): 3}


def test_scenes_are_read_when_they_are_asked_for_from_either_folder(tmp_path: Path) -> None:
    for number in range(5):
        write_sim_scene(tmp_path / "scenes" / f"{number:06d}", (MUG, BOWL, HAMMER)[: 1 + number % 3])
    (tmp_path / "scenes" / "000003" / "scene.json").write_text("{")
    (tmp_path / "scenes" / ".000009.half").mkdir()
    scenes = read_wish_scenes(tmp_path)
    assert (len(scenes), scenes.source, scenes.has_parts) == (5, "sim", True)
    assert scenes.places == read_wish_scenes(tmp_path / "scenes").places
    assert [len(scenes[place].things) for place in (0, 1, 2, -1)] == [1, 2, 3, 2]
    part = scenes[1:3]
    assert isinstance(part, WishScenes) and [scene.name for scene in part] == ["000001", "000002"]
    with pytest.raises(InputError, match="not valid JSON"):
        scenes[3]
    with pytest.raises(IndexError):
        scenes[5]


def test_any_set_is_read_and_said(tmp_path: Path) -> None:
    mixed = write_sim_scene(tmp_path / "s", (MUG, Drawn("bowl", set="household")))
    assert read_scene(mixed).sets == {"train", "household"}


def change(name: str, edit: Callable[[dict], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        value = read_json(folder / name)
        edit(value)
        write_json(folder / name, value)

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "scene.json").unlink(), "scene.json: no such file"),
        (lambda folder: (folder / "objects.png").unlink(), "objects.png: no such file"),
        (lambda folder: (folder / "parts.png").write_bytes(b"x"), "parts.png: damaged or not a picture"),
        (lambda folder: Image.new("L", (40, 30)).save(folder / "parts.png"), "parts.png 40x30 pixels; valid"),
        (lambda folder: Image.new("L", (40, 30)).save(folder / "objects.png"), "objects.png is 40x30"),
        (lambda folder: Image.fromarray(DEEP).save(folder / "objects.png"), "valid is one channel of indices 0 to 255"),
        (change("scene.json", lambda value: value.pop("objects")), DAMAGED),
        (change("scene.json", lambda value: value["objects"].pop()), DAMAGED),
        (change("scene.json", lambda value: value["objects"][0].pop("parts")), DAMAGED),
        (change("scene.json", lambda value: value["objects"][0].update(index=999)), DAMAGED),
        (change("labels.json", lambda value: value.update(image_size=[160])), DAMAGED),
        (change("labels.json", lambda value: value["labels"][0].pop("rate")), DAMAGED),
        (change("labels.json", lambda value: value["labels"][0]["grasp"].update(x=2)), "Grasp.x is 2"),
        (change("labels.json", lambda value: value["labels"][0]["grasp"].update(z=2)), DAMAGED),
    ],
)  # fmt: skip
def test_what_is_damaged_is_named_in_one_line(damage: Callable[[Path], None], message: str, folder: Path) -> None:
    damage(folder)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_scene(folder)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)


def test_a_folder_without_scenes_is_refused(folder: Path) -> None:
    shutil.rmtree(folder)
    for given in (folder.parent.parent, folder.parent, folder):
        with pytest.raises(InputError, match="no scene there"):
            read_wish_scenes(given)
