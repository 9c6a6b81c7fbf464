"""Decoding under the grammar: an untrained model babbles, and every answer parses all the same."""

import re

import numpy as np
import pytest

from graspwise.answer import FORMATS, GRASP, POINT, AnswerError, parse_grasp
from graspwise.conversation import user_turn
from graspwise.grasp import Grasp
from graspwise.model.density import GraspDensity
from graspwise.model.generate import write_answers
from graspwise.model.load import load_model
from graspwise.vlm.adapter import of_pictures


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    return load_model(str(tiny_checkpoint))


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)


ASKED = ("Pick up the mug.", "Grasp it.", "Where would you hold the long green thing?")


@pytest.mark.parametrize("answer_format", FORMATS)
def test_every_constrained_answer_parses(model, pictures, answer_format):
    prompts = [model.prompt_ids([user_turn(text)]) for text in ASKED]
    written = write_answers(model, prompts, model.inputs(pictures), answer_format=answer_format)
    for answer in written:
        assert re.fullmatch(GRASP.pattern(answer_format), answer.text), answer.text
        reasoning, grasp = parse_grasp(answer.text)
        assert bool(reasoning) == (answer_format == "reasoned")
        assert 0 <= grasp.x <= 1
        # Random weights do not know the format.
        assert answer.intervened


def test_another_schema_goes_through_the_same_grammar(model, pictures):
    prompts = [model.prompt_ids([user_turn(ASKED[0])])]
    written = write_answers(model, prompts, model.inputs(pictures[:1]), answer_format="prompted", schema=POINT)
    assert set(POINT.parse(written[0].text)[1]) == {"x", "y"}


def test_an_untrained_model_without_grammar_does_not_parse(model, pictures):
    prompts = [model.prompt_ids([user_turn(ASKED[0])])]
    written = write_answers(model, prompts, model.inputs(pictures[:1]), answer_format="bare", constrained=False)
    with pytest.raises(AnswerError):
        parse_grasp(written[0].text)


def test_a_batch_of_unequal_prompts_answers_as_one_by_one(model, pictures):
    """Padding must not change an answer; compared in float32, where rounding does not decide."""
    import copy

    exact = copy.copy(model)
    exact.vlm = copy.deepcopy(model.vlm).float()
    values = exact.inputs(pictures)
    prompts = [exact.prompt_ids([user_turn(text)]) for text in ASKED]
    together = [w.text for w in write_answers(exact, prompts, values, answer_format="bare")]
    alone = [
        write_answers(exact, [prompt], of_pictures(values, [i]), answer_format="bare")[0].text
        for i, prompt in enumerate(prompts)
    ]
    assert together == alone


@pytest.mark.parametrize("answer_format", FORMATS)
def test_grounded_digits_are_those_of_the_grasp_where_the_model_has_no_opinion(model, pictures, answer_format):
    grasps = [Grasp(x=0.523, y=0.317, theta=-0.78), Grasp(x=0.09, y=0.95, theta=1.2), Grasp(x=0.5, y=0.5, theta=0.004)]
    prompts = [model.prompt_ids([user_turn(text)]) for text in ASKED]
    written = write_answers(
        model,
        prompts,
        model.inputs(pictures),
        answer_format=answer_format,
        density=lambda row, ids, states: GraspDensity.of([grasps[row]], trust=1.0),
    )
    for answer, meant in zip(written, grasps, strict=True):
        grasp = parse_grasp(answer.text)[1]
        assert (grasp.x, grasp.y) == pytest.approx((meant.x, meant.y), abs=0.012)
        assert grasp.theta == pytest.approx(meant.theta, abs=0.06)


def test_an_answer_goes_on_after_the_words_it_is_given(model, pictures):
    prompts = [model.prompt_ids([user_turn(ASKED[0])])]
    given = "It is a mug, held by its rim."
    values = model.inputs(pictures[:1])
    [answer] = write_answers(model, prompts, values, answer_format="reasoned", openings=[f"{given}\n"])
    assert parse_grasp(answer.text)[0] == given
    assert re.fullmatch(GRASP.pattern("reasoned"), answer.text)


def test_drawn_answers_depend_on_the_seed_alone(model, pictures):
    prompts = [model.prompt_ids([user_turn(ASKED[0])])]
    values = model.inputs(pictures[:1])
    drawn = [
        write_answers(model, prompts, values, answer_format="bare", temperature=1.0, seed=seed)[0].text
        for seed in (1, 1, 2, 3)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_a_watched_answer_is_the_same_and_is_told_token_by_token(model, pictures):
    prompts = [model.prompt_ids([user_turn(text)]) for text in ASKED]
    values = model.inputs(pictures)
    alone = [w.text for w in write_answers(model, prompts, values, answer_format="reasoned")]
    told: dict[int, list[str]] = {0: [], 1: [], 2: []}
    watched = write_answers(
        model, prompts, values, answer_format="reasoned", on_token=lambda row, text: told[row].append(text)
    )
    assert [w.text for w in watched] == alone
    for row, texts in told.items():
        # The last token ends the turn, and there is nothing to tell of it.
        assert texts[-1] == alone[row]
        assert len(texts) > 5 and all(alone[row].startswith(text.rstrip("\ufffd")) for text in texts)


def test_a_stopped_row_is_broken_off_and_the_others_go_on(model, pictures):
    prompts = [model.prompt_ids([user_turn(text)]) for text in ASKED]
    values = model.inputs(pictures)
    alone = [w.text for w in write_answers(model, prompts, values, answer_format="reasoned")]
    counts = [0, 0, 0]

    def stop(row: int) -> bool:
        counts[row] += 1
        return row == 1 and counts[row] == 4

    written = write_answers(model, prompts, values, answer_format="reasoned", stop=stop)
    assert [w.stopped for w in written] == [False, True, False]
    assert counts[1] == 4
    assert alone[1].startswith(written[1].text) and len(written[1].text) < len(alone[1])
    assert (written[0].text, written[2].text) == (alone[0], alone[2])


def test_when_all_rows_are_stopped_nothing_more_is_written(model, pictures):
    prompts = [model.prompt_ids([user_turn(text)]) for text in ASKED]
    asked = []
    written = write_answers(
        model, prompts, model.inputs(pictures), answer_format="reasoned",
        stop=lambda row: asked.append(row) or True,
    )  # fmt: skip
    assert asked == [0, 1, 2]
    assert all(w.stopped for w in written)
