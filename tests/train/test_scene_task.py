"""Names in a scene: what each cell is told, through every augmentation, and that the head learns it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from graspwise.conversation import assistant_turn, user_turn
from graspwise.data.store import Dataset, WishLabel
from graspwise.model.grasp_map import symmetric_views
from graspwise.model.load import load_model
from graspwise.model.save import save_parts
from graspwise.model.scene_names import SceneNames
from graspwise.rectangle import GraspRectangle
from graspwise.train.examples import augmented_example, plain_example
from graspwise.train.scene_task import UNKNOWN, SceneTask, cell_names, inside, names_in_view
from graspwise.transform import Transform

SIZE = 64


@pytest.fixture
def scene(dataset_folder, tmp_path):
    """A scene of two things: a blue mug in the upper left quarter, a red hammer in the lower right one."""
    dataset = Dataset(dataset_folder)
    rgb, mask = np.full((SIZE, SIZE, 3), 220, np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    for index, (place, colour) in enumerate(((slice(0, 32), (20, 20, 200)), (slice(32, 64), (200, 20, 20))), start=1):
        rgb[place, place], mask[place, place] = colour, index
    Image.fromarray(rgb).save(tmp_path / "scene.png")
    Image.fromarray(mask).save(tmp_path / "objects.png")
    things = ({"index": 1, "name": "mug"}, {"index": 2, "name": "hammer"})
    wish = WishLabel(
        "object implicit", "thirst", targets=(), named=0, refused=True, things=things,
        objects=str(tmp_path / "objects.png"), parts=None,
    )  # fmt: skip
    sample = replace(
        next(iter(dataset)), image=str(tmp_path / "scene.png"), rectangles=(), wish=wish,
        messages=[user_turn("I am thirsty."), assistant_turn("Nothing here serves to drink from.")],
    )  # fmt: skip
    return dataset, sample


def test_cells_are_told_what_stands_there(scene):
    dataset, sample = scene
    found = cell_names(dataset, plain_example(dataset, sample, size=SIZE), cells=4, number={"mug": 1, "hammer": 2})
    assert found.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 2, 2], [0, 0, 2, 2]]
    assert names_in_view(sample) == ["mug", "hammer"]


@pytest.mark.parametrize("seed", range(6))
def test_cells_follow_the_picture(scene, seed):
    """Whatever the augmentation, a cell in the middle of a colour is told the thing of that colour."""
    dataset, sample = scene
    example = augmented_example(dataset, sample, size=SIZE, rng=np.random.default_rng(seed))
    found = cell_names(dataset, example, cells=16, number={"mug": 1, "hammer": 2})
    seen = example.rgb.astype(int).reshape(16, 4, 16, 4, 3)
    plain = (seen.max((1, 3)) - seen.min((1, 3))).max(-1) < 60
    middle = seen.mean((1, 3))
    blue, red = middle[..., 2] - middle[..., 0] > 60, middle[..., 0] - middle[..., 2] > 60
    assert (found[plain & blue] == 1).all() and (found[plain & red] == 2).all()
    assert plain.sum() > 40


def test_without_masks_nobody_knows(scene):
    dataset, sample = scene
    unmasked = replace(sample, wish=replace(sample.wish, objects=None))
    found = cell_names(dataset, plain_example(dataset, unmasked, size=SIZE), cells=4, number={"mug": 1})
    assert set(found.flatten().tolist()) == {UNKNOWN}


def test_a_single_thing_is_where_its_grasps_are(dataset_folder):
    dataset = Dataset(dataset_folder)
    label = GraspRectangle.from_pose(center=(16, 16), theta=0.5, opening=18, jaw=8)
    plain = next(iter(dataset))
    fit = Transform.letterbox(source_size=dataset.picture(plain).size, size=(SIZE, SIZE))
    sample = replace(plain, rectangles=(fit.inverse().rectangle(label),))
    found = cell_names(dataset, plain_example(dataset, sample, size=SIZE), cells=16, number={sample.category: 5})
    rows, columns = np.indices((16, 16)) * 4 + 1.5
    away = np.hypot(columns - 16, rows - 16)
    assert (found[away < 2.5] == 5).all() and set(found[away > 0.3 * SIZE + 0.1].tolist()) == {0}
    assert set(found[(away > 6) & (away < 0.3 * SIZE - 0.1)].tolist()) == {UNKNOWN}
    nothing = cell_names(
        dataset, plain_example(dataset, replace(plain, rectangles=()), size=SIZE), cells=4, number={plain.category: 5}
    )
    assert set(nothing.flatten().tolist()) == {UNKNOWN}


@pytest.mark.parametrize("theta", [-1.2, 0.0, 0.7, 1.5])
def test_inside_a_rectangle(theta):
    rectangle = GraspRectangle.from_pose(center=(3, -2), theta=theta, opening=6, jaw=2)
    along, aside = np.array([np.cos(theta), -np.sin(theta)]), np.array([np.sin(theta), np.cos(theta)])
    points = np.array([3.0, -2.0]) + np.array([0 * along, 2.9 * along, 3.1 * along, 0.9 * aside, 1.1 * aside])
    assert inside(rectangle.corners, points).tolist() == [True, True, False, True, False]


def test_the_names_of_a_scene_are_learned_and_kept(scene, tiny_checkpoint, tmp_path):
    dataset, sample = scene
    torch.manual_seed(0)
    model = load_model(str(tiny_checkpoint), merged=False)
    task = SceneTask(model, dataset, distinct=1, training=[sample], validation=[], seed=0)
    assert model.scene_names.names == ("hammer", "mug")
    optimizer = torch.optim.Adam(task.parameters().values(), lr=1e-2)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = task.loss(task.prepare(range(4)))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    model.scene_names.to(torch.bfloat16).eval()
    save_parts(tmp_path / "model", model)
    dense = model.look(model.pixel_values([plain_example(dataset, sample, size=SIZE).rgb]))
    found = load_model(str(tmp_path / "model")).in_view(dense)
    assert found == model.in_view(dense)
    assert set(found[0]) <= {"hammer", "mug"}


def test_of_two_names_for_one_thing_the_surer_is_listed():
    head = SceneNames(4, ["mug", "cup", "hammer"])
    logits = torch.full((1, 4, 10, 10), -5.0)
    logits[0, 0] = 5.0
    for name, row, column, value in ((1, 2, 2, 6.0), (2, 2, 3, 5.5), (3, 8, 8, 5.2)):
        logits[0, name, row, column] = value
    assert head.in_view(logits.softmax(1)[:, 1:]) == [["mug", "hammer"]]


def test_names_are_read_over_the_eight_views_each_turned_back():
    torch.manual_seed(0)
    head = SceneNames(4, ["mug", "cup"]).eval()
    # A convolution that sees one cell draws the same of a turned map.
    head.body[3] = torch.nn.Conv2d(128, 128, 1)
    dense = torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(head.likely(symmetric_views(dense)), head(dense).softmax(1)[:, 1:])


@pytest.mark.parametrize(
    "target, name", [("mug", "mug"), ("red mug", "mug"), ("tea cup", "tea cup"), ("cup", "cup"), ("smug", None)]
)
def test_the_name_of_a_target_is_the_longest_that_it_ends_with(target, name):
    head = SceneNames(4, ["mug", "cup", "tea cup"])
    assert head.place(target) == (None if name is None else head.names.index(name))
