"""The Python API: the answer is in the frame of the picture as given, whatever the model saw."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import graspwise
from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.model.responder import Response
from graspwise.picture import Picture
from graspwise.predict import Model

# A slope in metres to the right, with a hole.
SLOPE = np.repeat(np.linspace(0.5, 0.9, 64, dtype=np.float32)[None], 48, axis=0)
SLOPE[5, 5] = np.nan


class Says:
    """A responder that always gives the same grasp in the square frame, and keeps what it saw."""

    name, image_size, answer_format, mode, takes_depth = "says", 64, "prompted", "plain", False

    def __init__(self, grasp: Grasp | None, *others: Grasp) -> None:
        self.grasp, self.others, self.seen, self.depths = grasp, others, [], []

    def respond(self, pictures, conversations):
        self.seen += [picture.rgb for picture in pictures]
        self.depths += [picture.depth for picture in pictures]
        return [Response("[0.5, 0.5], 0.1", "", self.grasp, self.others)]


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(40, 400), height=st.integers(40, 400), theta=st.floats(-1.5, 1.5),
    u=st.floats(0.05, 0.95), v=st.floats(0.05, 0.95),
)  # fmt: skip
def test_answer_is_in_the_pictures_own_pixels(width, height, theta, u, v):
    """A point of the picture, found in the letterboxed square, comes back as that point, its angle unchanged."""
    side, scale = 64, 64 / max(width, height)
    px, py = u * width - 0.5, v * height - 0.5
    square_x = (px - (width - 1) / 2) * scale + (side - 1) / 2
    square_y = (py - (height - 1) / 2) * scale + (side - 1) / 2
    said = Grasp(x=(square_x + 0.5) / side, y=(square_y + 0.5) / side, theta=theta, opening=0.25)
    answer = Model(Says(said)).look(np.zeros((height, width, 3), np.uint8)).ask("x")
    assert answer.grasp.x == pytest.approx(u, abs=1e-6)
    assert answer.grasp.y == pytest.approx(v, abs=1e-6)
    assert answer.grasp.theta == pytest.approx(theta)
    assert answer.grasp.opening * width == pytest.approx(0.25 * side / scale)


def test_workspace_is_what_the_model_sees_and_the_answer_is_still_the_pictures():
    picture = np.full((100, 200, 3), 255, np.uint8)
    picture[20:60, 100:140] = (10, 20, 30)
    says = Says(Grasp(x=0.5, y=0.5, theta=0.3, opening=0.5))
    answer = Model(says).look(picture, workspace=(100, 20, 140, 60)).ask("x")
    # The outermost pixels mix with the bars.
    assert says.seen[0][2:-2, 2:-2].max() <= 30
    assert answer.grasp.pixel(image_size=(200, 100)) == pytest.approx((119.5, 39.5))
    assert answer.to_json()["grasp_px"]["opening"] == pytest.approx(20)
    assert "model_text" in answer.to_json()


def test_a_grasp_in_the_letterbox_bars_is_moved_onto_the_picture():
    answer = Model(Says(Grasp(x=0.5, y=0.01, theta=0.0))).look(np.zeros((50, 200, 3), np.uint8)).ask("x")
    assert answer.grasp.y == 0.0
    assert answer.grasp.x == pytest.approx(0.5)


def test_json_has_the_documented_keys_in_order_and_nulls():
    answer = Model(Says(Grasp(x=0.5, y=0.5, theta=0.1))).look(np.zeros((64, 64, 3), np.uint8)).ask("x")
    value = json.loads(json.dumps(answer.to_json()))
    keys = ["image", "image_size", "reasoning", "target", "refused", "grasp", "grasp_px", "rectangle", "grasps", "text",
            "model", "mode", "seconds"]  # fmt: skip
    assert list(value)[: len(keys)] == keys
    assert (value["image"], value["reasoning"], value["target"], value["rectangle"]) == (None, None, None, None)
    assert value["refused"] is False
    assert value["text"] == "Grasp point coordinates: [0.500, 0.500]\nRotation angle in radians: +0.10"


def test_a_text_without_a_grasp_is_an_answer_with_nulls():
    answer = Model(Says(None)).look(np.zeros((40, 64, 3), np.uint8)).ask("x")
    value = json.loads(json.dumps(answer.to_json()))
    assert (value["grasp"], value["grasp_px"], value["rectangle"], value["grasps"]) == (None,) * 4
    # The numbers that were no grasp are shown as they were written.
    assert value["text"] == "[0.5, 0.5], 0.1" and "model_text" not in value
    assert value["refused"] is False


def test_ranked_grasps_start_with_the_answer():
    first, second = (
        Grasp(x=0.4, y=0.5, theta=0.1, opening=0.2),
        Grasp(x=0.6, y=0.5, theta=0.2, opening=0.3, quality=0.5),
    )
    answer = Model(Says(first, second)).look(np.zeros((64, 64, 3), np.uint8)).ask("x")
    assert [g.x for g in answer.grasps] == pytest.approx([0.4, 0.6])
    corners = np.array(answer.to_json()["rectangle"])
    assert math.dist(corners[0], corners[1]) == pytest.approx(0.2 * 64, abs=0.02)


class SaysWithDepth(Says):
    takes_depth = True


@pytest.fixture
def photograph(tmp_path):
    """A picture of 64 x 48 pixels, and `SLOPE` beside it as millimetres and as float millimetres."""
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(tmp_path / "photo.png")
    Image.fromarray(np.nan_to_num(SLOPE * 1000).round().astype(np.uint16)).save(tmp_path / "depth.png")
    Image.fromarray(np.nan_to_num(SLOPE * 1000)).save(tmp_path / "depth.tiff")
    return tmp_path / "photo.png"


def test_a_model_that_takes_depth_sees_it_in_the_same_square(photograph):
    says = SaysWithDepth(Grasp(x=0.5, y=0.5, theta=0.0))
    model, box = Model(says), (16, 8, 48, 40)
    assert model.takes_depth
    view = model.look(photograph, workspace=box, depth=photograph.with_name("depth.png"))
    view.ask("x")
    # Two pixels of the square are one of the picture; where they fall on a border, either may be taken.
    expected = np.repeat(SLOPE[0, 16:48], 2)
    assert says.depths[0].shape == (64, 64)
    assert says.depths[0][20] == pytest.approx(expected, abs=0.0075)
    model.look(photograph, workspace=box, depth=photograph.with_name("depth.tiff"), depth_unit="mm").ask("x")
    assert says.depths[1] == pytest.approx(says.depths[0], abs=1e-3, nan_ok=True)
    model.look(Picture(view.picture.rgb, SLOPE), workspace=box).ask("x")
    assert says.depths[2] == pytest.approx(says.depths[0], abs=1e-3, nan_ok=True)


def test_depth_that_is_missing_or_not_taken_is_refused(photograph):
    depth, grasp = photograph.with_name("depth.png"), Grasp(x=0.5, y=0.5, theta=0.0)
    deep, flat = Model(SaysWithDepth(grasp)), Model(Says(grasp))
    with pytest.raises(InputError, match=r"photo\.png: model says takes depth; give --depth DEPTH"):
        deep.look(photograph)
    with pytest.raises(InputError, match=r"picture: model says takes depth"):
        deep.look(np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(InputError, match=r"depth\.png: model says takes no depth"):
        flat.look(photograph, depth=depth)
    with pytest.raises(InputError, match=r"beside a ndarray; give two paths, or a Picture"):
        deep.look(np.zeros((48, 64, 3), np.uint8), depth=depth)
    with pytest.raises(InputError, match="is that its unit"):
        deep.look(photograph, depth=depth, depth_unit="m")
    # A picture that happens to have depth is a picture.
    assert flat.look(Picture(np.zeros((48, 64, 3), np.uint8), SLOPE)).ask("x").grasp is not None


@pytest.mark.parametrize("instruction", ["", "  \n ", "a" * 10_000])
def test_bad_instructions_are_refused(instruction):
    view = Model(Says(Grasp(x=0.5, y=0.5, theta=0.0))).look(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(InputError, match="instruction"):
        view.ask(instruction)


@pytest.mark.parametrize("workspace", [(0, 0, 0, 10), (0, 0, 65, 10), (-1, 0, 5, 5), (10, 10, 5, 20)])
def test_bad_workspaces_are_refused(workspace):
    model = Model(Says(Grasp(x=0.5, y=0.5, theta=0.0)))
    with pytest.raises(InputError, match="valid is 0 <= x0 < x1 <= 64"):
        model.look(np.zeros((64, 64, 3), np.uint8), workspace=workspace)


def test_public_names_are_there_and_baselines_load():
    assert all(hasattr(graspwise, name) for name in graspwise.__all__)
    answer = graspwise.load("centre").look(Path(__file__).parents[1] / "examples" / "desk.jpg").ask("Pick it up")
    assert answer.grasp.x == pytest.approx(0.5)
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = graspwise.lod
