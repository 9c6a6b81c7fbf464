"""GraspNet-1Billion's own layout: what is written as its API writes it is read as it was meant."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from wish_folders import SIZE, rect_row, write_graspnet_frame

from graspwise.data.graspnet import CATEGORIES, MOST, read_frame, read_graspnet, read_rectangles
from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import grasps_of
from graspwise.errors import InputError
from graspwise.grasp import Grasp, angle_difference
from graspwise.metric import is_hit
from graspwise.rectangle import GraspRectangle

BOX, CUP = 1, 8


def saved(folder: Path, rows: list[list[float]]) -> Path:
    path = folder / "0000.npy"
    np.save(path, np.array(rows, np.float32).reshape(-1, 7))
    return path


@given(
    x=st.floats(0, SIZE[0] - 1), y=st.floats(0, SIZE[1] - 1), theta=st.floats(-math.pi, math.pi),
    opening=st.floats(1, 150), jaw=st.floats(1, 60), score=st.floats(0.7, 1.0), object_id=st.integers(0, 87),
)  # fmt: skip
def test_a_rectangle_read_is_the_one_written(
    x: float, y: float, theta: float, opening: float, jaw: float, score: float, object_id: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    written = GraspRectangle.from_pose(center=(x, y), theta=theta, opening=opening, jaw=jaw)
    path = saved(tmp_path_factory.mktemp("rect"), [rect_row(written, score=score, object_id=object_id)])
    (found,) = read_rectangles(path, image_size=SIZE)
    read = found.grasp.rectangle(image_size=SIZE)
    assert (found.index, found.parts, found.is_right) == (object_id + 1, (), True)
    assert read.center == pytest.approx((x, y), abs=1e-3)
    assert (read.opening, read.jaw) == pytest.approx((opening, jaw), abs=1e-3)
    assert angle_difference(read.theta, written.theta) < 1e-3
    assert read.is_clockwise
    assert found.grasp.quality == pytest.approx(score, abs=1e-6)


def test_the_open_point_is_half_an_opening_away_and_up_is_positive(tmp_path: Path) -> None:
    # 30 pixels right of the centre and 40 above it: the jaws are 100 apart, open towards the upper right.
    (found,) = read_rectangles(saved(tmp_path, [[60, 70, 90, 30, 25, 0.9, 3]]), image_size=SIZE)
    rectangle = found.grasp.rectangle(image_size=SIZE)
    assert (rectangle.opening, rectangle.jaw) == pytest.approx((100, 25))
    assert rectangle.theta == pytest.approx(math.atan2(40, 30))
    # Its other open point says the same grasp.
    (other,) = read_rectangles(saved(tmp_path, [[60, 70, 30, 110, 25, 0.9, 3]]), image_size=SIZE)
    np.testing.assert_allclose(other.grasp.rectangle(image_size=SIZE).corners, rectangle.corners, atol=1e-4)


@pytest.mark.parametrize(("score", "count"), [(1.0, 1), (0.7, 1), (0.6, 0), (0.1, 0), (-0.9, 0)])
def test_a_score_is_the_better_the_higher_and_right_to_friction_0_4(score: float, count: int, tmp_path: Path) -> None:
    assert len(read_rectangles(saved(tmp_path, [[60, 70, 90, 30, 25, score, 3]]), image_size=SIZE)) == count


@pytest.mark.parametrize(
    "row",
    [[-3, 70, 90, 30, 25, 1, 3], [60, 121, 90, 30, 25, 1, 3], [60, 70, 60, 70, 25, 1, 3], [60, 70, 90, 30, 0, 1, 3]],
)
def test_what_is_no_grasp_in_the_picture_is_left_out(row: list[float], tmp_path: Path) -> None:
    kept = [40, 40, 60, 40, 10, 0.8, 3]
    (found,) = read_rectangles(saved(tmp_path, [row, kept]), image_size=SIZE)
    assert found.grasp.pixel(image_size=SIZE) == pytest.approx((40, 40))


def test_of_nearly_equal_grasps_the_best_stays_and_none_is_far_from_one_that_stays(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(4000):
        x, y, turn = rng.uniform(40, 100), rng.uniform(40, 80), rng.uniform(0, math.pi)
        score = round(float(rng.choice(np.arange(0.7, 1.01, 0.1))), 1)
        rectangle = GraspRectangle.from_pose(center=(x, y), theta=turn, opening=40, jaw=15)
        rows.append(rect_row(rectangle, score=score, object_id=int(rng.integers(2))))
    found = read_rectangles(saved(tmp_path, rows), image_size=SIZE)
    qualities = [grasp.grasp.quality for grasp in found]
    assert qualities == sorted(qualities, reverse=True) and qualities[0] == pytest.approx(1.0)
    for index in (1, 2):
        mine = [grasp for grasp in found if grasp.index == index]
        assert 30 < len(mine) <= MOST
    # The same file gives the same grasps.
    assert found == read_rectangles(tmp_path / "0000.npy", image_size=SIZE)


def test_what_stays_is_spread_over_a_thing_so_that_every_right_grasp_is_still_a_hit(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows, rectangles = [], []
    for _ in range(6000):
        x, y = rng.uniform(200, 400), rng.uniform(100, 130)
        rectangle = GraspRectangle.from_pose(
            center=(x, y), theta=math.pi / 2 + rng.uniform(-0.7, 0.7), opening=rng.uniform(40, 60), jaw=25
        )
        rectangles.append(rectangle)
        # The best ones are at its left end.
        rows.append(rect_row(rectangle, score=1.0 if x < 300 else 0.8, object_id=0))
    size = (640, 360)
    found = read_rectangles(saved(tmp_path, rows), image_size=size)
    kept = [grasp.grasp.rectangle(image_size=size) for grasp in found]
    assert len(kept) == MOST and any(rectangle.center[0] > 390 for rectangle in kept)
    for rectangle in rectangles[:400]:
        assert is_hit(Grasp.from_rectangle(rectangle, image_size=size), labels=kept, image_size=size)


def test_a_frame_is_a_scene(tmp_path: Path) -> None:
    folder = write_graspnet_frame(tmp_path)
    (scene,) = read_graspnet(tmp_path)
    assert (scene.name, scene.group, scene.image_size) == ("scene_0000-kinect-0000", "scene_0000", SIZE)
    assert [(thing.index, thing.category, thing.parts) for thing in scene.things] == [
        (BOX, "cracker box", ()), (CUP, "mug", ())
    ]  # fmt: skip
    assert scene.object_ids == ("graspnet-train/003_cracker_box", "graspnet-train/025_mug")
    assert scene.sets == {"graspnet-train"}
    assert (scene.depth, scene.camera, scene.parts) == (folder / "depth" / "0000.png", folder / "camK.npy", None)
    mask = np.asarray(Image.open(scene.objects))
    for thing in scene.things:
        right = grasps_of(scene, [Target(thing.index, thing.category, None)])
        assert len(right) == 2
        for grasp in right:
            x, y = grasp.grasp.pixel(image_size=SIZE)
            assert mask[round(y), round(x)] == thing.index


def test_things_that_are_hidden_and_their_grasps_are_not_in_view(tmp_path: Path) -> None:
    folder = write_graspnet_frame(tmp_path)
    mask = np.array(Image.open(folder / "label" / "0000.png"))
    mask[mask == CUP] = 0
    Image.fromarray(mask).save(folder / "label" / "0000.png")
    scene = read_frame(folder / "0000")
    assert [thing.index for thing in scene.things] == [BOX]
    assert {grasp.index for grasp in scene.grasps} == {BOX}


@pytest.mark.parametrize(
    ("mesh", "category"),
    [("065-b_cups", "toy cup"), ("072-k_toy_airplane", "toy part"), ("072-a_toy_airplane", "toy airplane"),
     ("black_mouse", "computer mouse"), ("043_phillips_screwdriver", "screwdriver"), ("part1", "machine part"),
     ("weiquan", "beverage"), ("dabao_wash_soup", "body wash"), ("unheard_of", "object"), ("", "object")],
)  # fmt: skip
def test_meshes_have_categories(mesh: str, category: str, tmp_path: Path) -> None:
    scene = read_frame(write_graspnet_frame(tmp_path, meshes=((30, mesh),)) / "0000")
    assert [thing.category for thing in scene.things] == [category]


def test_both_cameras_and_all_scenes_are_read_in_order_training_and_test_apart(tmp_path: Path) -> None:
    for scene, camera, frame in ((3, "realsense", 1), (3, "kinect", 0), (99, "kinect", 255), (100, "kinect", 0)):
        write_graspnet_frame(tmp_path, scene=scene, camera=camera, frame=frame)
    write_graspnet_frame(tmp_path, scene=160, meshes=((75, "bar_clamp"),))
    # A picture without labels is none of them.
    (tmp_path / "scenes" / "scene_0003" / "kinect" / "rgb" / "0007.png").write_bytes(b"x")
    assert [scene.name for scene in read_graspnet(tmp_path)] == [
        "scene_0003-kinect-0000", "scene_0003-realsense-0001", "scene_0099-kinect-0255"
    ]  # fmt: skip
    seen, novel = read_graspnet(tmp_path, test=True)
    assert (seen.sets, novel.sets) == ({"graspnet-seen"}, {"graspnet-novel"})
    assert [scene.name for scene in read_graspnet(tmp_path)[1:]] == [scene.name for scene in read_graspnet(tmp_path)][
        1:
    ]


def overwrite(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def resave(array: np.ndarray) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / "rect" / "0000.npy", array)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (overwrite("rect/0000.npy", b"nothing"), "rect/0000.npy: damaged"),
        (overwrite("rect/0000.npy", b""), "rect/0000.npy: damaged"),
        (resave(np.zeros((3, 5), np.float32)), "found float32 of shape (3, 5); valid is a float array (n, 7)"),
        (resave(np.zeros(7, np.float32)), "found float32 of shape (7,)"),
        (resave(np.array([["a"] * 7])), "valid is a float array (n, 7)"),
        (resave(np.full((1, 7), np.nan, np.float32)), "not all of its numbers are finite"),
        (lambda folder: (folder / "rect" / "0000.npy").unlink(), "rect/0000.npy: no such file"),
        (overwrite("label/0000.png", b"nothing"), "label/0000.png: damaged or not a picture"),
        (lambda folder: (folder / "label" / "0000.png").unlink(), "label/0000.png: no such file"),
        (lambda folder: Image.new("RGB", SIZE).save(folder / "label" / "0000.png"), "valid is one channel of indices"),
        (overwrite("annotations/0000.xml", b"<scene><obj>"), "annotations/0000.xml: damaged"),
        (overwrite("annotations/0000.xml", b"<scene><obj><obj_id>x</obj_id></obj></scene>"), "valid is a list of obj"),
        (overwrite("annotations/0000.xml", b"<scene><obj><obj_id>255</obj_id></obj></scene>"), "valid is 0 to 254"),
        (lambda folder: (folder / "annotations" / "0000.xml").unlink(), "annotations/0000.xml: no such file"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_named_in_one_line(damage: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    folder = write_graspnet_frame(tmp_path)
    damage(folder)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_frame(folder / "0000")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("test", [False, True])
def test_a_folder_without_rectangle_labels_is_refused(test: bool, tmp_path: Path) -> None:
    write_graspnet_frame(tmp_path, scene=100 * (not test))
    with pytest.raises(InputError, match="with its rectangle labels"):
        read_graspnet(tmp_path, test=test)


def test_a_file_without_a_right_row_gives_none(tmp_path: Path) -> None:
    assert read_rectangles(saved(tmp_path, []), image_size=SIZE) == []
    assert len(set(CATEGORIES.values())) > 40
