"""Scores: counted by hand on made-up records, intervals over objects, and the table made from them."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from graspwise.data.store import Dataset
from graspwise.evaluation.report import benchmark_report, evaluation_report
from graspwise.evaluation.score import Record, bootstrap, names_in, paired_difference, score, summarise
from graspwise.grasp import Grasp
from graspwise.model.responder import Response

RECORD = Record(
    image="a", object_id="1", category="mug", seen=False, oblique=False, hit=True, hit_own=None, hit_any=True,
    names_category=None, intervened=False, unconstrained_fails=False, grasp={}, reasoning="", seconds=0.5,
)  # fmt: skip


class Labels:
    """Answers with a label of each picture in turn, or with its mirror image when `wrong`."""

    name, image_size, answer_format, mode = "labels", 64, "bare", "plain"

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


def test_reports_are_made_from_report_json(tmp_path):
    evaluation_report(tmp_path, model="m", data="d", records=[RECORD], command="graspwise evaluate")
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["n"] == 1
    assert "100.0%" in (tmp_path / "report.md").read_text()
    cells = [
        {
            "cell": name, "split": "object", "fold": fold, "date": "2026-01-01", "config": {"seed": 0},
            "training_samples": {"align": 10, "answers": 20}, "summary": summarise(records),
            "records": [asdict(r) for r in records],
        }
        for fold in (0, 1)
        for name, hit in (("centre", False), ("lora-reasoned", True))
        for records in [[replace(RECORD, image=f"{fold}{i}", object_id=f"{fold}{i}", hit=hit) for i in range(4)]]
    ]  # fmt: skip
    report = benchmark_report(tmp_path / "b", cells, command="graspwise benchmark cornell")
    assert [(row["cell"], row["mean"]) for row in report["rows"]] == [("centre", 0.0), ("lora-reasoned", 100.0)]
    assert report["rows"][0]["reasoned_minus_this"]["points"] == 100.0
    table = (tmp_path / "b" / "report.md").read_text()
    assert "lora-reasoned" in table and "10 + 20" in table


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
