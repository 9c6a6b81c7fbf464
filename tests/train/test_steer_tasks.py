"""The steered head's training: what each stage moves, and what a refusal teaches."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from graspwise.answer import SPT, parse_grasp
from graspwise.conversation import assistant_turn, text_of, user_turn
from graspwise.data.store import Dataset, WishLabel
from graspwise.grasp import Grasp
from graspwise.metric import is_hit
from graspwise.model.load import load_model, new_head, new_steered_head
from graspwise.model.save import save_parts
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle
from graspwise.train.examples import Example, plain_example
from graspwise.train.lessons import asked
from graspwise.train.recipe import recipe_named
from graspwise.train.run import named
from graspwise.train.steer_tasks import SteerTask, names_target, place_loss, reason_of, reason_states, target_cells
from graspwise.train.text_tasks import AnswerTask
from graspwise.transform import Transform


@pytest.fixture
def model(tiny_checkpoint):
    torch.manual_seed(0)
    model = load_model(str(tiny_checkpoint), merged=False)
    model.card = replace(model.card, answer="reasoned", proposals=3)
    model.head = new_head(model).bfloat16()
    model.vlm.model.multi_modal_projector.float().requires_grad_(True)
    return model


@pytest.fixture
def samples(dataset_folder):
    """A sample as Cornell gives it, a wish with its target, and a refusal."""
    plain = next(iter(Dataset(dataset_folder)))
    things = ({"index": 1, "name": "mug"}, {"index": 2, "name": "hammer"})
    targets = ({"index": 1, "name": "mug", "part": None, "part_index": None},)
    label = WishLabel(
        "object implicit", "thirst", targets=targets, named=1, refused=False, things=things, objects=None, parts=None
    )
    answer = f"You want to drink, so here is the {SPT} mug {SPT}."
    wish = replace(plain, wish=label, messages=[user_turn("I am thirsty."), assistant_turn(answer)])
    refusal = replace(
        plain,
        wish=replace(label, targets=(), named=0, refused=True),
        rectangles=(),
        messages=[user_turn("I am thirsty."), assistant_turn("Nothing here serves to drink from.")],
    )
    return plain, wish, refusal


def test_reason_of_every_kind_of_sample(samples):
    plain, wish, refusal = samples
    assert reason_of(plain).count(SPT) == 2
    assert reason_of(plain).split(SPT)[1].strip().lower() == plain.category
    assert reason_of(wish) == "You want to drink, so here is the [SPT] mug [SPT]."
    assert reason_of(refusal) == "Nothing here serves to drink from."
    assert [names_target(s) for s in samples] == [True, True, False]


def test_states_of_one_name_differ_by_its_reason(model, samples):
    plain, wish, refusal = samples
    model.steered = new_steered_head(model)
    first, second = reason_states(model, [plain, wish])
    assert (first - second).abs().max() > 1e-3
    # A batch's padding changes nothing.
    torch.testing.assert_close(reason_states(model, [wish])[0], second, atol=0.02, rtol=0.02)
    with pytest.raises(ValueError, match="names no target"):
        reason_states(model, [refusal])


def test_steer_moves_the_steered_head_alone(model, samples, dataset_folder):
    task = SteerTask(model, Dataset(dataset_folder), distinct=4, training=samples, validation=[], seed=0)
    assert list(task.training) == list(samples[:2])
    task.loss(task.prepare(range(4))).backward()
    assert all(p.grad is not None for p in task.parameters().values())
    assert all(p.grad is None for p in model.head.parameters())
    assert all(p.grad is None for p in model.vlm.parameters())


def answers(model, samples, dataset_folder, **recipe):
    trainable = named(model.vlm.model.multi_modal_projector, "projector")
    return AnswerTask(
        model, Dataset(dataset_folder), recipe=replace(recipe_named("tiny"), **recipe), watch_samples=2,
        trainable=trainable, training=list(samples), validation=[], seed=0,
    )  # fmt: skip


def test_maps_loss_reaches_the_steered_head_and_the_projector(model, samples, dataset_folder):
    model.steered = new_steered_head(model).float().train()
    # FiLM starts at zero, and so would its gradient to the state.
    torch.nn.init.normal_(model.steered.maps.film.weight, std=0.1)
    gradients = []
    for weight in (0.0, 1.0):
        task = answers(model, samples[1:2], dataset_folder, maps_weight=weight, soft_digits=False)
        model.vlm.zero_grad()
        task.loss(task.prepare(range(2))).backward()
        assert ("steered.maps.out.weight" in task.parameters()) and model.steered.maps.out.weight.grad is not None
        gradients.append(model.vlm.model.multi_modal_projector.linear_1.weight.grad.clone())
    assert (gradients[0] - gradients[1]).abs().max() > 0


def test_only_grasps_of_the_named_target_are_learned(model, samples, dataset_folder):
    """A second right target, here the last label, belongs to another answer."""
    wish = samples[1]
    assert len(wish.rectangles) == 3
    example = plain_example(Dataset(dataset_folder), wish, size=64)
    assert example.meant == example.rectangles[:1]
    model.steered = new_steered_head(model)
    task = answers(model, samples[1:2], dataset_folder)
    foreign = Grasp.from_rectangle(example.rectangles[-1], image_size=example.size)
    lesson = task.lesson(example, np.random.default_rng(0), names=[], proposals=[foreign])
    own = Grasp.from_rectangle(example.rectangles[0], image_size=example.size)
    taken = parse_grasp(lesson.answers[0][0])[1]
    shared = is_hit(foreign, labels=example.meant, image_size=example.size)
    assert math.dist((taken.x, taken.y), ((foreign if shared else own).x, (foreign if shared else own).y)) < 0.002


def test_a_loaded_steered_head_goes_on_learning(model, samples, dataset_folder, tmp_path):
    model.steered = new_steered_head(model)
    save_parts(tmp_path / "model", model)
    found = load_model(str(tmp_path / "model"), merged=False)
    task = SteerTask(found, Dataset(dataset_folder), distinct=4, training=samples, validation=[], seed=0)
    task.loss(task.prepare(range(4))).backward()
    assert all(p.requires_grad and p.grad is not None for p in task.parameters().values())


def test_a_refusal_is_learned_as_words_without_numbers(model, samples, dataset_folder):
    model.steered = new_steered_head(model)
    task = answers(model, samples, dataset_folder)
    assert task.each == 1
    lessons = [
        task.lesson(
            plain_example(Dataset(dataset_folder), sample, size=64), np.random.default_rng(0), names=[], proposals=[]
        )
        for sample in samples
    ]
    assert lessons[2].answers == [("Nothing here serves to drink from.", [])]
    for lesson, sample in zip(lessons[:2], samples, strict=False):
        reason, _ = parse_grasp(lesson.answers[0][0])
        assert reason == reason_of(sample)
    assert np.isfinite(float(task.loss(task.prepare(range(3))).detach()))


def test_cells_of_the_named_target_alone(model, samples, dataset_folder, tmp_path):
    """The first target's mask, moved with the picture, makes its cells; the second target's are another answer's."""
    dataset = Dataset(dataset_folder)
    plain, wish, refusal = samples
    width, height = dataset.picture(plain).size
    mask = np.zeros((height, width), np.uint8)
    mask[: height // 2, : width // 2] = 1
    mask[height // 2 :, width // 2 :] = 2
    Image.fromarray(mask).save(tmp_path / "objects.png")
    targets = (*wish.wish.targets, {"index": 2, "name": "hammer", "part": None, "part_index": None})
    both = replace(wish, wish=replace(wish.wish, targets=targets, objects=str(tmp_path / "objects.png")))
    cells = target_cells(dataset, plain_example(dataset, both, size=64), cells=4)
    expected = torch.zeros(4, 4)
    expected[:2, :2] = 1
    torch.testing.assert_close(cells, expected)
    for sample in (plain, wish, refusal):
        assert target_cells(dataset, plain_example(dataset, sample, size=64), cells=4).isnan().all(), "no mask"


def test_place_loss_weighs_the_few_cells_of_a_target_as_much_as_all_others():
    wanted = torch.zeros(1, 4, 4)
    wanted[0, 0, 0] = 1
    sure = torch.where(wanted > 0, 9.0, -9.0)
    assert place_loss(sure, wanted) < 1e-3
    missed, everywhere = torch.full_like(sure, -9.0), torch.full_like(sure, 9.0)
    torch.testing.assert_close(place_loss(missed, wanted), place_loss(everywhere, wanted))
    assert place_loss(everywhere, torch.full_like(wanted, torch.nan)) == 0


def test_a_wish_that_goes_on_is_learned_after_what_was_said(samples):
    _, wish, refusal = samples
    asked_before = [user_turn("Hand me the hammer."), assistant_turn("Here is it.")]
    corners = GraspRectangle.from_pose(center=(30.0, 20.0), theta=0.3, opening=12.0, jaw=5.0).corners.tolist()
    for grasp in (corners, None):
        before = {"asked": "Hand me the hammer.", "reason": f"Here is the {SPT} hammer {SPT}.", "grasp": grasp}
        sample = replace(wish, wish=replace(wish.wish, before=before), messages=[*asked_before, *wish.messages])
        assert (sample.instruction, sample.turns) == ("I am thirsty.", 1) and reason_of(sample) == reason_of(wish)
        shape = Transform.letterbox(source_size=(64, 64), size=(64, 64))
        example = Example(sample, Picture(np.zeros((64, 64, 3), np.uint8)), (), 0, (64, 64), shape)
        said, earlier = asked(example, np.random.default_rng(0), names=["cup"], proposals=[], answer_format="reasoned")
        assert said == "I am thirsty." and [m["role"] for m in earlier] == ["user", "assistant"]
        assert text_of(earlier[0]).startswith("Hand me the hammer.\nIn view: ")
        if grasp is None:
            assert text_of(earlier[1]) == before["reason"]
        else:
            words, first = parse_grasp(text_of(earlier[1]))
            assert words == before["reason"] and first.x == pytest.approx(30.5 / 64, abs=6e-4)
            assert first.theta == pytest.approx(0.3, abs=0.006)
    assert refusal.start == 0
