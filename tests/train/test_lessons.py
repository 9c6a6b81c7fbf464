"""Lessons of conversations: made anew in the augmented picture, every answer learned after what was said before."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from graspwise.answer import SPT, parse_grasp
from graspwise.conversation import text_of
from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.cornell import read_cornell
from graspwise.data.request_texts import announced, says_unmet
from graspwise.data.requests import Request, meets
from graspwise.data.store import Dataset
from graspwise.metric import is_hit
from graspwise.model.changes import changes, with_changes
from graspwise.model.load import load_model, new_head
from graspwise.train.examples import augmented_example, plain_example
from graspwise.train.lessons import Hints, holds_of, request_lessons
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
                if key in ("left", "right", "up", "down") and not says_unmet(words):
                    checked += 1
                    way = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[key]
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


def test_holds_have_the_parts_of_the_labels_that_are_in_view(talks):
    sample = next(iter(talks))
    parts = tuple(f"part {place}" for place in range(len(sample.rectangles)))
    example = plain_example(talks, replace(sample, parts=parts), size=64)
    assert [hold.part for hold in holds_of(example)] == [*parts]
    assert {hold.part for hold in holds_of(plain_example(talks, sample, size=64))} == {None}
    first = holds_of(example)[0]
    by = Request("part", part="part 0")
    assert meets(by, before=[first.grasp], after=first.grasp, image_size=(64, 64), holds=holds_of(example))


def test_all_answers_of_a_conversation_are_learned_and_single_ones_as_before(talks, dataset_folder, tiny_checkpoint):
    model = load_model(str(tiny_checkpoint), merged=False)
    model.card = replace(model.card, answer="reasoned", proposals=3)
    torch.manual_seed(0)
    model.head = new_head(model).eval()
    projector = model.llava.model.multi_modal_projector.float().requires_grad_(True)

    def task(dataset):
        return AnswerTask(
            model, dataset, recipe=recipe_named("tiny"), watch_samples=2, trainable=named(projector, "projector"),
            training=list(dataset), validation=[], seed=0,
        )  # fmt: skip

    single, many = task(Dataset(dataset_folder)), task(talks)
    for one in (single, many):
        pictures, examples = prepared = one.prepare(range(8))
        hints = one.hints(model.pixel_values([e.rgb for e in examples]), examples)
        assert all(bool(h.spread) == (one is many) for h in hints)
        counts = [len(one.lessons(e, p, h)) for p, e, h in zip(pictures, examples, hints, strict=True)]
        assert max(counts) == 1 if one is single else max(counts) > 1
        loss = one.loss(prepared)
        assert torch.isfinite(loss)
        loss.backward()
    e, picture = many.prepare(range(8))[1][0], many.prepare(range(8))[0][0]
    first, *following = many.lessons(e, picture, Hints())
    assert len(first.answers) == 1 and not first.earlier and all(lesson.earlier for lesson in following)
    plain = single.lessons(examples := single.prepare(range(8))[1][0], picture, Hints())
    [alone] = plain
    rng = np.random.default_rng([0, picture, 1])
    assert alone == single.lesson(examples, rng, names=[], proposals=[])
