"""Tables of the benchmark: ours beside the published, and what each row must say of itself."""

import pytest

from graspwise.evaluation.document import Heading, Table, Text
from graspwise.evaluation.report import benchmark_figures
from graspwise.evaluation.table_one import all_rows, categories, names_table, seconds_text, table_one


def figures(cells):
    return benchmark_figures(cells, command="c", splits_file=None)


def parts(blocks):
    tables = [block for block in blocks if isinstance(block, Table)]
    words = " ".join(block.text for block in blocks if isinstance(block, Text | Heading))
    return tables, words


def line(table, name):
    return next(dict(zip(table.head, row, strict=True)) for row in table.rows if row[0].startswith(name))


@pytest.fixture
def cells(made_cell):
    return [
        made_cell("lora-reasoned", 0, [True] * 4, seconds_single=2.0, memory_mib=1200.0),
        made_cell("lora-reasoned", 1, [True, True, False, False], seconds_single=2.0, memory_mib=1200.0),
        made_cell("lora-bare", 0, [True, False, False, False]),
        made_cell("grconvnet", 0, [True, True, False, False], budget=(0, 120), seconds_single=0.08),
        made_cell("blob", 0, [False] * 4, budget=(0, 0)),
    ]


def test_table_one_has_ours_beside_the_published(cells):
    (table,), words = parts(table_one(figures(cells), "object"))
    assert len(table.rows) == 7 and table.foreign == 1
    assert "not comparable" in table.head[-1] and "PUBLISHED" in table.head[-1]
    ours = line(table, "LoRA, reasoned")
    assert (ours["ours, % ± std over folds"], ours["n"], ours["folds"]) == ("75.0 ± 25.0", "8", "0, 1")
    low, high = map(float, ours["95% interval"].split(" to "))
    assert 37.5 <= low < 75 < high <= 100
    assert ours[table.head[-1]] == "77.02 ± 0.93"
    assert line(table, "GR-ConvNet")[table.head[-1]] == "95.50"
    # All have 120 samples, so that the heading says it for all.
    assert "Table I at 120 training samples a cell" in words and not any("samples" in row[0] for row in table.rows)
    assert "100 + 20; 100 + 40" not in words
    assert table.marked == "LoRA, reasoned"


def test_what_was_not_run_is_blank_and_said(cells):
    (table,), words = parts(table_one(figures(cells), "object"))
    assert list(line(table, "projector, bare").values()) == ["projector, bare", *[""] * 5, "61.55 ± 1.32"]
    said = "not run: projector, bare; projector, prompted; projector, reasoned; LoRA, prompted"
    assert said in words
    (empty,), words = parts(table_one(figures(cells), "image"))
    assert all(row[1:6] == ("",) * 5 for row in empty.rows)
    assert line(empty, "LoRA, reasoned")[empty.head[-1]] == "84.05 ± 0.78"


def test_the_text_alone_stands_beside_what_a_head_weighs(cells, made_cell):
    (table,), words = parts(table_one(figures(cells), "object"))
    assert line(table, "LoRA, reasoned")["its text alone"] == "" and "no dense head weighs" not in words
    cells[0]["text_alone"] = made_cell("lora-reasoned", 0, [True, False, False, False])
    (table,), words = parts(table_one(figures(cells), "object"))
    ours = line(table, "LoRA, reasoned")
    assert ours["its text alone"].startswith("25.0 ± 0.0 (") and ours["its text alone"].endswith("; folds 0)")
    assert ours["ours, % ± std over folds"] == "75.0 ± 25.0" and "no dense head weighs" in words


def test_another_budget_is_said_in_its_row(cells, made_cell):
    cells.append(made_cell("lora-prompted", 0, [True] * 4, budget=(100, 900)))
    (table,), words = parts(table_one(figures(cells), "object"))
    assert [row[0] for row in table.rows if "samples" in row[0]] == ["LoRA, prompted, 100 + 900 samples"]
    assert "not to be compared" in words and "100 + 20" in words and "100 + 900" in words
    (right, other), words = parts(all_rows(figures(cells), "object"))
    assert "different budgets" in words
    for table in (right, other):
        assert line(table, "lora-prompted")[table.head[-1]] == "100 + 900"


