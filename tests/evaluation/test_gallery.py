"""The gallery: who is in it, and that its pictures lie in the report's folder and nowhere else."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graspwise.data.store import Dataset
from graspwise.errors import InputError
from graspwise.evaluation.gallery import MOST, draw_gallery, gallery_of, photographs, picks
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle

LABEL = GraspRectangle.from_pose(center=(60, 60), theta=0.3, opening=40)


def photograph(name):
    return Picture(np.full((120, 120, 3), 230, np.uint8)), (LABEL,)


@pytest.fixture
def records(made_cell):
    return made_cell("a", 0, [i % 4 > 0 for i in range(80)])["records"]


def test_up_to_twelve_of_each_of_as_many_objects_as_can_be(records):
    chosen = picks(records)
    assert [pick["hit"] for pick in chosen] == [False] * MOST + [True] * MOST
    assert len({pick["image"] for pick in chosen}) == 2 * MOST
    assert picks(records) == chosen and picks(records, seed=1) != chosen
    for record in records[:60]:
        record["object_id"] = "the same"
    # Five misses are of other objects: they come before a second of the same.
    misses = [pick["object_id"] for pick in picks(records) if not pick["hit"]]
    assert len(set(misses[:6])) == 6 and misses[6:] == ["the same"] * 6


def test_few_records_give_few_and_json_holds_no_picture(records):
    chosen = picks(records[:2])
    assert [pick["hit"] for pick in chosen] == [False, True]
    assert set(json.loads(json.dumps(chosen))[0]) == {
        "image", "object_id", "category", "hit", "hit_any", "grasp", "reasoning",
    }  # fmt: skip


def report_of(chosen):
    return {"gallery": {"split": "object", "label": "a", "picks": chosen}}


def test_pictures_are_drawn_and_those_of_before_go(records, tmp_path: Path):
    records[0]["grasp"] = None
    report = report_of(picks(records[:6]))
    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery" / "hit-old.jpg").write_bytes(b"")
    draw_gallery(report, tmp_path, photograph)
    shown = gallery_of(report)
    assert {tile.path for tile in shown.tiles} == {f"gallery/{p.name}" for p in (tmp_path / "gallery").iterdir()}
    with Image.open(tmp_path / shown.tiles[-1].path) as tile:
        colours = np.asarray(tile.convert("RGB"), int)
    assert max(tile.size) == 480
    # Amber of a jaw plate.
    assert ((colours[..., 0] > 200) & (colours[..., 2] < 90)).any()


def test_a_tile_says_what_it_shows(records):
    shown = gallery_of(report_of(picks(records[:2])))
    miss, hit = shown.tiles
    assert (miss.title, miss.right) == ("mug: miss, a later one of its ranked grasps is right", False)
    assert (hit.title, hit.text, hit.right) == ("mug: hit", "The object is a mug.", True)
    assert gallery_of({"gallery": None}) is None


def test_photographs_come_from_the_data_set_with_their_labels(dataset_folder):
    dataset = Dataset(dataset_folder)
    of = photographs(dataset)
    sample = next(sample for sample in dataset if sample.original)
    picture, labels = of(sample.source_image)
    assert picture.size == (64, 64) and len(labels) == len(sample.rectangles)
    with pytest.raises(InputError, match="no photograph pcd9999"):
        of("pcd9999")
