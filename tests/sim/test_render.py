"""What the camera sees: pictures, depth and masks that agree with each other and with the world; a scene's folder."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graspwise.errors import InputError
from graspwise.robot.camera_file import read_camera
from graspwise.robot.hand_eye import read_hand_eye
from graspwise.sim.facts import scene_facts
from graspwise.sim.render import View, middles, read_view, render, scene_json, write_scene
from graspwise.sim.scene import Scene, compose
from graspwise.sim.shapes import SimObject


def in_camera(scene: Scene, points: np.ndarray) -> np.ndarray:
    """World points (n, 3) in the camera's frame."""
    inverse = np.linalg.inv(scene.T_base_camera)
    return points @ inverse[:3, :3].T + inverse[:3, 3]


def world_points(scene: Scene, depth: np.ndarray) -> np.ndarray:
    """Where each pixel's surface is, (height, width, 3) in the world."""
    rows, columns = np.indices(depth.shape)
    points = scene.camera.deproject(np.column_stack([columns.ravel(), rows.ravel()]), depth.ravel())
    T = scene.T_base_camera
    return (points @ T[:3, :3].T + T[:3, 3]).reshape(*depth.shape, 3)


@pytest.fixture(scope="module")
def folder(table: tuple[Scene, View], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scene") / "000000"
    write_scene(out, *table)
    return out


def test_pictures_of_a_size(table: tuple[Scene, View]) -> None:
    scene, view = table
    size = (scene.camera.height, scene.camera.width)
    assert (view.rgb.shape, view.rgb.dtype) == ((*size, 3), np.uint8)
    assert (view.depth.shape, view.depth.dtype) == (size, np.float32)
    for mask in (view.objects, view.parts):
        assert (mask.shape, mask.dtype) == (size, np.uint8)
    # A lit picture with contrast, neither black nor burnt.
    assert 40 < view.rgb.mean() < 235
    assert view.rgb.std() > 10


def test_masks_agree(table: tuple[Scene, View]) -> None:
    scene, view = table
    np.testing.assert_array_equal(view.parts > 0, view.objects > 0)
    for placed in scene.objects:
        assert set(np.unique(view.parts[view.objects == placed.index])) == set(placed.parts)


def test_the_calibration_puts_a_known_place_on_its_object(table: tuple[Scene, View]) -> None:
    scene, view = table
    data = scene.data()
    ball = scene.placed(3)
    (pixel,) = scene.camera.project(in_camera(scene, data.xpos[ball.body][None]))
    ys, xs = np.nonzero(view.objects == 3)
    np.testing.assert_allclose((xs.mean(), ys.mean()), pixel, atol=0.6)
    for placed in scene.objects:
        # The middle of every piece that can be seen from above.
        for geom in np.flatnonzero(scene.object_of == placed.index):
            ((x, y),) = scene.camera.project(in_camera(scene, data.geom_xpos[geom][None]))
            assert view.objects[round(y), round(x)] == placed.index


def test_a_bar_is_as_large_and_as_turned_as_it_is(made: Callable[..., tuple[Scene, View]]) -> None:
    scene, view = made("bar")
    data, body = scene.data(), scene.objects[0].body
    seen = world_points(scene, view.depth)[view.objects == 1]
    top = seen[seen[:, 2] > 0.028]
    own = (top - data.xpos[body]) @ data.xmat[body].reshape(3, 3)
    np.testing.assert_allclose(own.min(axis=0)[:2], (-0.07, -0.015), atol=0.0015)
    np.testing.assert_allclose(own.max(axis=0)[:2], (0.07, 0.015), atol=0.0015)


def test_the_depth_of_the_table_is_that_of_its_plane(table: tuple[Scene, View], made: Callable) -> None:
    for scene, view in (table, made("bar", seed=1)):
        heights = world_points(scene, view.depth)[..., 2][view.objects == 0]
        assert np.abs(heights).max() < 0.001


def test_the_depth_of_things_is_their_height(made: Callable[..., tuple[Scene, View]]) -> None:
    for name, height in (("bar", 0.03), ("crate", 0.1), ("ball", 0.05)):
        scene, view = made(name)
        seen = world_points(scene, view.depth)[..., 2][view.objects == 1]
        assert seen.max() == pytest.approx(height, abs=0.001)


def test_one_sees_into_a_mug(table: tuple[Scene, View]) -> None:
    scene, view = table
    heights = world_points(scene, view.depth)[..., 2]
    data = scene.data()
    ((x, y),) = scene.camera.project(in_camera(scene, data.xpos[scene.placed(2).body][None]))
    assert heights[round(y), round(x)] == pytest.approx(0.006, abs=0.002)
    assert heights[view.objects == 2].max() == pytest.approx(0.09, abs=0.002)


def test_the_robot_is_not_in_the_picture(made: Callable[..., tuple[Scene, View]], things: dict[str, SimObject]) -> None:
    scene, view = made("bar")
    alone = compose([things["bar"]], seed=0)
    assert alone.model.nu == 0 and scene.model.nu > 0
    without = render(alone)
    assert view.depth.min() > 0.7
    assert np.abs(view.rgb.astype(int) - without.rgb).mean() < 1
    assert (view.objects != without.objects).mean() < 0.001


def test_middles_are_of_what_is_seen(table: tuple[Scene, View]) -> None:
    scene, view = table
    hidden = View(view.rgb, view.depth, np.where(view.objects == 2, 0, view.objects), view.parts)
    found = middles(scene, hidden)
    assert found[1] is None
    x, y = found[2]
    assert view.objects[round(y), round(x)] == 3


def test_a_scene_folder_holds_what_the_conventions_name(folder: Path, table: tuple[Scene, View]) -> None:
    _, view = table
    assert {path.name for path in folder.iterdir()} == {
        "rgb.png", "depth.png", "objects.png", "parts.png", "camera.yaml", "scene.json",
    }  # fmt: skip
    stored = {name: np.asarray(Image.open(folder / f"{name}.png")) for name in ("rgb", "depth", "objects", "parts")}
    assert stored["depth"].dtype == np.uint16
    np.testing.assert_allclose(stored["depth"] / 1000, view.depth, atol=0.00051)
    for name in ("rgb", "objects", "parts"):
        np.testing.assert_array_equal(stored[name], getattr(view, name))


def test_the_camera_file_is_read_back(folder: Path, table: tuple[Scene, View]) -> None:
    scene, _ = table
    assert read_camera(folder / "camera.yaml") == scene.camera
    np.testing.assert_allclose(read_hand_eye(folder / "camera.yaml"), scene.T_base_camera, atol=1e-9)


def test_scene_json_lists_objects_as_the_conventions_say(folder: Path, table: tuple[Scene, View]) -> None:
    scene, view = table
    written = json.loads((folder / "scene.json").read_text())
    assert written == json.loads(json.dumps(scene_json(scene, view)))
    assert written["seed"] == scene.seed
    for row, placed in zip(written["objects"], scene.objects, strict=True):
        assert (row["name"], row["index"], row["category"]) == (placed.thing.name, placed.index, placed.thing.category)
        assert {part["index"]: part["name"] for part in row["parts"]} == placed.parts
        assert [part["avoid"] for part in row["parts"]] == [part.avoid for part in placed.thing.parts]
        assert row["visible_pixels"] == (view.objects == row["index"]).sum()
        assert np.linalg.norm(row["quaternion_xyzw"]) == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(row["position"], scene.data().xpos[placed.body], atol=1e-5)
    facts = scene_facts([placed.thing for placed in scene.objects], middles(scene, view))
    assert written["facts"] == facts
    assert sum(" lies " in fact for fact in facts) == 3


def test_a_turn_in_scene_json_is_the_bodys(made: Callable[..., tuple[Scene, View]]) -> None:
    from scipy.spatial.transform import Rotation

    scene, view = made("bar")
    (row,) = scene_json(scene, view)["objects"]
    expected = scene.data().xmat[scene.objects[0].body].reshape(3, 3)
    np.testing.assert_allclose(Rotation.from_quat(row["quaternion_xyzw"]).as_matrix(), expected, atol=1e-5)


def test_a_view_is_read_back_in_whole_millimetres(folder: Path, table: tuple[Scene, View]) -> None:
    _, view = table
    again = read_view(folder)
    np.testing.assert_allclose(again.depth, view.depth, atol=0.00051)
    assert again.depth.dtype == np.float32
    for name in ("rgb", "objects", "parts"):
        np.testing.assert_array_equal(getattr(again, name), getattr(view, name))


def test_a_missing_picture_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rgb\.png"):
        read_view(tmp_path)


def test_the_users_way_of_drawing_is_kept() -> None:
    code = "import os, graspwise.sim; print(os.environ['MUJOCO_GL'])"
    environment = {**os.environ, "MUJOCO_GL": "disable"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "disable"
