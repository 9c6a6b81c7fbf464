import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graspwise.conversation import assistant_turn, user_turn
from graspwise.data.store import Dataset, Sample, read_samples
from graspwise.errors import InputError
from graspwise.files import write_json
from graspwise.rectangle import GraspRectangle
from graspwise.transform import Transform

SAMPLE = Sample(
    id="000007",
    image="images/000/000007.jpg",
    object_id="12",
    category="mug",
    description="tasse à café",
    source_image="pcd0100",
    original=False,
    transform=Transform.about(
        source=(3.25, 4.5), target=(7, 8), scale=0.7, theta=0.4, source_size=(640, 480), size=(352, 352)
    ),
    rectangles=(
        GraspRectangle.from_pose(center=(100.123, 50.5), theta=0.3, opening=60),
        GraspRectangle.from_pose(center=(10, 20), theta=-1.2, opening=30, jaw=7),
    ),
    messages=[user_turn("Pick it up."), assistant_turn("A mug.\n[0.523, 0.317], -0.78")],
)


def folder_with(tmp_path: Path, lines: list[str], **info: Any) -> Path:
    write_json(tmp_path / "dataset.json", {"format": 1, "samples": len(lines), **info})
    (tmp_path / "samples-00000.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return tmp_path


def line(**changes: Any) -> str:
    return json.dumps({**SAMPLE.to_json(), **changes})


def test_a_sample_survives_its_line() -> None:
    back = Sample.from_json(json.loads(json.dumps(SAMPLE.to_json())))
    for name in (
        "id",
        "image",
        "object_id",
        "category",
        "description",
        "source_image",
        "original",
        "messages",
        "depth",
    ):
        assert getattr(back, name) == getattr(SAMPLE, name)
    assert (back.transform.matrix == SAMPLE.transform.matrix).all(), "to the last bit"
    assert back.transform.size == (352, 352) and back.transform.source_size == (640, 480)
    for a, b in zip(back.rectangles, SAMPLE.rectangles, strict=True):
        assert a.corners == pytest.approx(b.corners, abs=5e-4)
        assert a.theta == pytest.approx(b.theta, abs=1e-3)
    assert back.instruction == "Pick it up."
    assert back.answer == "A mug.\n[0.523, 0.317], -0.78"


def test_depth_is_written_only_where_there_is_some() -> None:
    assert "depth" not in SAMPLE.to_json()
    with_depth = Sample.from_json(json.loads(line(depth="images/000/000007d.png")))
    assert with_depth.depth == "images/000/000007d.png"


def test_samples_come_in_the_order_of_the_shards(tmp_path: Path) -> None:
    folder_with(tmp_path, [line(id="a"), line(id="b")], samples=4)
    (tmp_path / "samples-00010.jsonl").write_text(line(id="d") + "\n")
    (tmp_path / "samples-00002.jsonl").write_text(line(id="c") + "\n")
    dataset = Dataset(str(tmp_path))
    assert [s.id for s in dataset] == ["a", "b", "c", "d"]
    assert [s.id for s in dataset] == ["a", "b", "c", "d"], "as often as one likes"
    assert len(dataset) == 4


def test_reading_is_a_stream(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, [line(id="a"), line(id="b"), "broken"])
    samples = iter(Dataset(folder))
    assert [next(samples).id, next(samples).id] == ["a", "b"]
    with pytest.raises(InputError, match="line 3"):
        next(samples)


def test_captions_may_be_missing(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, [])
    assert list(Dataset(folder).captions()) == []
    (folder / "captions.jsonl").write_text(line(id="unlabelled-1", rectangles=[]) + "\n")
    (caption,) = Dataset(folder).captions()
    assert (caption.id, caption.rectangles) == ("unlabelled-1", ())
    assert list(Dataset(folder)) == []


def test_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    dataset = Dataset(folder_with(tmp_path, [line()]))
    with pytest.raises(InputError, match=r"000007\.jpg: no such file"):
        dataset.picture(next(iter(dataset)))


def test_depth_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    dataset = Dataset(folder_with(tmp_path, [line(), line(depth="images/000/000007d.png")]))
    without, beside = dataset
    with pytest.raises(InputError, match=r"sample 000007 has no depth; valid is .* --depth"):
        dataset.picture(without, depth=True)
    assert dataset.depth_path(beside) == tmp_path / "images/000/000007d.png"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "no json",
        "[]",
        "null",
        "7",
        line()[:-40],
        json.dumps({"id": "a"}),
        line(images=[]),
        line(images=None),
        line(rectangles=[[[1, 2], [3, 4]]]),
        line(rectangles=[[["a", 2], [3, 4], [5, 6], [7, 8]]]),
        line(rectangles=7),
        line(transform={"matrix": [[1, 0, 0], [0, 2, 0]], "source_size": [9, 9], "size": [9, 9]}),
        line(transform={"matrix": [[1, 0, 0], [0, 1, 0]], "source_size": [9], "size": [9, 9]}),
        line(transform=None),
    ],
    ids=range(15),
)
def test_a_broken_line_is_named(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "samples-00000.jsonl"
    path.write_text(line() + "\n" + broken + "\n")
    with pytest.raises(InputError, match=r"samples-00000\.jsonl: line 2 is not a sample"):
        list(read_samples(path))


def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no dataset\.json there; valid is a folder made by"):
        Dataset(tmp_path)
    with pytest.raises(InputError, match=r"no dataset\.json there"):
        Dataset(tmp_path / "missing")
    (tmp_path / "dataset.json").write_text("{broken")
    with pytest.raises(InputError, match=r"dataset\.json: not valid JSON"):
        Dataset(tmp_path)


@pytest.mark.parametrize("found", [0, 2, None, "1"])
def test_another_format_is_refused(tmp_path: Path, found: object) -> None:
    with pytest.raises(InputError, match=r"format is .* valid is 1"):
        Dataset(folder_with(tmp_path, [], format=found))


def test_a_built_data_set_reads_back(dataset: Dataset) -> None:
    samples = list(dataset)
    assert len(samples) == len(dataset) == 40
    assert len({s.id for s in samples}) == 40
    for sample in samples:
        assert dataset.picture(sample).size == sample.transform.size == (96, 96)
        # The transform says where in the photograph each label came from.
        for label in sample.rectangles:
            back = sample.transform.inverse().points(np.array(label.center))
            assert ((back > (30, 10)) & (back < (130, 110))).all()
