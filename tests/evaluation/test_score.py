"""Scores: counted by hand on made-up records, intervals over objects."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graspwise.data.store import Dataset
from graspwise.errors import InputError
from graspwise.evaluation.protocol import centred_view, workspace_view
from graspwise.evaluation.score import Record, bootstrap, matched_label, names_in, paired_difference, score, summarise
from graspwise.grasp import Grasp
from graspwise.metric import is_hit
from graspwise.model.responder import Response
from graspwise.rectangle import GraspRectangle

RECORD = Record(
    image="a", object_id="1", category="mug", seen=False, oblique=False, hit=True, hit_own=None, hit_any=True,
    names_category=None, intervened=False, unconstrained_fails=False, grasp={}, reasoning="", seconds=0.5,
)  # fmt: skip


class Labels:
    """Answers with a label of each picture in turn, or with its mirror image when `wrong`."""

    name, image_size, answer_format, mode, takes_depth = "labels", 64, "bare", "plain", False

    def __init__(self, dataset: Dataset, *, wrong: bool = False) -> None:
        samples = [s for s in dataset if s.original]
        self.grasps = [Grasp.from_rectangle(s.rectangles[0], image_size=(64, 64)) for s in samples]
        self.wrong, self.asked = wrong, []

    def respond(self, pictures, conversations):
        self.asked += [c[-1]["content"][-1]["text"] for c in conversations]
        grasps = [self.grasps.pop(0) for _ in pictures]
        if self.wrong:
            grasps = [replace(g, x=1 - g.x if abs(g.x - 0.5) > 0.2 else 0.02, y=0.02) for g in grasps]
        return [Response("", f"This is a {'mug' if self.wrong else 'remote control'}.", g) for g in grasps]


def test_labels_score_full_marks_and_far_grasps_none(dataset_folder):
    dataset = Dataset(dataset_folder)
    samples = [s for s in dataset if s.original]
    good = Labels(dataset)
    records = score(good, dataset, samples, seen=frozenset({samples[0].object_id}), batch=4)
    assert all(r.hit and r.hit_own and r.hit_any for r in records)
    assert {r.seen for r in records if r.object_id == samples[0].object_id} == {True}
    # The question must not give the category away.
    assert set(good.asked) == {"Pick up the object."}
    named = summarise(records)["category_named"]["percent"]
    assert named == pytest.approx(100 * np.mean([s.category == "remote control" for s in samples]), abs=0.01)
    assert not any(r.hit for r in score(Labels(dataset, wrong=True), dataset, samples))


def test_an_answer_without_a_grasp_is_wrong_and_counted(dataset_folder):
    dataset = Dataset(dataset_folder)
    samples = [s for s in dataset if s.original]
    labels = Labels(dataset)
    labels.grasps[1] = None
    records = score(labels, dataset, samples)
    assert [r.parsed for r in records] == [True, False] + [True] * (len(samples) - 2)
    assert [r.hit for r in records] == [r.parsed for r in records]
    lost = records[1]
    assert (lost.grasp, lost.hit_own, lost.hit_any, lost.unconstrained_fails) == (None, None, False, False)
    assert lost.reasoning == "This is a remote control."
    assert summarise(records)["parsed"]["percent"] == pytest.approx(100 * (1 - 1 / len(samples)), abs=0.01)
    assert json.loads(json.dumps(asdict(lost)))["grasp"] is None


def test_a_model_that_takes_depth_gets_the_data_sets(dataset_folder, depth_dataset_folder):
    seen = []

    class Deep(Labels):
        takes_depth = True

        def respond(self, pictures, conversations):
            seen.extend(pictures)
            return super().respond(pictures, conversations)

    dataset = Dataset(depth_dataset_folder)
    samples = [s for s in dataset if s.original]
    score(Deep(dataset), dataset, samples)
    for picture in seen:
        # A bar of 40 mm on a table at 0.7 to 0.71 m.
        assert 0.65 < np.nanmin(picture.depth) < np.nanmax(picture.depth) < 0.72
    score(Labels(dataset), dataset, samples)
    flat = Dataset(dataset_folder)
    with pytest.raises(InputError, match="no depth"):
        score(Deep(flat), flat, [s for s in flat if s.original])


def test_the_label_of_a_hit_is_the_one_it_overlaps_most():
    size = (100, 100)
    near, far, across = (
        GraspRectangle.from_pose(center=(x, 50), theta=theta, opening=opening, jaw=20)
        for x, theta, opening in ((52, 0.1, 30), (58, 0.1, 40), (50, 1.5, 20))
    )
    grasp = Grasp.from_rectangle(GraspRectangle.from_pose(center=(51, 50), theta=0, opening=77), image_size=size)
    # Its own opening does not enter: with the labels' own it lies best on the near one.
    assert matched_label(grasp, labels=[far, near, across], image_size=size) is near
    assert matched_label(grasp, labels=[far, across], image_size=size) is far
    assert matched_label(grasp, labels=[across], image_size=size) is None
    assert matched_label(grasp, labels=[], image_size=size) is None


@given(
    st.lists(st.tuples(st.floats(20, 80), st.floats(20, 80), st.floats(-3, 3), st.floats(5, 60)), max_size=6),
    st.floats(0.2, 0.8), st.floats(0.2, 0.8), st.floats(-3, 3),
)  # fmt: skip
def test_a_label_is_matched_exactly_where_the_metric_says_hit(poses, x, y, theta):
    labels = [GraspRectangle.from_pose(center=(px, py), theta=t, opening=w) for px, py, t, w in poses]
    grasp = Grasp(x=x, y=y, theta=theta)
    matched = matched_label(grasp, labels=labels, image_size=(100, 100))
    assert (matched is not None) == is_hit(grasp, labels=labels, image_size=(100, 100))


def test_records_hold_the_labels_opening_in_both_protocols(dataset_folder):
    dataset = Dataset(dataset_folder)
    samples = [s for s in dataset if s.original]
    for view in (workspace_view, centred_view):
        model = Labels(dataset)
        # In the frame of what it is shown, half as wide again as the label.
        model.grasps = [
            Grasp.from_rectangle(view(s, (64, 64), 64).rectangle(s.rectangles[0]), image_size=(64, 64)) for s in samples
        ]
        model.grasps = [replace(g, opening=1.5 * g.opening) for g in model.grasps]
        records = score(model, dataset, samples, view=view, known=frozenset({samples[0].category}))
        for record, sample in zip(records, samples, strict=True):
            assert record.hit and record.label_opening == pytest.approx(sample.rectangles[0].opening / 64, rel=0.02)
            assert record.grasp["opening"] == pytest.approx(1.5 * record.label_opening, rel=0.02)
            assert record.known_category == (sample.category == samples[0].category)
    wrong = score(Labels(dataset, wrong=True), dataset, samples)
    assert {r.label_opening for r in wrong} == {None}


def hit_with(own: float | None, label: float) -> Record:
    return replace(RECORD, grasp={"opening": own}, label_opening=label)


def test_the_opening_is_held_against_the_best_constant_for_the_same_hits():
    hits = [hit_with(0.12, 0.10), hit_with(0.20, 0.20), hit_with(0.26, 0.30), hit_with(None, 0.9)]
    misses = [replace(RECORD, hit=False, grasp={"opening": 0.9}), replace(RECORD, hit=False, grasp=None)]
    found = summarise([*hits, *misses])["opening"]
    assert found["n"] == 3 and found["constant"] == 0.20
    assert found["mae_hits"] == pytest.approx(0.02) and found["mae_constant"] == pytest.approx(0.2 / 3, abs=1e-5)
    assert found["ratio"] == pytest.approx(0.3, abs=1e-4)
    assert summarise(misses)["opening"] == {
        "n": 0, "mae_hits": None, "constant": None, "mae_constant": None, "ratio": None
    }  # fmt: skip
    assert summarise(hits[:1])["opening"]["ratio"] is None


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=30), st.floats(0, 1))
def test_no_constant_beats_the_best_one(labels, other):
    found = summarise([hit_with(other, label) for label in labels])["opening"]
    assert found["mae_constant"] <= found["mae_hits"] + 2e-5


def test_naming_counts_known_categories_of_answers_that_can_name():
    records = [
        replace(RECORD, names_category=True, known_category=True),
        replace(RECORD, names_category=False, known_category=True),
        replace(RECORD, names_category=True, known_category=False),
        replace(RECORD, names_category=None, known_category=True),
    ]
    summary = summarise(records)
    assert summary["naming"]["n"] == 2 and summary["naming"]["percent"] == 50
    assert summary["category_named"]["percent"] == pytest.approx(66.67)
    assert summarise(records[3:])["naming"] == {"percent": None, "ci95": None, "n": 0}


def test_summary_counts_by_hand():
    records = [
        RECORD,
        replace(RECORD, image="b", hit=False, oblique=True, hit_own=False),
        replace(RECORD, image="c", object_id="2", category="pen"),
    ]
    summary = summarise(records)
    assert summary["n"] == 3 and summary["objects"] == 2
    assert summary["accuracy"]["percent"] == pytest.approx(66.67)
    assert summary["accuracy_own_opening"]["percent"] == 0
    assert summary["accuracy_oblique"]["percent"] == 0 and summary["accuracy_oblique"]["n"] == 1
    assert summary["category_named"]["percent"] is None
    assert summary["by_category"] == {"mug": {"n": 2, "hits": 1}, "pen": {"n": 1, "hits": 1}}
    assert summarise([]) == {"n": 0}


def test_bootstrap_draws_objects_not_photographs():
    values = np.array([1.0] * 50 + [0.0] * 50)
    low, high = bootstrap(values, ["a"] * 50 + ["b"] * 50)
    # Two objects: the mean is 0, 1/2 or 1, however many photographs there are.
    assert (low, high) == (0.0, 1.0)
    low, high = bootstrap(values, [str(i) for i in range(100)])
    assert 0.35 < low < 0.45 and 0.55 < high < 0.65


def test_paired_difference_is_ours_minus_theirs_on_common_pictures():
    ours = [replace(RECORD, image=str(i), object_id=str(i)) for i in range(10)]
    theirs = [replace(r, hit=int(r.image) >= 5) for r in ours[:8]]
    pair = paired_difference(ours, theirs)
    assert pair["n"] == 8 and pair["points"] == 62.5
    assert pair["ci95"][0] > 0


@pytest.mark.parametrize(
    ("reasoning", "named"),
    [
        ("The object is a toothbrush, long and thin.", {"toothbrush"}),
        ("I see a paint bottle with a cap.", {"paint bottle"}),
        ("A can opener, or a can.", {"can opener", "can"}),
        ("Open it gently.", set()),
    ],
)
def test_a_name_inside_another_name_does_not_count(reasoning, named):
    assert names_in(reasoning) == named


def test_an_answer_without_a_grasp_is_wrong_by_its_own_opening_too():
    given = replace(RECORD, hit_own=True)
    none = replace(RECORD, image="b", hit=False, hit_own=None, grasp=None, parsed=False)
    assert summarise([given, none])["accuracy_own_opening"]["percent"] == 50.0
    # Of a model that gives no openings nothing is said.
    assert summarise([RECORD, none])["accuracy_own_opening"]["percent"] is None
