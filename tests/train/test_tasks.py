"""What is learned: which part moves, what the answers are, and that order and augmentation come from the seed alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from graspwise.answer import parse_grasp
from graspwise.data.store import Dataset
from graspwise.metric import is_hit
from graspwise.model.load import load_model
from graspwise.train.examples import Order, augmented_example, plain_example
from graspwise.train.parts import plate_length
from graspwise.train.recipe import recipe_named
from graspwise.train.run import add_lora, lora_parameters, named
from graspwise.train.tasks import MapsTask, WordsTask, hit
from graspwise.train.text_tasks import AnswerTask, CaptionTask, first_named


@pytest.fixture
def model(tiny_checkpoint):
    model = load_model(str(tiny_checkpoint), merged=False)
    model.card = replace(model.card, answer="reasoned", proposals=3)
    model.vlm.model.multi_modal_projector.float().requires_grad_(True)
    return model


@pytest.fixture
def parts(dataset_folder):
    dataset = Dataset(dataset_folder)
    return dataset, {"training": list(dataset), "validation": [], "seed": 0}


def answers(model, parts, **recipe):
    dataset, shared = parts
    trainable = named(model.vlm.model.multi_modal_projector, "projector")
    return AnswerTask(
        model, dataset, recipe=replace(recipe_named("tiny"), **recipe), watch_samples=2, trainable=trainable, **shared
    )


def step(task) -> float:
    loss = task.loss(task.prepare(range(4)))
    loss.backward()
    return float(loss)


def test_maps_learn_the_head_alone(model, parts):
    dataset, shared = parts
    task = MapsTask(model, dataset, distinct=4, **shared)
    assert np.isfinite(step(task))
    assert all(p.grad is not None for p in task.parameters().values())
    assert all(p.grad is None for p in model.vlm.model.vision_tower.parameters())


@pytest.mark.parametrize("kind", [WordsTask, CaptionTask, AnswerTask])
def test_projector_stages_move_the_projector_alone(model, parts, kind):
    dataset, shared = parts
    if kind is AnswerTask:
        task = answers(model, parts)
    elif kind is CaptionTask:
        task = CaptionTask(
            model, dataset, trainable=named(model.vlm.model.multi_modal_projector, "projector"), **shared
        )
    else:
        task = WordsTask(model, dataset, **shared)
    assert np.isfinite(step(task))
    moved = {name for name, p in model.vlm.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert moved and all("multi_modal_projector" in name for name in moved)


def test_words_stage_brings_the_right_names_nearer(model, parts):
    dataset, shared = parts
    task = WordsTask(model, dataset, **shared)
    optimizer = torch.optim.Adam(task.parameters().values(), lr=3e-3)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        losses.append(step(task))
        optimizer.step()
    assert losses[-1] < losses[0] - 0.5


def test_lora_learns_and_the_aligned_projector_moves_slowly(model, parts):
    task = answers(model, parts, projector_rate=0.1)
    model.adapter = add_lora(model, recipe_named("tiny"))
    task.trainable |= lora_parameters(model)
    step(task)
    rates = {task.rate(name) for name in task.parameters() if "lora_" in name}
    assert rates == {1.0}
    assert task.rate("projector.linear_1.weight") == 0.1
    assert any(p.grad.abs().sum() > 0 for name, p in task.parameters().items() if "lora_B" in name)


def test_answer_takes_the_first_right_proposal_else_the_nearest_label(model, parts):
    dataset, _ = parts
    task = answers(model, parts, decoys=0.0, soft_digits=False)
    example = plain_example(dataset, next(iter(dataset)), size=64)
    right = example.grasps[0]
    wrong = replace(right, x=0.02 if right.x > 0.5 else 0.98, y=0.02)
    lesson = task.lesson(example, np.random.default_rng(0), names=["mug"], proposals=[wrong, right])
    asked, answer = lesson.asked, lesson.answers[0][0]
    assert "Looks like: mug\nCandidates: " in asked
    grasp = parse_grasp(answer)[1]
    assert (grasp.x, grasp.y) == pytest.approx((right.x, right.y), abs=6e-4)
    answer = task.lesson(example, np.random.default_rng(0), names=[], proposals=[wrong, wrong]).answers[0][0]
    assert hit(parse_grasp(answer)[1], example)
    answer = task.lesson(example, np.random.default_rng(0), names=[], proposals=[]).answers[0][0]
    assert hit(parse_grasp(answer)[1], example)


def test_without_proposals_all_labels_are_the_target_of_soft_digits(model, parts):
    dataset, _ = parts
    task = answers(model, parts, decoys=0.0, soft_digits=True)
    example = plain_example(dataset, next(iter(dataset)), size=64)
    wrong = replace(example.grasps[0], x=0.02, y=0.02)
    amended = task.lesson(example, np.random.default_rng(0), names=[], proposals=[wrong]).answers[0][1]
    assert len(amended) == 1 and hit(amended[0], example)
    labels = task.lesson(example, np.random.default_rng(0), names=[], proposals=[]).answers[0][1]
    assert labels == example.grasps


def test_the_tower_sees_the_distinct_samples_once(model, parts, monkeypatch):
    dataset, shared = parts
    task = MapsTask(model, dataset, distinct=4, **shared)
    first = float(task.loss(task.prepare(range(4))).detach())
    monkeypatch.setattr(model.vlm.model.vision_tower, "levels", None)
    assert float(task.loss(task.prepare(range(4, 8))).detach()) == pytest.approx(first, rel=1e-3)


def test_decoys_stand_first_and_are_not_taken(model, parts):
    dataset, _ = parts
    task = answers(model, parts, decoys=1.0)
    example = plain_example(dataset, next(iter(dataset)), size=64)
    right = example.grasps[0]
    taken = 0
    for seed in range(20):
        lesson = task.lesson(example, np.random.default_rng(seed), names=[], proposals=[right, right, right])
        asked, answer = lesson.asked, lesson.answers[0][0]
        first = parse_grasp(asked.split("Candidates: ")[1].split(";")[0])[1]
        grasp = parse_grasp(answer)[1]
        assert hit(grasp, example)
        taken += (first.x, first.y, first.theta) == (grasp.x, grasp.y, grasp.theta)
    assert taken <= 4


def test_right_name_stands_first_in_the_prompt_and_the_list_keeps_its_length():
    assert first_named("mug", ["bowl", "mug", "jar"]) == ["mug", "bowl", "jar"]
    assert first_named("mug", ["bowl", "can", "jar"]) == ["mug", "bowl", "can"]
    assert first_named("mug", []) == []


def test_plate_is_the_median_of_the_photographs_labels(parts):
    samples = parts[1]["training"]
    lengths = [r.jaw / s.transform.size[0] for s in samples if s.original for r in s.rectangles]
    assert plate_length(samples) == pytest.approx(float(np.median(lengths)), abs=1e-4)
    assert plate_length([]) == 0


def test_name_of_the_category_weighs_more(model, parts):
    dataset, _ = parts
    task = answers(model, parts, name_weight=4.0)
    example = plain_example(dataset, next(iter(dataset)), size=64)
    answer = f"This is a {example.sample.category}, long.\n[0.500, 0.500], +0.10"
    offsets = model.tokenizer(answer, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    weights = task.token_weights(answer, offsets, example)
    heavy = "".join(answer[a:b] for (a, b), w in zip(offsets, weights, strict=True) if w == 4.0)
    assert example.sample.category in heavy and len(heavy) <= len(example.sample.category) + 4


def test_order_is_a_permutation_each_pass_from_the_seed():
    order = Order(10, seed=3)
    first, second = [order[i] for i in range(10)], [order[i] for i in range(10, 20)]
    assert sorted(first) == sorted(second) == list(range(10)) and first != second
    assert [Order(10, seed=3)[i] for i in (15, 2)] == [second[5], first[2]]


def test_augmentation_keeps_labels_on_the_bar(parts):
    """The bar is dark and bluish on a light table: under every moved label's centre it must still be so."""
    dataset, _ = parts
    for index, sample in enumerate(dataset):
        example = augmented_example(dataset, sample, size=64, rng=np.random.default_rng(index))
        assert example.rectangles
        background = np.quantile(example.rgb.reshape(-1, 3), 0.95, axis=0)
        x, y = (round(v) for v in example.rectangles[0].center)
        under = example.rgb[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].reshape(-1, 3).mean(0)
        assert (background - under).sum() > 60
        assert is_hit(example.grasps[0], labels=example.rectangles, image_size=(64, 64))
