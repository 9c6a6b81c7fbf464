"""Lessons of conversations: made anew in the augmented picture, every answer learned after what was said before."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from graspwise.answer import SPT, parse_grasp, target_of
from graspwise.conversation import text_of
from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.cornell import read_cornell
from graspwise.data.request_talk import name_of
from graspwise.data.request_texts import announced, says_unmet
from graspwise.data.requests import LITTLE, SIDES, Request, meets
from graspwise.data.store import Dataset
from graspwise.metric import is_hit
from graspwise.model.changes import changes, with_changes
from graspwise.model.load import load_model, new_head
from graspwise.rectangle import GraspRectangle
from graspwise.train.examples import augmented_example, plain_example
from graspwise.train.lessons import Hints, holds_of, named_example, request_lessons
from graspwise.train.recipe import recipe_named
from graspwise.train.run import named
from graspwise.train.text_tasks import AnswerTask


@pytest.fixture(scope="module")
def talks(cornell_folder, tmp_path_factory) -> Dataset:
    config = BuildConfig(samples=12, size=64, seed=3, conversations=1.0)
    out = tmp_path_factory.mktemp("talks") / "data"
    return Dataset(build_dataset(read_cornell(cornell_folder), source="cornell", out=out, config=config, workers=1))


def lessons(example, *, spread=(), names_target=False, seed=0):
    opening = ("Pick it up.\nCandidates: none", "The object is a mug.", example.grasps[0])
    rng = np.random.default_rng(seed)
    return request_lessons(
        example, opening, spread=spread, answer_format="reasoned", names_target=names_target, rng=rng
    )


def test_requests_are_those_of_the_augmented_picture(talks):
    """In a mirrored or turned picture the words of the sample would be wrong; those of the lessons are right."""
    checked = 0
    for sample in talks:
        for seed in range(4):
            example = augmented_example(talks, sample, size=64, rng=np.random.default_rng(seed))
            found = lessons(example, seed=seed)
            assert len(found) <= sample.turns - 1
            for lesson in found:
                before = [parse_grasp(text_of(m))[1] for m in lesson.earlier if m["role"] == "assistant"]
                [(answer, [grasp])] = lesson.answers
                words, written = parse_grasp(answer)
                assert (written.x, written.y) == pytest.approx((grasp.x, grasp.y), abs=6e-4)
                assert is_hit(grasp, labels=example.rectangles, image_size=example.size)
                [key] = announced(words)
                side = key.removeprefix("a bit ")
                if side in SIDES and not says_unmet(words):
                    checked += 1
                    way = SIDES[side]
                    assert np.dot(way, (grasp.x - before[-1].x, grasp.y - before[-1].y)) > 0.02
    assert checked > 10


def test_a_lesson_is_read_after_all_that_was_said_before(talks):
    sample = next(sample for sample in talks if sample.turns > 2)
    example = plain_example(talks, sample, size=64)
    found = lessons(example)
    for place, lesson in enumerate(found, start=1):
        roles = [message["role"] for message in lesson.messages]
        assert roles == ["user", "assistant"] * place + ["user"]
        assert text_of(lesson.messages[0]).startswith("Pick it up.\nCandidates")
        shown = [any(part["type"] == "image" for part in m["content"]) for m in lesson.messages]
        assert shown == [True] + [False] * (2 * place)
    assert text_of(found[1].earlier[-1]) == found[0].answers[0][0]


def test_the_answer_is_what_the_change_comes_to_where_that_is_right(talks):
    copied = 0
    for sample in talks:
        example = plain_example(talks, sample, size=64)
        spread = [replace(grasp, quality=0.9) for grasp in example.grasps]
        for lesson in lessons(example, spread=spread):
            before = [parse_grasp(text_of(m))[1] for m in lesson.earlier if m["role"] == "assistant"]
            [(answer, [grasp])] = lesson.answers
            [key] = announced(parse_grasp(answer)[0])
            found = changes(spread, before)
            assert lesson.asked == with_changes(lesson.asked.splitlines()[0], found)
            if key in found:
                copied += 1
                assert (grasp.x, grasp.y) == pytest.approx((found[key].grasp.x, found[key].grasp.y), abs=1e-3)
                assert says_unmet(answer) or found[key].met
                assert (
                    not key.startswith("a bit") or math.dist((grasp.x, grasp.y), (before[-1].x, before[-1].y)) <= LITTLE
                )
    assert copied > 5


def test_wrong_grasps_of_the_head_are_not_taught(talks):
    for sample in talks:
        example = plain_example(talks, sample, size=64)
        wrong = [replace(grasp, x=0.02, y=0.02, quality=0.9) for grasp in example.grasps]
        for lesson in lessons(example, spread=wrong):
            assert is_hit(lesson.answers[0][1][0], labels=example.rectangles, image_size=example.size)


def test_targets_are_marked_for_a_model_that_names_them(talks):
    example = plain_example(talks, next(iter(talks)), size=64)
    assert all(lesson.answers[0][0].count(SPT) == 2 for lesson in lessons(example, names_target=True))


PARTS = ("handle", "head", "")


def held_by_parts(talks, seeds=range(60)):
    """Lessons about an example whose labels hold a handle, a head, and nothing that is sure."""
    sample = next(sample for sample in talks if sample.turns > 1 and len(sample.rectangles) == 3)
    example = plain_example(talks, replace(sample, parts=PARTS), size=64)
    assert [hold.part for hold in holds_of(example)] == ["handle", "head", None]
    return example, [lesson for seed in seeds for lesson in lessons(example, names_target=True, seed=seed)]


def test_a_part_that_is_asked_for_is_what_is_named_and_its_labels_alone_are_learned(talks):
    example, found = held_by_parts(talks)
    name = name_of(example.sample.category)
    seen = set()
    for lesson in found:
        reasoning = parse_grasp(lesson.answers[0][0])[0]
        words, target = target_of(reasoning)
        [key] = announced(words)
        assert target == name
        about = named_example(example, lesson)
        if key == "part":
            part = next(part for part in PARTS if part and part in words)
            assert f"{SPT} {part} of the {name} {SPT}" in reasoning
            assert about.meant == (example.rectangles[PARTS.index(part)],)
        elif key == "away":
            left = next(part for part in PARTS if part and part in words)
            [sure] = {"handle", "head"} - {left}
            assert about.meant == (example.rectangles[PARTS.index(sure)],), "the third may hold it"
        else:
            assert about is example
        seen.add(key)
    assert {"part", "away"} < seen


def test_what_goes_further_than_a_bit_is_not_taken_where_a_label_does_not(talks):
    """The head knows one grasp, far to a side; some labels are nearer."""
    example = plain_example(talks, next(s for s in talks if s.turns > 1), size=64)
    first, *_ = example.rectangles
    # Three labels in a row, a bit apart and more; the head proposes the last.
    moved = [GraspRectangle(first.corners + np.array([shift, 0])) for shift in (0, 5, 14)]
    sample = replace(example.sample, rectangles=tuple(moved))
    row = replace(example, rectangles=tuple(moved), named=3, sample=sample)
    assert len(holds_of(row)) == 3
    known = row.grasps
    spread = [replace(grasp, quality=0.9) for grasp in (known[0], known[2])]
    near = 0
    for seed in range(150):
        for lesson in lessons(row, spread=spread, seed=seed)[:1]:
            [key] = announced(parse_grasp(lesson.answers[0][0])[0])
            before = parse_grasp(text_of(lesson.earlier[1]))[1]
            grasp = lesson.answers[0][1][0]
            from_first = before.x < known[0].x + 0.01 and not says_unmet(lesson.answers[0][0])
            if from_first and "a bit" in lesson.asked.splitlines()[0] and key.removeprefix("a bit ") == "right":
                near += 1
                assert key == "a bit right" and grasp.x == pytest.approx(known[1].x)
    assert near


def test_holds_have_the_parts_of_the_labels_that_are_in_view(talks):
    sample = next(iter(talks))
    parts = tuple(f"part {place}" for place in range(len(sample.rectangles)))
    example = plain_example(talks, replace(sample, parts=parts), size=64)
    assert [hold.part for hold in holds_of(example)] == [*parts]
    assert {hold.part for hold in holds_of(plain_example(talks, sample, size=64))} == {None}
    first = holds_of(example)[0]
    by = Request("part", part="part 0")
    assert meets(by, before=[first.grasp], after=first.grasp, image_size=(64, 64), holds=holds_of(example))


@pytest.fixture
def task_of(tiny_checkpoint):
    """Makes the answers' task on a data set, with the model that all of a test's tasks share."""
    model = load_model(str(tiny_checkpoint), merged=False)
    model.card = replace(model.card, answer="reasoned", proposals=3)
    torch.manual_seed(0)
    model.head = new_head(model).eval()
    projector = model.vlm.model.multi_modal_projector.float().requires_grad_(True)

    def task(dataset):
        return AnswerTask(
            model, dataset, recipe=recipe_named("tiny"), watch_samples=2, trainable=named(projector, "projector"),
            training=list(dataset), validation=[], seed=0,
        )  # fmt: skip

    return task


def test_all_answers_of_a_conversation_are_learned_and_single_ones_as_before(talks, dataset_folder, task_of):
    single, many = task_of(Dataset(dataset_folder)), task_of(talks)
    for one in (single, many):
        pictures, examples = prepared = one.prepare(range(8))
        hints = one.hints(one.model.pixel_values([e.rgb for e in examples]), examples)
        assert all(bool(h.spread) == (one is many) for h in hints)
        counts = [len(one.lessons(e, p, h)) for p, e, h in zip(pictures, examples, hints, strict=True)]
        assert max(counts) == 1 if one is single else max(counts) > 1
        one.loss(prepared).backward()
    e, picture = many.prepare(range(8))[1][0], many.prepare(range(8))[0][0]
    first, *following = many.lessons(e, picture, Hints())
    assert len(first.answers) == 1 and not first.earlier and all(lesson.earlier for lesson in following)
    plain = single.lessons(examples := single.prepare(range(8))[1][0], picture, Hints())
    [alone] = plain
    rng = np.random.default_rng([0, picture, 1])
    assert alone == single.lesson(examples, rng, names=[], proposals=[])


def test_a_conversations_answers_weigh_as_each_does_alone_with_its_own_picture(talks, task_of, monkeypatch):
    """The loss of a batch is that of its lessons, each read by itself, by the weight of their tokens."""
    task = task_of(talks)
    monkeypatch.setattr(task, "each", 2)
    pictures, examples = task.prepare(range(4))
    hints = task.hints(task.model.pixel_values([e.rgb for e in examples]), examples)
    lessons = [(p, e, task.lessons(e, p, h)) for p, e, h in zip(pictures, examples, hints, strict=True)]
    assert len(pictures) == 2 and sum(len(found) for _, _, found in lessons) > 2

    def loss(some):
        with monkeypatch.context() as patched:
            taught = {picture: found for picture, _, found in some}
            patched.setattr(task, "lessons", lambda example, picture, hints: taught[picture])
            return task.loss(([p for p, _, _ in some], [e for _, e, _ in some])).item()

    def weight(example, lesson):
        text = lesson.answers[0][0]
        written = task.model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return sum(task.token_weights(text, written["offset_mapping"], example)) + 1.0

    alone = [(weight(e, lesson), loss([(p, e, [lesson])])) for p, e, found in lessons for lesson in found]
    mean = sum(w * value for w, value in alone) / sum(w for w, _ in alone)
    assert loss(lessons) == pytest.approx(mean, rel=2e-3)
    # A random model hardly looks at its picture, so what each lesson is read with is compared itself.
    read = []
    hook = task.model.vlm.model.register_forward_pre_hook(
        lambda module, inputs, given: read.append(given["pixel_values"]), with_kwargs=True
    )
    loss(lessons)
    hook.remove()
    own = [task.model.pixel_values([e.rgb])[0] for _, e, found in lessons for _ in found]
    assert torch.equal(read[0], torch.stack(own)) and not torch.equal(own[0], own[-1])


def test_where_one_answer_of_a_picture_is_learned_it_is_one_turn_of_its_conversation(talks, task_of, monkeypatch):
    task = task_of(talks)
    pictures, examples = task.prepare(range(0, 2 * len(task.training), 2))
    every = [task.lessons(e, p, Hints()) for p, e in zip(pictures, examples, strict=True)]
    monkeypatch.setattr(task, "each", 1)
    drawn = [task.lessons(e, p, Hints()) for p, e in zip(pictures, examples, strict=True)]
    assert all(len(one) == 1 for one in drawn) and any(len(some) > 1 for some in every)
    assert {len(one.earlier) for [one] in drawn} > {0}, "later turns too"
    assert drawn == [task.lessons(e, p, Hints()) for p, e in zip(pictures, examples, strict=True)]


def test_what_names_its_target_is_shown_no_changes(talks, task_of, monkeypatch):
    """They would be those of the unsteered head, of whatever is in view."""
    task = task_of(talks)
    _, examples = task.prepare(range(4))
    values = task.model.pixel_values([e.rgb for e in examples])
    assert any(hints.spread for hints in task.hints(values, examples))
    monkeypatch.setattr(type(task.model), "names_target", property(lambda self: True))
    assert not any(hints.spread for hints in task.hints(values, examples))
