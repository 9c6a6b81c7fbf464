"""Plots: what they show, in two themes, the same file for the same figures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graspwise.evaluation.charts import charts, in_order, save_chart, shortened
from graspwise.evaluation.comparison import compare

CURVE = [[20, 10.0], [40, 60.0], [60, 80.0]]


@pytest.fixture
def rows(made_cell):
    cells = [
        made_cell("lora-bare", 0, [True] * 5, curve=CURVE),
        made_cell("grconvnet", 0, [False, True, True, True, True], curve=[[400, 50.0], [4000, 90.0]]),
        made_cell("lora-reasoned", 0, [i % 3 > 0 for i in range(40)], curve=[[20, 30.0], [60, 90.0]]),
    ]
    for place, record in enumerate(cells[2]["records"]):
        record["grasp"]["quality"] = place / 30
    return compare(cells)


def test_plots_have_what_was_measured_and_a_table_each(rows):
    made = charts({"rows": rows}, "object")
    assert list(made) == ["curve", "reliability", "calibration"]
    steps = made["curve"][1].table
    assert steps.head == ("samples", "lora-reasoned", "grconvnet", "lora-bare")
    assert steps.rows[1] == ("40", "", "", "60.0") and steps.rows[-1] == ("4,000", "", "90.0", "")
    assert made["reliability"][1].table.rows == (("mug", "26/40", "4/5"),)
    calibration = made["calibration"][1].table
    assert [row[0] for row in calibration.rows] == ["lora-reasoned"] and len(calibration.head) == 3
    assert charts({"rows": rows}, "image") == {}


def test_without_the_figures_there_is_no_plot(made_cell):
    assert charts({"rows": compare([made_cell("centre", 0, [True] * 4)])}, "object") == {}


@pytest.mark.parametrize("kind", ["curve", "reliability", "calibration"])
def test_a_plot_is_drawn_for_light_and_for_dark_pages(rows, kind, tmp_path: Path):
    chart, _, draw = charts({"rows": rows}, "object")[kind]
    save_chart(tmp_path, chart, draw)
    light, dark = (np.asarray(Image.open(tmp_path / path).convert("L"), float) for path in (chart.path, chart.dark))
    assert light.shape == dark.shape and min(light.shape) > 200
    assert light.mean() > 180 > 100 > dark.mean() and light.std() > 10 and dark.std() > 10
    assert chart.path == f"plots/object-{kind}.png"


def test_the_same_figures_give_the_same_file_and_others_another(rows, tmp_path: Path):
    def drawn(name):
        chart, _, draw = charts({"rows": rows}, "object")["reliability"]
        save_chart(tmp_path / name, chart, draw)
        return (tmp_path / name / chart.path).read_bytes()

    first = drawn("a")
    assert drawn("b") == first
    next(row for row in rows if row["label"] == "lora-reasoned")["summary"]["by_category"]["mug"]["hits"] = 1
    assert drawn("c") != first


def test_the_main_row_and_the_peer_have_the_first_colours(rows):
    assert [row["label"] for row in in_order(rows, "object")] == ["lora-reasoned", "grconvnet", "lora-bare"]
    alone = [row for row in rows if row["label"] == "grconvnet"]
    assert in_order(alone, "object") == alone


def test_long_names_keep_their_end():
    assert shortened("lora-reasoned") == "lora-reasoned"
    short = shortened("http://localhost:8000/v1/some-model:7b")
    assert len(short) == 26 and short.startswith("…") and short.endswith("some-model:7b")
