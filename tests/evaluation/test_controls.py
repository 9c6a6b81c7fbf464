"""The controls on the reasoning: what is put into the model's mouth, and how the figures are taken."""

from dataclasses import replace

import numpy as np
import pytest

from graspwise.answer import SPT
from graspwise.data.store import Dataset
from graspwise.data.templates import load_reasoning
from graspwise.evaluation.controls import (
    CONTROLS,
    SAME,
    SHUFFLED,
    TRUE,
    WRONG,
    ControlRecord,
    control_records,
    control_summary,
    reasons,
)
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.load import load_model


@pytest.fixture(scope="module")
def dataset(dataset_folder):
    return Dataset(dataset_folder)


def test_reasons_are_what_they_are_called(dataset):
    texts = load_reasoning()
    for seed, sample in enumerate(list(dataset)[:6]):
        drawn = reasons(sample, rng=np.random.default_rng(seed))
        assert set(drawn) == set(CONTROLS)
        assert drawn[TRUE] in texts[sample.category] and drawn[SAME] in texts[sample.category]
        assert drawn[TRUE] != drawn[SAME]
        assert drawn[WRONG] not in texts[sample.category]
        assert sorted(drawn[SHUFFLED].rstrip(".").split()) == sorted(drawn[TRUE].rstrip(".").split())


def test_a_steered_model_is_given_every_target_between_marks(dataset):
    for seed, sample in enumerate(list(dataset)[:6]):
        plain = reasons(sample, rng=np.random.default_rng(seed))
        drawn = reasons(sample, rng=np.random.default_rng(seed), named=True)
        assert all(text.count(SPT) == 2 for text in drawn.values())
        for control in (TRUE, SAME, SHUFFLED):
            assert drawn[control].split(SPT)[1].strip().lower() == sample.category
        assert drawn[WRONG].split(SPT)[1].strip().lower() != sample.category
        assert " ".join(drawn[TRUE].replace(SPT, "").split()).replace(" ,", ",") == plain[TRUE]


def test_every_picture_is_answered_after_every_reason(dataset, tiny_checkpoint):
    model = load_model(str(tiny_checkpoint))
    model.card = replace(model.card, answer="reasoned")
    samples = [sample for sample in dataset if sample.original][:3]
    records = control_records(LlavaResponder("tiny", model), dataset, samples, seed=0)
    assert [(r.image, r.control) for r in records[:3]] == [(s.source_image, TRUE) for s in samples]
    assert len(records) == len(samples) * len(CONTROLS)
    assert all(r.move == r.turn == 0 for r in records if r.control == TRUE)


def test_summary_compares_with_the_true_text():
    def record(control: str, *, hit: bool, move: float) -> ControlRecord:
        return ControlRecord("a", "1", control, "Because.", hit, move, 0.0)

    found = control_summary([record(c, hit=c != WRONG, move=0.2 if c == WRONG else 0.0) for c in CONTROLS])
    assert found[TRUE]["percent"] == found[SAME]["percent"] == 100.0
    assert found[WRONG]["minus_true"]["points"] == -100.0
    assert (found[WRONG]["median_move"], found[WRONG]["moved_share"]) == (0.2, 1.0)
