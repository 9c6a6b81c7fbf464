"""What is measured of a hand: as the metrics say it, on objects of the data set and of the simulator."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hand_drawn import holding, write_drawn_hands

from graspwise.evaluation.hand_measures import Ground, HandRow
from graspwise.hand.grasps import HandDataset, HandGrasp, HandObject, write_hands
from graspwise.hand.mesh import solid_of
from graspwise.hand.metrics import intersection_volume, penetration_depth
from graspwise.hand.open_hand import load_open_hand

HAND = load_open_hand()


def test_a_row_has_what_the_metrics_say(tmp_path: Path) -> None:
    write_drawn_hands(tmp_path, objects=1)
    ground = Ground(HandDataset(tmp_path), "drawn/club-0", HAND)
    hands = torch.from_numpy(np.stack([holding(-0.03), holding(0.06)]))
    low, high = ground.vertices(hands)
    row = ground.row(
        7, hands[0], low, simulate=False, truth=high, asked=((None, "handle"), ("pinky", "head")), free=("head",),
        text="By the handle.",
    )  # fmt: skip
    assert row.penetration == pytest.approx(penetration_depth(low, ground.distance), abs=1e-6) and row.penetration > 0
    assert row.volume == pytest.approx(intersection_volume(low, HAND.faces, ground.solid), abs=1e-9)
    assert row.error == pytest.approx(0.09, abs=1e-6) and row.gap == 0
    held = {part for parts in row.fingers.values() for part in parts}
    expected = ["handle" in held, "head" in row.fingers.get("pinky", ()), "head" not in held]
    assert row.agreement == pytest.approx(np.mean(expected))
    assert (row.number, row.object_id, row.text, row.displacement) == (7, "drawn/club-0", "By the handle.", None)
    nothing = ground.row(7, hands[0], low, simulate=False)
    assert nothing.agreement is None and nothing.error is None
    away = ground.row(7, hands[0], low + 0.5, simulate=False, asked=((None, "handle"),))
    assert away.agreement == 0 and away.gap > 0.4 and away.penetration == away.volume == 0


def test_a_row_comes_back_from_json() -> None:
    row = HandRow(1, "a", (0.1, 0.2), {"thumb": ("rim", "body")}, 0.1, 0.0, 1e-6, 0.02, True, agreement=0.5)
    written = {**vars(row), "parameters": [0.1, 0.2], "fingers": {"thumb": ["rim", "body"]}}
    assert HandRow.from_json(written) == row


def test_things_of_the_simulator_fall_out_of_a_hand_that_is_away(tmp_path: Path) -> None:
    from graspwise.sim.catalogue import thing_of

    thing = thing_of("household/lemon")
    solid = solid_of(thing)
    lemon = HandObject.of(
        solid, object_id="household/lemon", name="lemon", set_name="household", rng=np.random.default_rng(0)
    )
    hand = holding(0.5)
    write_hands(
        tmp_path, hand="open", objects=[lemon], grasps=[HandGrasp("household/lemon", hand, {}, "light")], seed=0
    )
    ground = Ground(HandDataset(tmp_path), "household/lemon", HAND)
    assert len(ground.pieces) == sum(len(part.pieces) for part in thing.parts)
    rows = torch.from_numpy(hand)[None]
    row = ground.row(0, rows[0], ground.vertices(rows)[0], simulate=True)
    assert row.displacement == pytest.approx(0.104, abs=0.003) and row.held is False and row.fingers == {}
