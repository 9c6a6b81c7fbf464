"""Simulated scenes as labelled pictures: the folders' files, going on where it stopped, what becomes a label."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.cornell import read_rectangles
from graspwise.data.sim import RIGHT, Made, SimConfig, corners, is_right, make_scenes, read_sim, start
from graspwise.data.store import Dataset
from graspwise.errors import InputError
from graspwise.files import empty_directory, write_json
from graspwise.grasp import Grasp, angle_difference
from graspwise.picture import open_picture
from graspwise.rectangle import GraspRectangle
from graspwise.robot.camera_file import read_camera
from graspwise.sim import antipodal, label

CONFIG = SimConfig(objects=("eraser",), scenes=2, candidates=3, trials=2, seed=1)
FILES = {
    "rgb.png", "depth.png", "objects.png", "parts.png", "camera.yaml", "scene.json",
    "labels.json", "cpos.txt", "cneg.txt",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def few_samples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(antipodal, "SAMPLES", 300)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Made]]:
    """The folder of two real scenes, and what was said of them."""
    out = tmp_path_factory.mktemp("sim") / "data"
    return out, make_scenes(CONFIG, start(CONFIG, out), workers=1)


def row(**changes: object) -> dict[str, object]:
    grasp = asdict(Grasp(x=0.5, y=0.4, theta=0.3, opening=0.1, jaw=0.05))
    return {
        "index": 1, "grasp": grasp, "width": 0.03, "rate": 1.0, "trials": 4, "parts": ["handle"], "allowed": True,
        "causes": [], **changes,
    }  # fmt: skip


def written(folder: Path, rows: list[dict[str, object]], *, things: int = 1) -> Path:
    """A source folder with one scene of these labels."""
    names = ("steel knife", "red mug")[:things]
    objects = [
        {"name": name.split()[1], "index": index, "category": name.split()[1], "description": name}
        for index, name in enumerate(names, start=1)
    ]
    scene = folder / "scenes" / "000000"
    write_json(scene / "scene.json", {"objects": objects})
    ids = ["train/knife-03", "train/mug-11"][:things]
    write_json(scene / "labels.json", {"object_ids": ids, "image_size": [400, 400], "labels": rows})
    Image.fromarray(np.full((400, 400, 3), 180, np.uint8)).save(scene / "rgb.png")
    return folder / "scenes"


def test_a_scene_has_the_files_of_the_conventions(made: tuple[Path, list[Made]]) -> None:
    out, told = made
    assert {path.name for path in out.iterdir()} == {"scenes", "scenes.json"}
    assert [scene.name for scene in told] == ["000000", "000001"]
    for scene in told:
        folder = out / "scenes" / scene.name
        assert {path.name for path in folder.iterdir()} == FILES
        objects = json.loads((folder / "scene.json").read_text())["objects"]
        assert [(thing["index"], thing["category"]) for thing in objects] == [(1, objects[0]["category"])]
        assert set(np.unique(np.asarray(Image.open(folder / "objects.png")))) == {0, 1}
        camera = read_camera(folder / "camera.yaml")
        assert open_picture(folder / "rgb.png", depth_path=folder / "depth.png").size == camera.size


def test_labels_say_what_was_tried(made: tuple[Path, list[Made]]) -> None:
    out, told = made
    for scene in told:
        stored = json.loads((out / "scenes" / scene.name / "labels.json").read_text())
        assert stored["made"] == asdict(scene)
        assert re.fullmatch(r"train/eraser-\d\d", *stored["object_ids"])
        rows = stored["labels"]
        assert scene.objects == 1 and 1 <= scene.labels == len(rows) <= CONFIG.candidates
        assert scene.right == sum(row["rate"] >= RIGHT and row["allowed"] for row in rows)
        assert all(row["trials"] <= CONFIG.trials and row["index"] == 1 for row in rows)


def test_cornells_reader_reads_the_rectangles(made: tuple[Path, list[Made]]) -> None:
    out, told = made
    for scene in told:
        folder = out / "scenes" / scene.name
        rows = json.loads((folder / "labels.json").read_text())["labels"]
        for name, rate in (("cpos.txt", 1), ("cneg.txt", 0)):
            expected = [Grasp(**row["grasp"]).rectangle(image_size=(400, 400)) for row in rows if row["rate"] == rate]
            found = read_rectangles(folder / name)
            assert len(found) == len(expected)
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_allclose(one.corners, other.corners, atol=0.01)
    assert sum(len(read_rectangles(out / "scenes" / scene.name / "cpos.txt")) for scene in told) > 0


def test_what_always_lifts_and_what_never_does_is_in_cornells_files(tmp_path: Path, monkeypatch) -> None:
    grasp = Grasp(x=0.5, y=0.5, theta=0.2, opening=0.1)
    scripted = [
        label.Label(replace(grasp, x=x), 1, 0.03, rate, 4, (), allowed, ())
        for x, rate, allowed in (
            (0.1, 1.0, True),
            (0.2, 1.0, False),
            (0.3, 0.75, True),
            (0.4, 0.5, True),
            (0.5, 0.0, False),
        )
    ]
    monkeypatch.setattr(label, "label_object", lambda *_, **__: scripted)
    config = replace(CONFIG, scenes=1)
    (made,) = make_scenes(config, start(config, tmp_path), workers=1)
    assert (made.labels, made.right) == (5, 2)
    for name, places in (("cpos.txt", (0.1, 0.2)), ("cneg.txt", (0.5,))):
        found = read_rectangles(tmp_path / "scenes" / "000000" / name)
        assert [r.center[0] for r in found] == pytest.approx([400 * x - 0.5 for x in places], abs=1e-3)
    (picture,) = read_sim(tmp_path / "scenes")
    assert [r.center[0] for r in picture.rectangles] == pytest.approx([39.5, 119.5], abs=1e-3)


def test_corners_are_four_lines_a_rectangle_clockwise(tmp_path: Path) -> None:
    grasps = [Grasp(x=0.5, y=0.25, theta=theta, opening=0.2, jaw=0.1) for theta in (0.0, 1.2, -0.7)]
    text = corners(grasps, (200, 100))
    assert text.splitlines()[0] == "79.500 14.500"
    (tmp_path / "cpos.txt").write_text(text)
    for rectangle, grasp in zip(read_rectangles(tmp_path / "cpos.txt"), grasps, strict=True):
        assert rectangle.is_clockwise
        assert (rectangle.opening, rectangle.jaw) == pytest.approx((40, 20), abs=0.01)
        assert angle_difference(rectangle.theta, grasp.theta) < 1e-3
    assert corners([], (200, 100)) == ""


def test_pictures_carry_right_and_allowed_labels(made: tuple[Path, list[Made]]) -> None:
    out, told = made
    pictures = {picture.path.parent.name: picture for picture in read_sim(out / "scenes")}
    assert set(pictures) == {scene.name for scene in told if scene.right}
    for name, picture in pictures.items():
        rows = json.loads((out / "scenes" / name / "labels.json").read_text())["labels"]
        assert len(picture.rectangles) == sum(is_right(row) for row in rows)
        assert len(picture.negatives) == sum(row["rate"] == 0 for row in rows)
        assert picture.object_id.startswith("train/eraser-") and not picture.among_others
        opened = picture.open(depth=True)
        assert opened.depth is not None and opened.depth.shape == opened.rgb.shape[:2]
        # Nearer to the camera than the table.
        for rectangle in picture.rectangles:
            x, y = rectangle.center
            assert opened.depth[round(y), round(x)] < np.nanmedian(opened.depth) - 0.005


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({}, True),
        ({"rate": 0.75}, True),
        ({"rate": 0.74}, False),
        ({"allowed": False}, False),
        ({"rate": 0.0, "allowed": False}, False),
    ],
)
def test_which_labels_are_right(changes: dict, right: bool, tmp_path: Path) -> None:
    assert is_right(row(**changes)) == right
    pictures = read_sim(written(tmp_path, [row(**changes)]))
    assert len(pictures) == right


def test_each_thing_has_its_own_labels(tmp_path: Path) -> None:
    there = asdict(Grasp(x=0.2, y=0.3, theta=-0.5, opening=0.08))
    rows = [
        row(),
        row(index=2, grasp=there),
        row(index=2, rate=0.5),
        row(index=2, rate=0.0),
        row(rate=0.0, allowed=False),
    ]
    knife, mug = read_sim(written(tmp_path, rows, things=2))
    assert (knife.name, knife.object_id, knife.category) == ("000000-1", "train/knife-03", "knife")
    assert (mug.name, mug.object_id, mug.description) == ("000000-2", "train/mug-11", "red mug")
    assert [len(thing.rectangles) for thing in (knife, mug)] == [1, 1]
    assert [len(thing.negatives) for thing in (knife, mug)] == [1, 1]
    assert mug.rectangles[0].center == pytest.approx((79.5, 119.5))
    assert mug.rectangles[0].opening == pytest.approx(32)
    assert knife.among_others and mug.among_others


def test_one_of_several_things_is_always_asked_for_by_name(tmp_path: Path) -> None:
    pictures = read_sim(written(tmp_path, [row(), row(index=2)], things=2))
    config = BuildConfig(samples=16, size=64, seed=0)
    out = build_dataset(pictures, source="sim", out=tmp_path / "data", config=config, workers=1)
    for sample in Dataset(out):
        assert sample.category in sample.instruction
    alone = [replace(picture, among_others=False) for picture in pictures]
    out = build_dataset(alone, source="sim", out=tmp_path / "alone", config=config, workers=1)
    assert 0 < sum(sample.category not in sample.instruction for sample in Dataset(out)) < 16


def test_a_data_set_is_built_beside_its_scenes(made: tuple[Path, list[Made]], tmp_path: Path) -> None:
    out = shutil.copytree(made[0], tmp_path / "data")
    pictures = read_sim(out / "scenes")
    config = BuildConfig(samples=2 * len(pictures), size=96, seed=0, depth=True)
    build_dataset(pictures, source="sim", out=out, config=config, workers=1, besides=("scenes", "scenes.json"))
    dataset = Dataset(out)
    assert dataset.info["source"] == "sim" and len(list(dataset)) == 2 * len(pictures)
    for sample in dataset:
        picture = dataset.picture(sample, depth=True)
        assert picture.depth is not None and sample.object_id.startswith("train/eraser-")
        assert all(0 <= value < 96 for r in sample.rectangles for value in r.center)
    assert {path.name for path in out.iterdir()} > {"scenes", "scenes.json", "images", "dataset.json"}


def test_a_folder_may_hold_what_is_named_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    assert empty_directory(tmp_path, besides=("scenes", "scenes.json")) == tmp_path
    for besides in ((), ("scenes.json",)):
        with pytest.raises(InputError, match="not an empty folder"):
            empty_directory(tmp_path, besides=besides)
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match="not an empty folder"):
        empty_directory(tmp_path, besides=("scenes",))


def test_the_same_command_goes_on_and_redoes_nothing(
    made: tuple[Path, list[Made]], tmp_path: Path, monkeypatch
) -> None:
    out = shutil.copytree(made[0], tmp_path / "data")
    shutil.rmtree(out / "scenes" / "000001")
    first = out / "scenes" / "000000"
    before = {path: path.stat().st_mtime_ns for path in (out / "scenes.json", *first.iterdir())}
    asked = []
    labelled = label.label_object
    monkeypatch.setattr(
        label, "label_object", lambda scene, *a, **k: asked.append(scene.seed) or labelled(scene, *a, **k)
    )
    assert make_scenes(CONFIG, start(CONFIG, out), workers=1) == made[1]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(asked) == 1
    # And what was lost is made again as it was.
    for name in FILES:
        again, was = (folder / "scenes" / "000001" / name for folder in (out, made[0]))
        assert again.read_bytes() == was.read_bytes(), name


def test_a_scene_that_was_cut_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("graspwise.sim.render.write_scene", stop)
    config = replace(CONFIG, candidates=1, trials=1, scenes=1)
    with pytest.raises(KeyboardInterrupt):
        make_scenes(config, start(config, tmp_path), workers=1)
    assert list((tmp_path / "scenes").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"seed": 2}, "seed"),
        ({"objects": ("eraser", "sponge")}, "objects"),
        ({"trials": 3, "candidates": 5}, "candidates, trials"),
        ({"scenes": 3}, "scenes"),
    ],
)
def test_another_configuration_is_refused(changes: dict, names: str, made: tuple[Path, list[Made]]) -> None:
    with pytest.raises(InputError, match=f"begun with another {names}; give the same, or a new --out"):
        start(replace(CONFIG, **changes), made[0])


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="not an empty folder"):
        start(CONFIG, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objects": ("household",)}, "the set household is not for this; valid: train"),
        ({"objects": ("household:mug",)}, "the set household is not for this"),
        ({"objects": ("whisk",)}, "those are for testing only"),
        ({"objects": ("unicorn",)}, "there is none of that name"),
        ({"scenes": 0}, "--scenes is 0; valid is 1 or more"),
        ({"fewest": 3, "most": 2}, "--clutter is 3-2"),
        ({"fewest": 0, "most": 2}, "--clutter is 0-2"),
        ({"most": 13}, "--clutter is 1-13"),
        ({"candidates": 0}, "--candidates is 0"),
        ({"trials": 0}, "--trials is 0"),
        ({"seed": -1}, "--seed is -1"),
    ],
)
def test_bad_input_is_one_line_and_leaves_the_folder_free(changes: dict, message: str, tmp_path: Path) -> None:
    config = replace(CONFIG, **{"scenes": 1, **changes})
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        make_scenes(config, start(config, tmp_path / "data"), workers=1)
    assert "\n" not in str(caught.value)
    # The command put right may go there.
    start(CONFIG, tmp_path / "data")


def test_no_scenes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no scene there"):
        read_sim(tmp_path)


def test_a_scene_without_right_labels_is_no_picture(tmp_path: Path) -> None:
    assert read_sim(written(tmp_path, [row(rate=0.5), row(allowed=False)])) == []


def test_rectangles_are_in_the_pictures_pixels(tmp_path: Path) -> None:
    (picture,) = read_sim(written(tmp_path, [row()]))
    (rectangle,) = picture.rectangles
    expected = GraspRectangle.from_pose(center=(199.5, 159.5), theta=0.3, opening=40, jaw=20)
    np.testing.assert_allclose(rectangle.corners, expected.corners, atol=1e-6)
