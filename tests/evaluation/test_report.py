"""Reports: JSON first, then text and page from it and nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest

from graspwise.errors import InputError
from graspwise.evaluation.report import benchmark_lines, benchmark_report, evaluation_report, write_benchmark
from graspwise.evaluation.rubric_table import rubric_lines
from graspwise.evaluation.score import Record
from graspwise.picture import Picture

COMMAND = "graspwise benchmark cornell --data CORNELL --out REPORT"


def photograph(name):
    return Picture(np.full((64, 64, 3), 200, np.uint8)), ()


@pytest.fixture
def cells(made_cell):
    recipe = {"name": "tiny", "lora": {"samples": 20, "batch": 4}}
    cells = [
        made_cell(name, fold, hits, curve=[[10, 40.0], [20, 50.0 + fold]], seconds_single=0.5)
        for fold in (0, 1)
        for name, hits in (("lora-reasoned", [True] * 5), ("grconvnet", [True, False, True, True, True]))
    ]
    for cell in cells:
        cell["config"]["recipe"] = recipe | {"name": cell["cell"]}
    return [*cells, made_cell("centre", 0, [False] * 5, budget=(0, 0))]


@pytest.fixture
def folder(cells, tmp_path: Path) -> Path:
    benchmark_report(tmp_path, cells, command=COMMAND, splits_file="splits.json", photograph=photograph)
    return tmp_path


def test_everything_is_made_from_report_json(folder, tmp_path_factory):
    report = json.loads((folder / "report.json").read_text())
    again = tmp_path_factory.mktemp("again")
    write_benchmark(again, report, photograph=photograph)
    # Text, page, two plots in two themes, ten photographs.
    made = sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert len(made) == 2 + 2 * 2 + 10
    for name in made:
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name
    assert (folder / "report.md").read_text() == "\n".join(benchmark_lines(report)) + "\n"


def test_report_says_how_it_was_made(folder):
    text = (folder / "report.md").read_text()
    for said in (COMMAND, "2026-01-02; seed 0; folds in `splits.json`", "samples: 60", "recipe of lora-reasoned",
                 "recipe of grconvnet", "  lora: samples 20, batch 4"):  # fmt: skip
        assert said in text
    report = json.loads((folder / "report.json").read_text())
    assert report["config"] == {"folds": 5, "samples": 60, "seed": 0} and report["seeds"] == [0]
    assert report["published"]["lora-reasoned"]["object"] == [77.02, 0.93]


def test_the_main_figure_stands_first_and_the_peer_beside(folder):
    lead = (folder / "report.md").read_text().split("## object-wise\n\n")[1].splitlines()[0]
    assert lead.startswith("**lora-reasoned** is right on 100.0% (100.0 to 100.0) of 10 photographs of 10 objects")
    assert "Minus grconvnet, paired: +20.0 (" in lead
    assert "samples" not in lead
    assert "## image-wise\n\nNot run." in (folder / "report.md").read_text()


def test_every_file_that_the_page_names_is_there(folder):
    text = (folder / "report.html").read_text()
    for kind in ("plots", "gallery"):
        found = [path for path in (folder / kind).iterdir()]
        assert found and all(f"{kind}/{path.name}" in text for path in found)
    assert text.count("plots/") == len(list((folder / "plots").iterdir()))
    assert text.count("gallery/") == len(list((folder / "gallery").iterdir())) == 10


def test_without_photographs_there_is_no_gallery(cells, tmp_path):
    report = benchmark_report(tmp_path, cells, command=COMMAND)
    assert "gallery/" not in (tmp_path / "report.html").read_text() and not (tmp_path / "gallery").exists()
    assert len(report["gallery"]["picks"]) == 10
    assert "folds in" not in (tmp_path / "report.md").read_text()


def test_another_budget_of_the_peer_is_said(cells, made_cell, tmp_path):
    cells = [cell for cell in cells if cell["cell"] != "grconvnet"]
    cells.append(made_cell("grconvnet", 0, [True] * 5, budget=(0, 999)))
    benchmark_report(tmp_path, cells, command=COMMAND)
    text = (tmp_path / "report.md").read_text()
    assert "points on 5 photographs, at 100 + 20 and 0 + 999 training samples." in text


def test_a_report_needs_a_cell(tmp_path):
    with pytest.raises(InputError, match="no finished cell"):
        benchmark_report(tmp_path, [], command=COMMAND)


def test_names_alone_are_a_report_too(tmp_path):
    names = [{"image": "a", "object_id": "1", "category": "mug", "known_category": True, "names_category": True,
              "named": "mug"}]  # fmt: skip
    cell = {"cell": "naming-majority", "split": "object", "fold": 0, "date": "2026-01-01",
            "config": {"seed": 0}, "summary": {"n": 1}, "names": names}  # fmt: skip
    report = benchmark_report(tmp_path, [cell], command=COMMAND)
    assert report["gallery"] is None
    assert "| naming-majority | 100.0% (100.0 to 100.0) | 1 | 0 |" in (tmp_path / "report.md").read_text()


def test_by_category_there_is_what_the_reasons_name_and_no_table_of_the_paper(made_cell, tmp_path):
    said = {"category": "razor", "reasoning": "The object is a brush, long and light. Grip its handle."}
    cells = [
        made_cell("lora-reasoned", fold, [True] * 3, split="category", record=said, commonest_category="jar")
        for fold in (0, 1)
    ]
    report = benchmark_report(tmp_path, cells, command=COMMAND)
    text = (tmp_path / "report.md").read_text().split("## category-wise")[1]
    assert "Table I" not in text and "Not run" not in text and "All rows" in text
    assert "Reasons: 6; categories: 1." in text
    (line,) = [
        line for line in text.splitlines() if line.startswith("| **lora-reasoned** | 100.0% (100.0 to 100.0) | 1")
    ]
    assert line.count("100.0%") == 3 and line.count("0.0% (0.0 to 0.0)") == 3
    assert "| texts of training's commonest category | " in text and "| texts of the right category | " in text
    assert "minus the commonest category's, paired, points | +" in text
    # Not compared with it where one of the cells does not know it; without a reason nothing is said.
    del cells[1]["commonest_category"]
    report = benchmark_report(tmp_path, cells, command=COMMAND)
    assert report["rows"][0]["rubric"]["n"] == 6 and report["rows"][0]["rubric"]["minus_commonest"] is None
    cells = [made_cell("lora-bare", 0, [True], record={"reasoning": ""})]
    assert benchmark_report(tmp_path, cells, command=COMMAND)["rows"][0]["rubric"] is None
    assert "Reasons:" not in (tmp_path / "report.md").read_text()


def test_an_evaluations_text_is_of_its_json(tmp_path, made_cell):
    records = [Record(**raw) for raw in made_cell("m", 0, [True, False])["records"]]
    evaluation_report(tmp_path, model="m", data="d", records=records, command="graspwise evaluate")
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["n"] == 2
    text = (tmp_path / "report.md").read_text()
    assert "2 photographs of 2 objects" in text and "- right, ground-truth w: 50.0% (0.0 to 100.0)" in text
    assert "| texts of the right category | " in text and "commonest category |" not in text
    evaluation_report(tmp_path, model="m", data="d", records=records, command="graspwise evaluate", commonest="jar")
    report, text = json.loads((tmp_path / "report.json").read_text()), (tmp_path / "report.md").read_text()
    assert "| texts of training's commonest category | " in text
    first, *_ = rubric_lines(report["rubric"])
    assert first.startswith("- reason names a part or place that can be held: 0.0% (0.0 to 0.0); -")
