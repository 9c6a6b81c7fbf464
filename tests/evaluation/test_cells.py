"""A cell's file: written a record a line, found again, and refused where something else made it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from graspwise.errors import InputError
from graspwise.evaluation.cells import cell_path, is_done, read_cells, write_cell
from graspwise.evaluation.naming import NamingRecord
from graspwise.evaluation.plan import BenchmarkConfig, cell_config

CONFIG = BenchmarkConfig(data="cornell")
NAMED = NamingRecord(
    image="pcd0100", object_id="1", category="mug", known_category=True, names_category=True, named='"@0" \\ é'
)


def cell(name: str, **more: object) -> dict[str, object]:
    return {"cell": name, "config": cell_config(CONFIG, name), "records": [NAMED, NAMED], **more}


def test_a_cell_reads_back_with_a_record_a_line(tmp_path: Path):
    path = cell_path(tmp_path, "object", 3, "centre")
    inner = {"summary": {"names": 3}, "records": [replace(NAMED, image="pcd0101")]}
    write_cell(path, cell("centre", centred=inner, empty=[], curve=[[1, 2.5]]))
    (read,) = read_cells(tmp_path)
    assert [record["named"] for record in read["records"]] == [NAMED.named] * 2
    assert read["centred"]["records"][0]["image"] == "pcd0101" and read["centred"]["summary"] == {"names": 3}
    assert read["empty"] == [] and read["curve"] == [[1, 2.5]]
    lines = path.read_text().splitlines()
    assert sum(line.strip().startswith('{"image"') for line in lines) == 3
    assert json.loads(path.read_text()) == read


@pytest.mark.parametrize(("name", "file"), [("lora-bare", "lora-bare"), ("http://h:1/v1#m", "http-h-1-v1-m")])
def test_any_name_of_a_model_makes_a_file_name(tmp_path: Path, name: str, file: str):
    assert cell_path(tmp_path, "image", 0, name) == tmp_path / "cells" / f"image-0-{file}.json"


def test_a_cell_is_done_when_it_has_the_protocols_asked_for(tmp_path: Path):
    path = tmp_path / "cell.json"
    assert not is_done(path, CONFIG, "lora-bare")
    write_cell(path, cell("lora-bare"))
    assert not is_done(path, CONFIG, "lora-bare")
    assert is_done(path, replace(CONFIG, protocols=("workspace",)), "lora-bare")
    write_cell(path, cell("lora-bare", centred={"records": []}))
    assert is_done(path, CONFIG, "lora-bare")
    assert is_done(path, replace(CONFIG, protocols=("workspace",)), "lora-bare")


def test_an_opponent_in_naming_has_no_protocol(tmp_path: Path):
    path = tmp_path / "cell.json"
    write_cell(path, {"cell": "naming-nearest", "config": cell_config(CONFIG, "naming-nearest"), "names": [NAMED]})
    assert is_done(path, CONFIG, "naming-nearest")


def test_a_cell_of_something_else_is_refused(tmp_path: Path):
    path = tmp_path / "cell.json"
    write_cell(path, cell("lora-bare", centred={}))
    with pytest.raises(InputError, match=r"cell\.json: made with another seed; give a new --out, or remove that file"):
        is_done(path, replace(CONFIG, seed=1), "lora-bare")
    with pytest.raises(InputError, match="another base, recipe"):
        is_done(path, replace(CONFIG, base="other", budget_samples=3), "lora-bare")
    with pytest.raises(InputError, match="another model"):
        is_done(path, CONFIG, "lora bare")
