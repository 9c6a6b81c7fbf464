"""GR-ConvNet: the published size, that maps and grasps are each other's inverse, and the model folder."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.errors import InputError
from graspwise.files import read_json, write_json
from graspwise.grasp import angle_difference
from graspwise.model.grconvnet import (
    GrConvNet,
    PeerCard,
    centred_depth,
    fill_holes,
    is_grconvnet,
    label_maps,
    load_grconvnet,
    map_loss,
    network_input,
    read_grasps,
    save_grconvnet,
)
from graspwise.model.plain_responders import GrConvNetResponder
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle
from graspwise.transform import Transform

SIZE = 128
RECTANGLES = st.builds(
    lambda x, y, theta, opening, jaw: GraspRectangle.from_pose(center=(x, y), theta=theta, opening=opening, jaw=jaw),
    st.floats(35, 92), st.floats(35, 92), st.floats(-1.57, 1.57), st.floats(9, 21), st.floats(5, 7),
)  # fmt: skip


def drawn(*rectangles: GraspRectangle) -> torch.Tensor:
    return torch.stack([label_maps(rectangles, size=SIZE)])


def test_with_depth_it_has_the_papers_count_of_parameters():
    """arXiv 1909.04810, section IV-A."""
    assert sum(p.numel() for p in GrConvNet(channels=4).parameters()) == 1_900_900


@pytest.mark.parametrize("channels", [3, 4])
def test_maps_have_the_pictures_size(channels):
    network = GrConvNet(channels=channels, width=4)
    assert network(torch.zeros(2, channels, 32, 32)).shape == (2, 4, 32, 32)


def test_input_is_centred_picture_by_picture():
    rgb = np.random.default_rng(0).integers(0, 255, (2, 16, 16, 3), dtype=np.uint8)
    pictures = [Picture(one) for one in rgb]
    values = network_input(pictures, depth=False)
    assert values.shape == (2, 3, 16, 16)
    assert torch.allclose(values.mean((1, 2, 3)), torch.zeros(2), atol=1e-6)
    assert torch.allclose(values[1] - values[1].mean(), network_input(pictures[1:], depth=False)[0], atol=1e-6)
    assert float(values[0, 2, 3, 5] - values[0, 0, 0, 0]) == pytest.approx(
        (int(rgb[0, 3, 5, 2]) - int(rgb[0, 0, 0, 0])) / 255, abs=1e-6
    )


def test_depth_is_a_fourth_channel_in_metres():
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (2, 16, 16, 3), dtype=np.uint8)
    depths = rng.uniform(0.5, 0.9, (2, 16, 16)).astype(np.float32)
    pictures = [Picture(*both) for both in zip(rgb, depths, strict=True)]
    values = network_input(pictures, depth=True)
    assert values.shape == (2, 4, 16, 16) and values.dtype == torch.float32
    assert torch.equal(values[:, :3], network_input(pictures, depth=False))
    assert torch.allclose(values[:, 3].mean((1, 2)), torch.zeros(2), atol=1e-6)
    assert float(values[1, 3, 2, 5] - values[1, 3, 9, 1]) == pytest.approx(
        float(depths[1, 2, 5] - depths[1, 9, 1]), abs=1e-6
    )
    with pytest.raises(ValueError, match="no depth"):
        network_input([Picture(rgb[0])], depth=True)


def holed(seed: int, share: float) -> np.ndarray:
    """Depth (20, 24) of values all different, a share of them holes."""
    rng = np.random.default_rng(seed)
    depth = (0.5 + rng.permutation(480).astype(np.float32) / 1000).reshape(20, 24)
    depth[rng.random(depth.shape) < share] = np.nan
    return depth


@given(st.integers(0, 10_000), st.floats(0, 0.99))
@settings(max_examples=60, deadline=None)
def test_a_hole_gets_the_depth_of_the_nearest_measured_pixel(seed, share):
    depth = holed(seed, share)
    measured = np.argwhere(~np.isnan(depth))
    filled = fill_holes(depth)
    if not len(measured):
        assert (filled == 0).all()
        return
    assert np.array_equal(filled[tuple(measured.T)], depth[tuple(measured.T)])
    for place in np.argwhere(np.isnan(depth)):
        distances = np.linalg.norm(measured - place, axis=1)
        taken = np.flatnonzero(depth[tuple(measured.T)] == filled[tuple(place)])
        # The distance is OpenCV's of a 5 x 5 mask, exact to a few percent.
        assert distances[taken[0]] <= 1.05 * distances.min() + 1e-9


@given(st.integers(0, 10_000), st.floats(0, 0.9), st.floats(-0.3, 5))
@settings(max_examples=60, deadline=None)
def test_a_higher_camera_changes_nothing(seed, share, higher):
    depth = holed(seed, share)
    rgb = np.zeros((*depth.shape, 3), np.uint8)
    near, far = (centred_depth(Picture(rgb, d)) for d in (depth, depth + np.float32(higher)))
    assert near.dtype == np.float32 and not np.isnan(near).any()
    assert near == pytest.approx(far, abs=1e-5)


def test_depth_far_from_the_mean_is_held():
    depth = np.full((20, 20), 0.6, np.float32)
    depth[0] = 9.0
    assert centred_depth(Picture(np.zeros((20, 20, 3), np.uint8), depth)).max() == 1.0
    depth[:, :] = np.nan
    assert (centred_depth(Picture(np.zeros((20, 20, 3), np.uint8), depth)) == 0).all()


def test_a_label_is_drawn_on_the_middle_third_of_its_opening():
    maps = drawn(GraspRectangle.from_pose(center=(50, 60), theta=0.0, opening=30, jaw=12))[0]
    rows, columns = np.nonzero(maps[0].numpy())
    assert (columns.min(), columns.max()) == (45, 55)
    assert (rows.min(), rows.max()) == (54, 66)
    assert float(maps[3, 60, 50]) == pytest.approx(30 / (150 / 224 * SIZE))
    assert float(maps[3].sum()) == pytest.approx(float(maps[3, 60, 50]) * len(rows), rel=1e-5)


@given(RECTANGLES)
@settings(max_examples=40, deadline=None)
def test_the_drawn_label_is_read(rectangle):
    best, *others = read_grasps(drawn(rectangle))[0]
    assert others == []
    assert math.dist(best.pixel(image_size=(SIZE, SIZE)), rectangle.center) < 1.5
    assert angle_difference(best.theta, rectangle.theta) < 1e-3
    assert best.opening == pytest.approx(rectangle.opening / SIZE, rel=1e-4)
    assert best.jaw is None


@given(RECTANGLES, st.sampled_from([0.5, 1.0, 1.5]))
@settings(max_examples=30, deadline=None)
def test_turning_the_picture_turns_the_answer(rectangle, turns):
    middle = ((SIZE - 1) / 2, (SIZE - 1) / 2)
    turn = Transform.about(
        source=middle, target=middle, scale=1.0, theta=turns * math.pi, source_size=(SIZE, SIZE), size=(SIZE, SIZE)
    )
    expected = turn.grasp(read_grasps(drawn(rectangle))[0][0])
    found = read_grasps(drawn(turn.rectangle(rectangle)))[0][0]
    assert math.dist((found.x, found.y), (expected.x, expected.y)) * SIZE < 2
    assert angle_difference(found.theta, expected.theta) < 1e-3


def test_a_rising_opening_has_a_positive_angle():
    rising = GraspRectangle(np.array([[40, 70], [60, 50], [68, 58], [48, 78]]))
    assert read_grasps(drawn(rising))[0][0].theta == pytest.approx(math.pi / 4, abs=1e-3)


def test_several_grasps_are_ranked_and_apart():
    centers = [(25, 25), (80, 30), (50, 85), (54, 85)]
    labels = [GraspRectangle.from_pose(center=c, theta=0.3, opening=24, jaw=10) for c in centers]
    maps = drawn(*labels)
    for (x, y), height in zip(centers[:3], (0.6, 1.0, 0.8), strict=True):
        maps[0, 0, y - 12 : y + 13, x - 14 : x + 20] *= height
    found = read_grasps(maps)[0]
    assert [g.quality for g in found] == sorted((g.quality for g in found), reverse=True)
    places = [g.pixel(image_size=(SIZE, SIZE)) for g in found]
    assert [min(range(3), key=lambda i: math.dist(centers[i], place)) for place in places] == [1, 2, 0]
    assert len(read_grasps(maps, count=2)[0]) == 2


def test_empty_maps_give_one_grasp():
    assert [len(grasps) for grasps in read_grasps(torch.zeros(2, 4, 32, 32))] == [1, 1]


def test_loss_is_zero_on_the_labels_alone():
    maps = drawn(GraspRectangle.from_pose(center=(50, 50), theta=1.0, opening=30))
    assert float(map_loss(maps, maps)) == 0.0
    assert float(map_loss(maps + 0.1, maps)) == pytest.approx(4 * 0.5 * 0.1**2, rel=1e-4)


def test_saved_network_answers_as_before(tmp_path):
    torch.manual_seed(0)
    network = GrConvNet(width=4).train()
    pictures = torch.randn(2, 3, 32, 32)
    network(pictures)
    card = PeerCard(image_size=32, channels=3, width=4, recipe="tiny", trained_on=("cornell:1",))
    assert not is_grconvnet(tmp_path)
    save_grconvnet(tmp_path, network, card)
    assert is_grconvnet(tmp_path)
    loaded, found = load_grconvnet(tmp_path)
    assert found == card
    assert torch.equal(loaded.cpu()(pictures), network.eval()(pictures))


@pytest.mark.parametrize("channels", [3, 4])
def test_its_responder_takes_depth_with_four_channels_only(tmp_path, channels):
    torch.manual_seed(0)
    card = PeerCard(image_size=32, channels=channels, width=4, recipe="tiny", trained_on=())
    save_grconvnet(tmp_path, GrConvNet(channels=channels, width=4), card)
    responder = GrConvNetResponder("peer", tmp_path)
    assert responder.takes_depth == (channels == 4)
    rgb = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    slope = np.linspace(0.4, 0.9, 32, dtype=np.float32)
    reliefs = (np.repeat(slope[None], 32, axis=0), np.repeat(slope[::-1, None], 32, axis=1))
    answers = [responder.respond([Picture(rgb, relief)], [[]])[0].grasp for relief in reliefs]
    assert (answers[0] != answers[1]) == responder.takes_depth


def test_damaged_folders_are_refused(tmp_path):
    card = PeerCard(image_size=32, channels=3, width=4, recipe="tiny", trained_on=())
    save_grconvnet(tmp_path, GrConvNet(width=4), card)
    value = read_json(tmp_path / "graspwise.json")
    write_json(tmp_path / "graspwise.json", {**value, "width": 8})
    with pytest.raises(InputError, match="does not fit"):
        load_grconvnet(tmp_path)
    for wrong in ({**value, "colour": 1}, {key: value[key] for key in value if key != "trained_on"}):
        write_json(tmp_path / "graspwise.json", wrong)
        with pytest.raises(InputError, match="not a card"):
            load_grconvnet(tmp_path)
    write_json(tmp_path / "graspwise.json", value)
    (tmp_path / "grconvnet.safetensors").unlink()
    with pytest.raises(InputError, match="not whole"):
        load_grconvnet(tmp_path)
