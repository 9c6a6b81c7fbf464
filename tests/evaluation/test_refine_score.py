"""Figures of the refinement benchmark, counted by hand, and the report that is made of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from graspwise.evaluation.refine_gallery import picks
from graspwise.evaluation.refine_report import refinement_lines, refinement_report
from graspwise.evaluation.refine_score import refinement_summary
from graspwise.evaluation.refine_talk import METHODS, RefineRecord, TalkRecord
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle

GRASP = {"x": 0.5, "y": 0.5, "theta": 0.1, "opening": 0.2, "jaw": None, "quality": None}


def record(
    image: str, turn: int, *, method: str = "model", obeyed: bool = True, valid: bool = True, **given: Any
) -> RefineRecord:
    values = {
        "object_id": f"object of {image}", "category": "mug", "seen": False, "kind": "direction",
        "asked": "further left", "satisfiable": True, "steady": True, "says_unmet": False, "before": GRASP,
        "after": GRASP, "reasoning": "Left.",
    }  # fmt: skip
    both = obeyed and valid
    return RefineRecord(
        image=image, turn=turn, method=method, obeyed=obeyed, valid=valid, both=both, **{**values, **given}  # type: ignore[arg-type]
    )  # fmt: skip


def requests() -> list[RefineRecord]:
    """Three photographs, two requests each; the baselines obey none."""
    own = [
        record("a", 1), record("a", 2), record("b", 1, valid=False), record("b", 2),
        record("c", 1, steady=False), record("c", 2, obeyed=False, kind="turn"),
    ]  # fmt: skip
    others = [
        record(r.image, r.turn, method=method, obeyed=False, steady=None, says_unmet=None, kind=r.kind, reasoning="")
        for r in own
        for method in METHODS[1:]
    ]
    cannot = [
        record("a", 1, satisfiable=False, obeyed=False, says_unmet=True),
        record("b", 1, satisfiable=False, obeyed=False, valid=False, says_unmet=False),
    ]
    return [*own, *others, *cannot]


def talks(*others: TalkRecord) -> list[TalkRecord]:
    """How far the conversations of `requests` got, and others."""
    return [*(TalkRecord(name, f"object of {name}", False, 3, False) for name in "abc"), *others]


def test_shares_are_those_of_requests_that_can_be_met() -> None:
    summary = refinement_summary(requests(), talks())
    first, second = (summary["turns"][turn]["model"] for turn in ("1", "2"))
    assert (first["n"], first["obeyed"]["percent"], first["valid"]["percent"]) == (3, 100.0, pytest.approx(66.67))
    assert first["both"]["percent"] == pytest.approx(66.67)
    # One of three that were obeyed turned the jaws; one that was not obeyed kept nothing of use.
    assert (first["steady"]["percent"], first["steady"]["n"]) == (pytest.approx(66.67), 3)
    assert second["steady"]["n"] == 2 and second["obeyed"]["percent"] == pytest.approx(66.67)
    assert summary["turns"]["1"]["rule"]["obeyed"]["percent"] == 0.0
    kinds = {method: {kind: at["n"] for kind, at in of.items()} for method, of in summary["kinds"].items()}
    assert kinds == {method: {"direction": 5, "turn": 1} for method in METHODS}
    pooled = summary["all"]
    assert {at["n"] for at in pooled.values()} == {6} and pooled["rule"]["both"]["percent"] == 0.0
    assert pooled["model"]["obeyed"]["percent"] == pytest.approx(83.33)
    assert pooled["model"]["both"]["percent"] == pytest.approx(66.67)
    assert summary["photographs"] == summary["objects"] == 3


def test_a_conversation_goes_through_when_all_requests_so_far_do() -> None:
    through = refinement_summary(requests(), talks())["through"]
    assert through["1"]["percent"] == pytest.approx(66.67)
    assert through["2"]["percent"] == pytest.approx(33.33), "b failed at the first request, c at the second"


def test_conversations_that_an_answer_without_a_grasp_ended_have_failed() -> None:
    """d never began, e was lost at its first request, f at its second; g had nothing more to be asked."""
    held = talks(
        TalkRecord("d", "d", True, 0, True), TalkRecord("e", "e", False, 1, True),
        TalkRecord("f", "f", False, 2, True), TalkRecord("g", "g", False, 2, False),
    )  # fmt: skip
    gone = [record("e", 1, obeyed=False), record("f", 1), record("f", 2, obeyed=False), record("g", 1)]
    gone += [replace(r, method=method) for r in gone for method in METHODS[1:]]
    summary = refinement_summary([*requests(), *gone], held)
    assert (summary["photographs"], summary["not_begun"], summary["broken_off"]) == (7, 1, 2)
    assert (summary["objects"], summary["seen_objects"]) == (7, 1)
    first, second = summary["through"]["1"], summary["through"]["2"]
    assert (first["n"], first["percent"]) == (7, pytest.approx(400 / 7, abs=0.01)), "a, c, f and g of all"
    assert (second["n"], second["percent"]) == (6, pytest.approx(100 / 6, abs=0.01)), "a of all but g"


def test_differences_are_paired_and_requests_that_cannot_be_met_apart() -> None:
    summary = refinement_summary(requests(), talks())
    assert summary["minus"]["again"]["1"]["obeyed"] == {"points": 100.0, "ci95": [100.0, 100.0], "n": 3}
    assert summary["minus"]["again"]["all"]["both"]["n"] == 6
    assert summary["unmet"]["n"] == 2
    assert summary["unmet"]["says_unmet"]["percent"] == summary["unmet"]["valid"]["percent"] == 50.0


def test_the_gallery_shows_misses_first_and_of_as_many_photographs_as_can_be() -> None:
    chosen = picks(requests(), seed=0)
    assert [pick["both"] for pick in chosen] == [False] * 2 + [True] * 4
    assert {pick["image"] for pick in chosen[2:5]} == {"a", "b", "c"}


@pytest.mark.parametrize("records", [requests(), []])
def test_the_report_says_the_same_in_both_forms(tmp_path, records: list[RefineRecord]) -> None:
    picture = Picture(np.full((64, 64, 3), 200, np.uint8))
    label = GraspRectangle.from_pose(center=(32, 32), theta=0, opening=20)
    cell = {"model": "small", "data": "cornell", "split": "fold 0 of 5", "records": records}
    cell["talks"] = talks(TalkRecord("d", "d", False, 0, True)) if records else []
    report = refinement_report(
        tmp_path, cell, config={"turns": 2, "seed": 0}, command="graspwise benchmark refinement",
        photograph=lambda name: (picture, [label]),
    )  # fmt: skip
    text = (tmp_path / "report.md").read_text()
    assert text == "\n".join(refinement_lines(report)) + "\n" and "graspwise benchmark refinement" in text
    page = (tmp_path / "report.html").read_text()
    if not records:
        assert "None was asked." in text and not (tmp_path / "gallery").exists()
        return
    assert "| **small** | 100.0%" in text and "its next ranked grasp" in text
    assert "2 requests: the answer says so in 50.0%" in text and "1 conversations did not begin" in text
    assert "### All requests" in text and "By what is asked: numbers moved by rule" in text
    assert page.count("<figure") == len(list((tmp_path / "gallery").glob("*.jpg"))) == 6
    assert "“further left”" in page
