"""Labels: what trials make of candidates, counted by hand on scripted ends and once on real ones."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.errors import InputError
from graspwise.grasp import Grasp, angle_difference
from graspwise.sim import antipodal, label
from graspwise.sim.antipodal import Candidate
from graspwise.sim.gripper import Gantry
from graspwise.sim.label import Label, heights, label_object, random_grasp_on, try_out
from graspwise.sim.render import View
from graspwise.sim.scene import Scene
from graspwise.sim.trial import Outcome, Stage

Made = Callable[..., tuple[Scene, View]]
GRASP = Grasp(x=0.5, y=0.5, theta=0.3, opening=0.12, jaw=0.05)
CANDIDATE = Candidate(GRASP, 1, 0.031)
LIFTED, MISSED = Outcome(True, None, ("handle",), True), Outcome(False, "missed")
SLIPPED, BLADE = Outcome(False, "slipped", ("handle",)), Outcome(True, None, ("blade",), False)
BOTH = Outcome(True, None, ("blade", "handle"), False)


@pytest.fixture(scope="module", autouse=True)
def few_samples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(antipodal, "SAMPLES", 300)
        yield


@pytest.fixture(scope="module")
def labels(made: Made, robot: Gantry) -> list[Label]:
    return label_object(*made("knife"), index=1, robot=robot, count=8, trials=2, seed=0)


def scripted(monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> list[object]:
    """Let trials end so, one after the other; what each was told."""
    left, told = list(outcomes), []

    def carry_out(*_: object, **given: object) -> Outcome:
        told.append(given["conditions"])
        return left.pop(0)

    monkeypatch.setattr(label.Stage, "carry_out", carry_out)
    monkeypatch.setattr(label, "pose_of", lambda *_, **__: None)
    return told


def tried(made: Made, *, trials: int) -> Label | None:
    scene, view = made("bar")
    return try_out(Stage(scene, Gantry()), view, CANDIDATE, trials, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("outcomes", "rate", "parts", "allowed", "causes"),
    [
        ([LIFTED] * 4, 1.0, ("handle",), True, ()),
        ([LIFTED, MISSED, LIFTED, LIFTED], 0.75, ("handle",), True, ("missed",)),
        ([SLIPPED, LIFTED, MISSED, LIFTED], 0.5, ("handle",), True, ("slipped", "missed")),
        ([LIFTED, LIFTED, LIFTED, BOTH], 1.0, ("handle",), False, ()),
        ([BOTH, BOTH, LIFTED, BLADE], 1.0, ("blade", "handle"), False, ()),
        ([BLADE] * 4, 1.0, ("blade",), False, ()),
        # Given up after the third failure.
        ([MISSED, SLIPPED, MISSED], 0.0, (), False, ("missed", "slipped", "missed")),
        ([LIFTED, MISSED, MISSED, MISSED], 0.25, ("handle",), True, ("missed",) * 3),
    ],
)
def test_a_label_counts_its_trials(outcomes, rate, parts, allowed, causes, made: Made, monkeypatch) -> None:
    told = scripted(monkeypatch, *outcomes)
    found = tried(made, trials=4)
    assert found == Label(GRASP, 1, 0.031, rate, len(outcomes), parts, allowed, causes)
    # No two trials are the same.
    assert len(set(told)) == len(outcomes)


def test_a_candidate_without_a_pose_has_no_label(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def pose_of(*_: object, **__: object) -> None:
        raise InputError("depth: none")

    monkeypatch.setattr(label, "pose_of", pose_of)
    assert tried(made, trials=4) is None


def test_labels_are_sorted_and_allowed_ones_come_first_among_equals(made: Made, robot: Gantry, monkeypatch) -> None:
    found = [replace(CANDIDATE, width=float(number)) for number in range(4)]
    monkeypatch.setattr(label, "candidates", lambda *_, **__: found)
    scripted(monkeypatch, BLADE, BLADE, MISSED, MISSED, LIFTED, LIFTED, LIFTED, MISSED)
    ranked = label_object(*made("bar"), index=1, robot=robot, count=4, trials=2, seed=0)
    assert [(row.rate, row.allowed, row.width) for row in ranked] == [
        (1.0, True, 2.0), (1.0, False, 0.0), (0.5, True, 3.0), (0.0, False, 1.0),
    ]  # fmt: skip


def test_enough_stops_at_the_first_that_always_lifts_by_a_part_that_may_be_held(made: Made, robot: Gantry, monkeypatch):
    monkeypatch.setattr(label, "candidates", lambda *_, **__: [CANDIDATE] * 4)
    told = scripted(monkeypatch, BLADE, BLADE, LIFTED, MISSED, LIFTED, LIFTED)
    ranked = label_object(*made("bar"), index=1, robot=robot, count=4, trials=2, seed=0, enough=True)
    assert len(told) == 6
    assert (ranked[0].rate, ranked[0].allowed) == (1.0, True)


def test_real_labels_are_as_physics_has_it(labels: list[Label], made: Made) -> None:
    scene, view = made("knife")
    assert 3 <= len(labels) <= 8
    assert [row.rate for row in labels] == sorted((row.rate for row in labels), reverse=True)
    assert labels[0].rate == 1 and labels[0].allowed and labels[0].parts == ("handle",)
    names = {name: index for index, name in scene.objects[0].parts.items()}
    for row in labels:
        x, y = row.grasp.pixel(image_size=view.rgb.shape[1::-1])
        assert view.objects[round(y), round(x)] == 1
        assert row.trials in (1, 2) and row.rate in (0.0, 0.5, 1.0)
        assert row.allowed == (row.rate > 0 and "blade" not in row.parts)
        assert len(row.causes) == round(row.trials * (1 - row.rate))
        if len(row.parts) == 1:
            # The part that was held is the one seen between the jaws.
            near = view.parts[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5]
            assert names[row.parts[0]] in near


def test_the_same_seed_gives_the_same_labels(labels: list[Label], made: Made, robot: Gantry) -> None:
    assert label_object(*made("knife"), index=1, robot=robot, count=8, trials=2, seed=0) == labels


def test_a_narrow_gripper_gets_narrow_grasps(made: Made, robot: Gantry) -> None:
    scene, view = made("bar")
    for row in label_object(scene, view, index=1, robot=robot, count=3, trials=1, seed=0, max_opening=0.04):
        # At the bar's top, 3 cm nearer to the camera.
        assert row.grasp.opening * scene.camera.width / scene.camera.fx * 0.72 < 0.041


def test_what_is_not_seen_has_no_labels(made: Made, robot: Gantry) -> None:
    scene, view = made("bar")
    hidden = View(view.rgb, view.depth, np.zeros_like(view.objects), view.parts)
    assert label_object(scene, hidden, index=1, robot=robot, count=4, trials=1, seed=0) == []


def test_heights_are_above_the_table(made: Made) -> None:
    scene, view = made("bar")
    found = heights(scene, view)
    assert (found.shape, found.dtype) == (view.depth.shape, np.float32)
    assert np.abs(found[view.objects == 0]).max() < 0.001
    assert found[view.objects == 1].max() == pytest.approx(0.03, abs=0.001)


def test_a_label_in_json() -> None:
    row = Label(GRASP, 2, 0.03123456, 2 / 3, 3, ("handle",), True, ("slipped",)).to_json()
    assert row == {
        "index": 2, "grasp": row["grasp"], "width": 0.0312, "rate": 0.667, "trials": 3, "parts": ["handle"],
        "allowed": True, "causes": ["slipped"],
    }  # fmt: skip
    again = Grasp(**row["grasp"])
    assert (again.x, again.y, again.opening) == pytest.approx((GRASP.x, GRASP.y, GRASP.opening), abs=1e-4)
    assert angle_difference(again.theta, GRASP.theta) < 1e-3


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), widest=st.floats(0.03, 0.1))
def test_a_random_grasp_lies_on_the_object(seed: int, widest: float) -> None:
    objects = np.zeros((60, 80), np.uint8)
    objects[20:40, 10:70], objects[0:5] = 2, 1
    depth = np.full((60, 80), 0.7, np.float32)
    view = View(np.zeros((60, 80, 3), np.uint8), depth, objects, objects)
    grasp = random_grasp_on(view, index=2, max_opening=widest, focal=90.0, rng=np.random.default_rng(seed))
    x, y = grasp.pixel(image_size=(80, 60))
    assert objects[round(y), round(x)] == 2
    assert 0.05 * widest - 1e-9 <= grasp.opening * 80 * 0.7 / 90 <= widest + 1e-9


def test_random_grasps_point_everywhere() -> None:
    view = View(np.zeros((9, 9, 3), np.uint8), np.ones((9, 9), np.float32), *[np.ones((9, 9), np.uint8)] * 2)
    rng = np.random.default_rng(0)
    grasps = [random_grasp_on(view, index=1, max_opening=0.08, focal=90.0, rng=rng) for _ in range(300)]
    thetas = [grasp.theta for grasp in grasps]
    assert set(np.digitize(thetas, np.linspace(-math.pi / 2, math.pi / 2, 7))) >= set(range(1, 7))
    assert len({grasp.pixel(image_size=(9, 9)) for grasp in grasps}) > 60
