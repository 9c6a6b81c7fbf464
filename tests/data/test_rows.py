"""Rows: the chosen lines of a data set, read when they are asked for."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graspwise.data.mixture import open_data
from graspwise.data.rows import BLOCK, Rows, outlines, read_lines, those
from graspwise.data.split import make_split
from graspwise.data.store import Dataset
from graspwise.errors import InputError


def rows_of(dataset: Dataset, wanted) -> Rows:
    """The lines of all sources of which `wanted(source, line)` holds."""
    rows = Rows(dataset.sources())
    for index, source in enumerate(dataset.sources()):
        for line, offset, _ in read_lines(source.path):
            rows.pass_by(index, line, offset, chosen=wanted(index, line))
    return rows.close()


@pytest.fixture(scope="module")
def long_folder(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of 150 and 70 samples, ids in order."""
    folder = tmp_path_factory.mktemp("rows") / "long"
    folder.mkdir()
    line = json.loads((dataset_folder / "samples-00000.jsonl").read_text().splitlines()[0])
    info = json.loads((dataset_folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps({**info, "samples": 220}))
    for index, (first, stop) in enumerate([(0, 150), (150, 220)]):
        # Ids of several lengths, so that lines differ in theirs.
        texts = [json.dumps({**line, "id": f"é{number}"}, ensure_ascii=False) + "\n" for number in range(first, stop)]
        (folder / f"samples-{index:05d}.jsonl").write_text("".join(texts), encoding="utf-8")
    return folder


@given(chosen=st.sets(st.integers(0, 219)))
def test_rows_are_the_chosen_samples_in_order(long_folder: Path, chosen: set[int]):
    rows = rows_of(Dataset(long_folder), lambda source, line: 150 * source + line in chosen)
    wanted = [f"é{number}" for number in sorted(chosen)]
    assert len(rows) == len(wanted)
    assert [sample.id for sample in rows] == wanted
    for place in {0, len(wanted) // 2, len(wanted) - 1} if wanted else ():
        assert rows[place].id == wanted[place] == rows[place - len(wanted)].id
    assert [sample.id for sample in rows[1:3]] == wanted[1:3]
    with pytest.raises(IndexError):
        rows[len(wanted)]


def test_place_of_a_line_takes_less_than_a_byte(long_folder: Path):
    rows = rows_of(Dataset(long_folder), lambda source, line: True)
    held = sum(part.nbytes for part in (rows._source, rows._offset, rows._chosen, rows._before))
    assert held < 220 and BLOCK == 64


def test_those_are_picked_without_being_held(long_folder: Path):
    rows = rows_of(Dataset(long_folder), lambda source, line: True)
    even = those(rows, lambda sample: int(sample.id[1:]) % 2 == 0)
    assert len(even) == 110
    assert [sample.id for sample in even[:2]] == ["é0", "é2"] and even[-1].id == "é218"


def test_rows_of_a_mixture_lead_to_their_own_folders(dataset_folder: Path, tmp_path: Path):
    other = tmp_path / "other"
    shutil.copytree(dataset_folder, other)
    mixture = open_data([dataset_folder, other])
    rows = rows_of(mixture, lambda source, line: True)
    assert [s.to_json() for s in rows] == [s.to_json() for s in mixture]
    assert rows[-1].image.startswith(str(other.resolve())) and rows[-1].source_image.startswith("1:")


def test_outlines_split_as_their_samples(dataset_folder: Path, tmp_path: Path):
    other = tmp_path / "other"
    shutil.copytree(dataset_folder, other)
    mixture = open_data([dataset_folder, other])
    options = {"by": "image", "folds": 3, "fold": 1, "validation": 0.2, "seed": 4}
    assert make_split(outlines(mixture.sources()), **options) == make_split(mixture, **options)
    assert [source.origin for source in mixture.sources()] == ["cornell", "cornell"]
    (other / "samples-00000.jsonl").write_text('{"object_id": 1}\n')
    with pytest.raises(InputError, match=r"samples-00000\.jsonl: line 1 is not a sample \('category'\)"):
        list(outlines(mixture.sources()))


def test_line_damaged_meanwhile_names_its_file(long_folder: Path, tmp_path: Path):
    folder = tmp_path / "copy"
    shutil.copytree(long_folder, folder)
    rows = rows_of(Dataset(folder), lambda source, line: True)
    path = folder / "samples-00001.jsonl"
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(InputError, match=r"samples-00001\.jsonl: a line is not a sample"):
        rows[200]
