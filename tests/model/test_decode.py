"""Whatever is drafted, the same is written; good drafts take fewer steps."""

import copy
import random
from contextlib import contextmanager

import numpy as np
import pytest

from graspwise.conversation import user_turn
from graspwise.grasp import Grasp
from graspwise.model import generate
from graspwise.model.density import GraspDensity
from graspwise.model.generate import write_answers
from graspwise.model.load import load_model

GRASPS = [Grasp(x=0.523, y=0.317, theta=-0.78), Grasp(x=0.09, y=0.95, theta=1.2), Grasp(x=0.5, y=0.5, theta=0.004)]


@pytest.fixture(scope="module")
def exact(tiny_checkpoint):
    """In float32, where rounding does not decide."""
    model = load_model(str(tiny_checkpoint))
    model.vlm.float()
    return model


@pytest.fixture(scope="module")
def asked(exact):
    pictures = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    texts = ("Pick up the mug.", "Grasp it.", "Where would you hold the long green thing?")
    return [exact.prompt_ids([user_turn(text)]) for text in texts], exact.inputs(pictures)


def answers(model, asked, **options):
    density = lambda row, ids, states: GraspDensity.of([GRASPS[row]], trust=1.0)  # noqa: E731
    return [w.text for w in write_answers(model, *asked, answer_format="reasoned", density=density, **options)]


@pytest.fixture(scope="module")
def written(exact, asked):
    return answers(exact, asked)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_no_draft_changes_an_answer(exact, asked, monkeypatch, temperature):
    undrafted = answers(exact, asked, temperature=temperature, seed=3)
    draw, vocabulary = random.Random(0), exact.vlm.config.text_config.vocab_size
    rows = {}
    start = generate.AnswerWriter.__init__

    def numbered(writer, *args, **options):
        start(writer, *args, **options)
        rows[writer] = len(rows)

    def anything(writer, ids):
        # Right tokens, then wrong ones: what is kept and what is left changes from row to row.
        whole = exact.tokenizer(undrafted[rows[writer]], add_special_tokens=False)["input_ids"]
        right = whole[len(ids) : len(ids) + draw.randrange(6)] if whole[: len(ids)] == list(ids) else []
        return [*right, *(draw.randrange(vocabulary) for _ in range(draw.randrange(3)))]

    monkeypatch.setattr(generate.AnswerWriter, "__init__", numbered)
    monkeypatch.setattr(generate.AnswerWriter, "draft", anything)
    assert answers(exact, asked, temperature=temperature, seed=3) == undrafted


@contextmanager
def steps_counted(model):
    """A list that grows by one whenever the language model reads."""
    steps = []
    handle = model.family.parts(model.vlm).language_model.register_forward_hook(lambda *given: steps.append(1))
    yield steps
    handle.remove()


def test_what_was_taught_takes_fewer_steps_and_says_the_same(exact, asked, written):
    knowing = copy.copy(exact)
    knowing.__dict__.pop("phrases", None)
    knowing.taught = tuple(text.partition("\n")[0] for text in written)
    with steps_counted(exact) as without:
        assert answers(exact, asked) == written
    with steps_counted(knowing) as drafted:
        assert answers(knowing, asked) == written
    assert 2 * len(drafted) < len(without)


def test_numbers_are_read_at_once(exact, asked, written):
    """From the line break on an answer takes a few steps, not one a character."""
    reasons = [f"{text.partition(chr(10))[0]}\n" for text in written]
    with steps_counted(exact) as steps:
        assert answers(exact, asked, openings=reasons) == written
    assert len(steps) < 20