def test_all_rows_say_how_often_right_and_against_whom(cells):
    (right, _), words = parts(all_rows(figures(cells), "object"))
    ours, peer = line(right, "lora-reasoned"), line(right, "grconvnet")
    assert ours["workspace, ground-truth w"].startswith("75.0 ± 25.0 (")
    assert ours["minus grconvnet, paired"].startswith("+50.0 (") and ours["minus grconvnet, paired"].endswith("n = 4)")
    assert ours["minus lora-reasoned, paired"] == ""
    assert peer["minus lora-reasoned, paired"].startswith("-50.0 (")
    assert right.marked == "lora-reasoned"
    # No cell had the other protocol.
    assert not any("centred" in title for title in right.head)
    assert "Not measured in any row" in words and "centred on the labels, ground-truth w" in words


def test_both_protocols_and_widths_stand_side_by_side(cells, made_cell):
    cells[0]["centred"] = made_cell("lora-reasoned", 0, [True] * 4)
    cells[1]["records"][0] |= {"hit_own": None}
    (right, _), _ = parts(all_rows(figures(cells), "object"))
    ours = line(right, "lora-reasoned")
    # Another fold and another count are said where they are.
    assert ours["centred on the labels, ground-truth w"] == "100.0 ± 0.0 (100.0 to 100.0; folds 0)"
    assert ours["centred on the labels, own opening"] == "100.0% (100.0 to 100.0)"
    assert "n = 7" in ours["workspace, own opening"]
    assert line(right, "lora-bare")["centred on the labels, own opening"] == ""


def test_time_is_compared_with_the_peers(cells):
    (_, other), _ = parts(all_rows(figures(cells), "object"))
    ours = line(other, "lora-reasoned")
    assert (ours["s an answer, alone"], ours["times grconvnet's"], ours["memory, MiB"]) == ("2.00", "25", "1,200")
    assert line(other, "grconvnet")["times grconvnet's"] == "1"
    assert line(other, "blob")["times grconvnet's"] == ""
    assert line(other, "blob")["would not parse without the grammar"] == ""
    assert ours["would not parse without the grammar"] == "0.0% (0.0 to 0.0)"


def test_the_openings_error_stands_beside_the_best_constants(cells):
    for place, record in enumerate(cells[0]["records"]):
        record["label_opening"] = 0.1 if place < 2 else 0.3
    (_, other), _ = parts(all_rows(figures(cells), "object"))
    ours = line(other, "lora-reasoned")
    assert [ours[title] for title in other.head[3:6]] == ["10.00", "10.00", "1.00"]
    assert line(other, "lora-bare")["ratio"] == ""


def test_categories_with_photographs_enough_the_least_reliable_first():
    counted = {"mug": {"n": 5, "hits": 4}, "pen": {"n": 4, "hits": 0}, "box": {"n": 9, "hits": 9},
               "cup": {"n": 6, "hits": 3}}  # fmt: skip
    assert categories({"summary": {"by_category": counted}}) == ["cup", "mug", "box"]


def test_names_have_a_table_where_they_were_asked(cells, made_cell):
    assert names_table(figures(cells), "object") == []
    cells[0] = made_cell("lora-reasoned", 0, [True] * 4, record={"known_category": True})
    (table,), _ = parts(names_table(figures(cells), "object"))
    assert table.rows == (("lora-reasoned", "100.0% (100.0 to 100.0)", "4", "0, 1"),)


def test_seconds_have_three_figures():
    assert [seconds_text(s) for s in (None, 0.0, 0.0002, 0.08512, 2.104)] == [
        "",
        "< 0.001",
        "< 0.001",
        "0.0851",
        "2.10",
    ]
