"""Rows from cells, counted by hand on made-up ones."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graspwise.evaluation.comparison import (
    MOST_BINS,
    budget_text,
    budget_total,
    calibration,
    compare,
    curve,
    main_row,
    peer_row,
)
from graspwise.evaluation.naming import NamingRecord


def row_of(rows, label):
    return next(row for row in rows if row["label"] == label)


def test_splits_stand_in_their_order(made_cell):
    cells = [made_cell("blob", 0, [right], split=split) for split, right in (("category", True), ("image", False))]
    rows = compare([*cells, made_cell("centre", 0, [False])])
    assert [row["split"] for row in rows] == ["object", "image", "category"]


def test_folds_are_pooled_and_the_best_comes_first(made_cell):
    cells = [
        made_cell("centre", 1, [False, False, False, True], budget=(0, 0)),
        made_cell("lora-reasoned", 1, [True, True, True, True]),
        made_cell("lora-reasoned", 0, [True, True, False, False]),
        made_cell("centre", 0, [False] * 4, budget=(0, 0)),
    ]
    rows = compare(cells)
    assert [row["label"] for row in rows] == ["lora-reasoned", "centre"]
    ours = rows[0]
    assert (ours["mean"], ours["std"], ours["n"], ours["folds"]) == (75.0, 25.0, 8, [0, 1])
    assert ours["summary"]["accuracy"]["percent"] == 75.0
    assert budget_text(ours) == "100 + 20" and budget_total(ours) == 120
    assert budget_text(rows[1]) == "none"
    # Nothing that no cell has is made up.
    for key in ("centred", "text_alone", "naming", "curve", "calibration", "seconds_single", "memory_mib"):
        assert ours[key] is None


def test_other_budgets_and_seeds_are_other_rows(made_cell):
    cells = [
        made_cell("lora-bare", 0, [True] * 4),
        made_cell("lora-bare", 1, [False] * 4, budget=(100, 40)),
        made_cell("lora-bare", 2, [True, False], seed=1),
        made_cell("blob", 0, [True] * 4, budget=(0, 0)),
    ]
    rows = compare(cells)
    assert {row["label"]: row["folds"] for row in rows} == {
        "blob": [0],
        "lora-bare, 100 + 20 samples, seed 0": [0],
        "lora-bare, 100 + 40 samples, seed 0": [1],
        "lora-bare, 100 + 20 samples, seed 1": [2],
    }


def test_splits_are_apart_and_object_wise_comes_first(made_cell):
    rows = compare([made_cell("a", 0, [True], split="image"), made_cell("a", 0, [False], split="object")])
    assert [(row["split"], row["mean"], row["label"]) for row in rows] == [("object", 0.0, "a"), ("image", 100.0, "a")]


def test_differences_are_this_row_minus_another_on_common_photographs(made_cell):
    cells = [
        made_cell("lora-reasoned", 0, [True, True, True, True]),
        made_cell("lora-reasoned", 1, [False, False]),
        made_cell("grconvnet", 0, [True, True, True, False]),
        made_cell("head", 2, [True, True]),
    ]
    rows = compare(cells)
    ours, peer, head = (row_of(rows, name) for name in ("lora-reasoned", "grconvnet", "head"))
    assert (ours["minus"]["grconvnet"]["points"], ours["minus"]["grconvnet"]["n"]) == (25.0, 4)
    assert peer["minus"]["lora-reasoned"]["points"] == -25.0
    assert ours["minus"]["lora-reasoned"] is None and peer["minus"]["grconvnet"] is None
    # Nothing in common, nothing to compare.
    assert head["minus"] == {"grconvnet": None, "lora-reasoned": None}


def test_both_protocols_stand_side_by_side(made_cell):
    cells = [
        made_cell("a", fold, [False, True], centred=None if fold == 1 else made_cell("a", fold, [True, True]))
        for fold in (0, 1)
    ]
    row = compare(cells)[0]
    assert row["mean"] == 50.0 and row["folds"] == [0, 1]
    assert row["centred"]["mean"] == 100.0 and row["centred"]["folds"] == [0] and row["centred"]["n"] == 2


def test_answers_without_a_grasp_are_counted_of_what_writes_text(made_cell):
    lost = made_cell("vlm", 0, [False, False, True, True])
    lost["records"][0] |= {"parsed": False, "grasp": None, "hit_own": None}
    lost["records"][1] |= {"unconstrained_fails": True}
    rows = compare([lost, made_cell("head", 0, [True])])
    vlm = row_of(rows, "vlm")
    assert vlm["unparsed"]["percent"] == 50.0 and vlm["with_opening"] == 3
    assert row_of(rows, "head")["unparsed"] is None


def test_names_are_counted_over_all_folds_and_alone(made_cell):
    def namer(fold, right):
        names = [asdict(NamingRecord(str(i), f"{fold}{i}", "mug", i > 0, r, "")) for i, r in enumerate(right)]
        return {"cell": "naming-majority", "split": "object", "fold": fold, "date": "2026-01-01",
                "config": {"seed": 0}, "summary": {"n": len(names)}, "names": names}  # fmt: skip

    # The first of each fold is of a category that training does not have.
    cells = [namer(0, [True, True, False]), namer(1, [True, False, False]), made_cell("centre", 0, [False])]
    known = made_cell("lora-reasoned", 0, [True, False], record={"known_category": True})
    rows = compare([*cells, known])
    majority = row_of(rows, "naming-majority")
    assert (majority["naming"]["percent"], majority["naming"]["n"]) == (25.0, 4)
    assert (majority["n"], majority["mean"]) == (0, None)
    assert row_of(rows, "lora-reasoned")["naming"]["percent"] == 100.0
    assert row_of(rows, "centre")["naming"] is None
    # What only names is last, and never the row that plots and photographs are of.
    assert rows[-1] is majority
    assert main_row(rows, "object")["label"] == "lora-reasoned"


def test_the_main_row_is_reasoned_or_else_the_best(made_cell):
    cells = [made_cell("lora-reasoned", 0, [False]), made_cell("grconvnet", 0, [True])]
    rows = compare(cells)
    assert main_row(rows, "object")["label"] == "lora-reasoned" and peer_row(rows, "object")["label"] == "grconvnet"
    assert main_row(compare(cells[1:]), "object")["label"] == "grconvnet"
    assert main_row(rows, "image") is None and peer_row(rows, "image") is None


def test_time_and_memory_are_medians_over_folds(made_cell):
    cells = [made_cell("a", fold, [True], seconds_single=time, memory_mib=900.0 + fold)
             for fold, time in enumerate((0.1, 3.0, 0.2))]  # fmt: skip
    row = compare([*cells, made_cell("a", 3, [True])])[0]
    assert (row["seconds_single"], row["memory_mib"]) == (0.2, 901.0)


def test_a_curve_is_the_mean_where_every_fold_has_a_point():
    assert curve([[[20, 10.0], [40, 30.0]], [[20, 20.0], [40, 50.0], [60, 70.0]]]) == [[20, 15.0], [40, 40.0]]
    assert curve([]) is None


def test_bins_of_the_calibration_by_hand(made_cell):
    cell = made_cell("head", 0, [i >= 10 for i in range(40)])
    for index, record in enumerate(cell["records"]):
        record["grasp"]["quality"] = index / 40
    low, high = calibration(cell["records"])
    assert (low["n"], low["percent"], low["quality"]) == (20, 50.0, round(sum(range(20)) / 20 / 40, 4))
    assert (high["percent"], high["ci95"]) == (100.0, [100.0, 100.0])
    assert low["ci95"][0] < 50 < low["ci95"][1]
    # Too few to say anything of, and answers without a grasp.
    assert calibration(cell["records"][:29]) is None
    assert calibration([{**record, "grasp": None} for record in cell["records"]]) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=30, max_size=300))
def test_bins_hold_every_grasp_once_in_order(pairs):
    raw = [{"grasp": {"quality": q}, "hit": hit, "object_id": str(i)} for i, (q, hit) in enumerate(pairs)]
    bins = calibration(raw)
    assert 2 <= len(bins) <= MOST_BINS
    assert sum(at["n"] for at in bins) == len(pairs)
    assert max(at["n"] for at in bins) - min(at["n"] for at in bins) <= 1
    assert sum(at["n"] * at["percent"] for at in bins) / 100 == pytest.approx(sum(h for _, h in pairs), abs=0.1)
    assert [at["quality"] for at in bins] == sorted(at["quality"] for at in bins)
