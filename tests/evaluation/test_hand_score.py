"""Figures of made-up rows, small enough to count by hand, and P-FID* and diversity of hands that are known."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hand_drawn import write_drawn_hands

from graspwise.evaluation.hand_measures import HandRow
from graspwise.evaluation.hand_plan import HandQuestion
from graspwise.evaluation.hand_score import (
    HandFeatures,
    agreement,
    diversity,
    figures,
    in_points,
    reference_of,
    scores_of,
    times,
    whole_figures,
)
from graspwise.hand.cloud import CloudEncoder
from graspwise.hand.grasps import HandDataset
from graspwise.hand.open_hand import load_open_hand


def row(number: int, **given: Any) -> HandRow:
    values: dict[str, Any] = {
        "number": number, "object_id": f"thing-{number // 2}", "parameters": (0.0,), "fingers": {},
        "penetration": 0.01, "gap": 0.0, "volume": 2e-6, "displacement": None, "held": None,
    }  # fmt: skip
    return HandRow(**{**values, **given})


def test_means_in_the_units_of_papers() -> None:
    rows = [row(0, penetration=0.01, error=0.02), row(2, penetration=0.03, error=0.04, displacement=0.1, held=False)]
    found = figures(rows)
    assert (found["n"], found["objects"], found["simulated"]) == (2, 2, 1)
    assert found["penetration_cm"] == {"mean": 2.0, "ci95": [1.0, 3.0]}
    assert found["mpvpe_mm"]["mean"] == 30 and found["volume_cm3"]["mean"] == 2
    assert found["displacement_cm"]["mean"] == 10 and found["held"]["percent"] == 0
    assert figures([row(0)])["displacement_cm"] is None and figures([row(0)])["held"] is None


def test_agreement_by_level_and_paired() -> None:
    levels = ("low", "high", "talk", "low")
    questions = [HandQuestion(i, f"thing-{i // 2}", level, "", (), ()) for i, level in enumerate(levels)]
    ours = [row(i, agreement=value) for i, value in enumerate((1.0, 1.0, 0.5, 0.5))]
    theirs = [row(i, agreement=value) for i, value in enumerate((0.5, 0.0, 0.5, 0.0))]
    found = agreement(ours, questions)
    assert {name: at["percent"] for name, at in found.items()} == {"all": 75, "low": 75, "high": 100, "talk": 50}
    assert in_points(ours, theirs) == {"points": 50.0, "ci95": [25.0, 75.0], "n": 4}
    assert in_points(ours, [row(9)]) is None


def test_times_the_ground_truth() -> None:
    ours = [row(0, penetration=0.02), row(2, penetration=0.03), row(4, penetration=1.0)]
    theirs = [row(0, penetration=0.01), row(2, penetration=0.01)]
    assert times(ours, theirs, "penetration_cm") == {"times": 2.5, "ci95": [2.0, 3.0]}
    assert times(ours, [row(0, penetration=0.0)], "penetration_cm") is None
    assert times(ours, theirs, "displacement_cm") is None


def test_marks_are_means_over_those_that_have_one() -> None:
    found = scores_of({0: 4.0, 2: 2.0, 99: 1.0}, [row(0), row(2), row(4)])
    assert found is not None and (found["mean"], found["n"]) == (3, 2)
    assert scores_of({}, [row(0)]) is None


def test_diversity_is_of_one_object_alone() -> None:
    still, apart = np.zeros((5, 3)), np.full((5, 3), 0.01)
    assert diversity(np.stack([still, still, apart]), ["a", "a", "b"]) == 0
    assert diversity(np.stack([still, apart, apart]), ["a", "a", "b"]) == round(10 * math.sqrt(3), 2)
    assert diversity(np.stack([still, apart]), ["a", "b"]) is None


def test_p_fid_star_is_small_for_the_same_hands_and_grows(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("score")
    write_drawn_hands(folder, objects=4)
    dataset = HandDataset(folder)
    torch.manual_seed(0)
    features = HandFeatures(CloudEncoder(width=16, patches=4, neighbours=16).eval(), dataset, load_open_hand())
    objects = list(dataset.objects)
    found = reference_of(dataset, objects, [0, 2], features)
    assert found is not None and found[1] == 6
    assert reference_of(dataset, objects, [0, 1, 2, 3, 4, 5, 6], features) is None

    def rows_at(shift: float) -> list[HandRow]:
        rows = []
        for i, grasp in enumerate(dataset.grasps):
            parameters = grasp.parameters.astype(float)
            parameters[6] += shift
            rows.append(row(i, object_id=grasp.object_id, parameters=tuple(parameters)))
        return rows

    near, far, farther = (whole_figures(rows_at(shift), features, found[0]) for shift in (0.0, 0.05, 0.2))
    assert 0 <= near["p_fid_star"] < far["p_fid_star"] < farther["p_fid_star"]
    assert near["diversity_mm"] == pytest.approx(90, abs=1e-3)
    assert near["entropy_nats"] is None and whole_figures(rows_at(0), features, None)["p_fid_star"] is None
