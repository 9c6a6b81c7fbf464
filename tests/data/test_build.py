import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from graspwise.answer import FORMATS, AnswerFormat, parse_grasp
from graspwise.data import build
from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.cornell import read_cornell
from graspwise.data.labelled import LabelledPicture
from graspwise.data.store import Dataset, Sample
from graspwise.data.templates import load_reasoning
from graspwise.errors import InputError
from graspwise.metric import is_hit
from graspwise.rectangle import GraspRectangle
from graspwise.transform import workspace_transform

Built = Callable[..., Path]
SMALL = BuildConfig(samples=40, size=64, seed=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# ---------------------------------------------------------------- the same seed


def test_the_same_seed_gives_the_same_bytes_with_one_process_or_two(built: Built) -> None:
    one, two = contents(built(SMALL, 1)), contents(built(SMALL, 2))
    assert len(one) == 40 + 2 + 6, "40 pictures, 2 without labels, and six text files"
    assert one == two


def test_a_sample_does_not_depend_on_how_many_there_are(built: Built) -> None:
    few, more = (list(Dataset(built(replace(SMALL, samples=n)))) for n in (12, 40))
    assert [s.to_json() for s in few] == [s.to_json() for s in more[:12]]


def test_another_seed_gives_another_data_set(built: Built) -> None:
    first, other = (list(Dataset(built(replace(SMALL, seed=seed)))) for seed in (3, 4))
    assert [s.source_image for s in first] != [s.source_image for s in other]
    assert {s.answer for s in first if not s.original}.isdisjoint(s.answer for s in other if not s.original)


# ---------------------------------------------------------------- pictures and labels


def test_the_first_pass_shows_each_workspace_as_it_is(dataset: Dataset, photographs: list[LabelledPicture]) -> None:
    samples = list(dataset)
    assert [s.original for s in samples] == [True] * 8 + [False] * 32
    assert sorted(s.source_image for s in samples[:8]) == sorted(p.name for p in photographs if p.rectangles)
    fit = workspace_transform(image_size=(160, 120), workspace=photographs[0].workspace, size=(96, 96))
    by_name = {p.name: p for p in photographs}
    for sample in samples[:8]:
        source = by_name[sample.source_image]
        assert np.allclose(sample.transform.matrix, fit.matrix)
        for label, given in zip(sample.rectangles, source.rectangles, strict=True):
            assert label.corners == pytest.approx(fit.points(given.corners), abs=1e-3)


def test_later_passes_rotate_mirror_zoom_and_shift(dataset: Dataset) -> None:
    augmented = [s.transform for s in dataset if not s.original]
    assert len({np.round(t.matrix, 6).tobytes() for t in augmented}) == 32
    assert 4 < sum(t.is_mirror for t in augmented) < 28
    scales = [t.scale / 0.96 for t in augmented]
    assert min(scales) < 0.85 and max(scales) > 1.2
    turns = [math.atan2(t.matrix[1, 0], t.matrix[0, 0]) for t in augmented]
    assert np.histogram(turns, bins=4, range=(-math.pi, math.pi))[0].min() > 0


def test_every_label_centre_stays_inside_with_a_margin(dataset: Dataset) -> None:
    for sample in dataset:
        assert len(sample.rectangles) == 3
        centers = (np.array([r.center for r in sample.rectangles]) + 0.5) / 96
        assert (centers >= 0.03).all() and (centers <= 0.97).all(), sample.id


def test_labels_sit_on_the_object_after_every_augmentation(dataset: Dataset) -> None:
    """The centre and both ways along the plates are bar, both jaws are table: place, size, angle and sign at once."""
    for sample in dataset:
        grey = dataset.picture(sample).rgb.mean(axis=2)

        def at(point: np.ndarray, grey: np.ndarray = grey) -> float:
            x, y = np.clip(np.rint(point), 0, 95).astype(int)
            return float(grey[y, x])

        for label in sample.rectangles:
            middle, corners = np.array(label.center), label.corners
            inward = [(corners[0] + corners[1]) / 2, (corners[2] + corners[3]) / 2]
            jaws = [(corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2]
            for point in (middle, *inward):
                # Beyond the frame there is nothing to see.
                if ((point > 1) & (point < 94)).all():
                    assert at(point) < 60, (sample.id, point)
            for point in jaws:
                if ((point > 1) & (point < 94)).all():
                    assert at(point) > 60, (sample.id, point)
            assert label.is_clockwise
            assert label.opening / label.jaw == pytest.approx(3, abs=0.01)


def test_nothing_outside_the_workspace_is_ever_seen(dataset: Dataset) -> None:
    for sample in dataset:
        red, green, _ = dataset.picture(sample).rgb.astype(int).transpose(2, 0, 1)
        # A random fill may be green too, but never as green.
        assert (green - red).max() < 190, sample.id


def test_labels_outside_the_workspace_are_left_out(photographs: list[LabelledPicture], tmp_path: Path) -> None:
    far = GraspRectangle.from_pose(center=(15, 60), theta=0.2, opening=20)
    source = replace(photographs[0], rectangles=(far, *photographs[0].rectangles))
    folder = build_dataset([source], source="bars", out=tmp_path / "out", config=replace(SMALL, samples=9), workers=1)
    samples = list(Dataset(folder))
    assert [len(s.rectangles) for s in samples] == [3] * 9
    assert len({s.transform.matrix.tobytes() for s in samples}) == 9, "a far label does not stop the augmentation"
    alone = replace(source, rectangles=(far,))
    with pytest.raises(InputError, match=r"p0.png: all 1 labels lie outside the workspace 30,10,130,110"):
        build_dataset([alone], source="bars", out=tmp_path / "none", config=SMALL, workers=1)


def test_depth_goes_the_same_way_as_the_picture(photographs: list[LabelledPicture], tmp_path: Path) -> None:
    """Depth says 500 mm on the bar, 700 mm on the table."""
    source = photographs[2]
    grey = np.asarray(Image.open(source.path).convert("L"))
    Image.fromarray(np.where(grey < 60, 500, 700).astype(np.uint16)).save(tmp_path / "depth.png")
    source = replace(source, depth_path=tmp_path / "depth.png")
    config = BuildConfig(samples=6, size=96, zoom_low=0.3, depth=True)
    folder = build_dataset([source], source="bars", out=tmp_path / "out", config=config, workers=1)
    for sample in Dataset(folder):
        picture = Dataset(folder).picture(sample, depth=True)
        assert picture.depth is not None
        for label in sample.rectangles:
            x, y = (round(v) for v in label.center)
            assert picture.depth[y, x] == pytest.approx(0.5)
    assert Dataset(folder).picture(next(iter(Dataset(folder)))).depth is None


# ---------------------------------------------------------------- words and numbers


def test_half_of_the_instructions_do_not_name_the_object(dataset: Dataset) -> None:
    samples = list(dataset)
    named = [s.category in s.instruction.lower() for s in samples]
    assert sum(named) == 20
    assert any(s.description in s.instruction for s in samples)
    # A photograph is asked for both ways.
    for name in {s.source_image for s in samples}:
        assert len({is_named for s, is_named in zip(samples, named, strict=True) if s.source_image == name}) == 2


def test_messages_follow_the_convention(dataset: Dataset) -> None:
    for sample in dataset:
        user, assistant = sample.messages
        assert user["role"] == "user"
        assert [part["type"] for part in user["content"]] == ["image", "text"]
        assert assistant["role"] == "assistant"
        assert [part["type"] for part in assistant["content"]] == ["text"]
        assert sample.instruction and sample.answer


@pytest.mark.parametrize("answer", FORMATS)
def test_answers_parse_to_a_grasp_that_hits_a_label(built: Built, answer: AnswerFormat) -> None:
    for sample in Dataset(built(replace(SMALL, samples=24, answer=answer))):
        reasoning, grasp = parse_grasp(sample.answer)
        assert is_hit(grasp, labels=sample.rectangles, image_size=(64, 64)), sample.answer
        assert (reasoning in load_reasoning()[sample.category]) == (answer == "reasoned")
        assert sample.answer.startswith("[") == (answer == "bare")
        assert re.search(r"\[0\.\d{3}, 0\.\d{3}\]\D*[+-][01]\.\d{2}$", sample.answer)


def test_every_label_of_a_picture_gets_its_turn(built: Built) -> None:
    samples = list(Dataset(built(replace(SMALL, samples=160))))
    counts = [0, 0, 0]
    for sample in samples:
        _, grasp = parse_grasp(sample.answer)
        distances = [math.dist(r.center, grasp.pixel(image_size=(64, 64))) for r in sample.rectangles]
        counts[int(np.argmin(distances))] += 1
    assert min(counts) > 30


def test_an_unknown_category_gets_the_general_reasoning(photographs: list[LabelledPicture], tmp_path: Path) -> None:
    source = replace(photographs[0], category="gadget", description="gadget")
    config = replace(SMALL, samples=2)
    samples = list(Dataset(build_dataset([source], source="bars", out=tmp_path / "out", config=config, workers=1)))
    assert {parse_grasp(s.answer)[0] for s in samples} <= set(load_reasoning()["object"])


# ---------------------------------------------------------------- the folder


def test_llava_lines_say_the_same(built: Built) -> None:
    folder = built(SMALL, 1)
    lines = json.loads((folder / "llava.json").read_text(encoding="utf-8"))
    for sample, line in zip(Dataset(folder), lines, strict=True):
        assert set(line) == {"id", "image", "conversations"}
        assert (line["id"], line["image"]) == (sample.id, sample.image)
        assert (folder / line["image"]).is_file()
        assert line["conversations"] == [
            {"from": "human", "value": f"<image>\n{sample.instruction}"},
            {"from": "gpt", "value": sample.answer},
        ]


def test_unlabelled_photographs_become_captions(built: Built, photographs: list[LabelledPicture]) -> None:
    dataset = Dataset(built(SMALL, 1))
    captions = list(dataset.captions())
    assert [s.source_image for s in captions] == ["p8", "p9"]
    for sample in captions:
        assert sample.rectangles == ()
        assert sample.description in sample.answer
        assert dataset.picture(sample).size == (64, 64)
    assert {s.source_image for s in dataset}.isdisjoint({"p8", "p9"})


def test_an_unlabelled_photograph_of_an_unknown_thing_is_no_caption(
    photographs: list[LabelledPicture], tmp_path: Path
) -> None:
    pictures = [photographs[0], replace(photographs[9], category="object", description="object")]
    folder = build_dataset(pictures, source="bars", out=tmp_path / "out", config=replace(SMALL, samples=1), workers=1)
    assert list(Dataset(folder).captions()) == []


def test_dataset_json_says_how_it_was_made(built: Built) -> None:
    info = json.loads((built(SMALL, 1) / "dataset.json").read_text(encoding="utf-8"))
    expected = {"source": "bars", "sources": 8, "objects": 4, "categories": 3, "samples": 40, "seed": 3, "size": 64}
    assert expected.items() <= info.items()
    assert info["answer"] == "reasoned"


def test_shards_keep_the_order(
    photographs: list[LabelledPicture], tmp_path: Path, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "SHARD", 15)
    folder = build_dataset(photographs, source="bars", out=tmp_path / "out", config=SMALL, workers=1)
    lines = {p.name: len(p.read_text().splitlines()) for p in sorted(folder.glob("samples-*.jsonl"))}
    assert lines == {"samples-00000.jsonl": 15, "samples-00001.jsonl": 15, "samples-00002.jsonl": 10}
    assert [s.to_json() for s in Dataset(folder)] == [s.to_json() for s in Dataset(built(SMALL, 1))]


def test_progress_sees_every_sample(photographs: list[LabelledPicture], tmp_path: Path) -> None:
    seen: list[int | str] = []

    def progress(samples: Iterator[Sample], total: int) -> Iterator[Sample]:
        seen.append(total)
        for sample in samples:
            seen.append(sample.id)
            yield sample

    config = replace(SMALL, samples=3)
    build_dataset(photographs, source="bars", out=tmp_path / "out", config=config, workers=1, progress=progress)
    assert seen == [3, "000000", "000001", "000002"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": 0}, "--samples is 0; valid is 1 or more"),
        ({"samples": -5}, "--samples is -5; valid is 1 or more"),
        ({"seed": -1}, "--seed is -1; valid is 0 or more"),
    ],
)
def test_values_outside_their_range_are_refused_before_anything_is_written(
    photographs: list[LabelledPicture], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        build_dataset(photographs, source="bars", out=tmp_path / "out", config=replace(SMALL, **change))
    assert not (tmp_path / "out").exists()


def test_nothing_labelled_is_refused(photographs: list[LabelledPicture], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bars: none of 2 pictures has grasp labels"):
        build_dataset(photographs[8:], source="bars", out=tmp_path / "out", config=SMALL)


def test_a_folder_with_files_is_left_alone(photographs: list[LabelledPicture], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not an empty folder"):
        build_dataset(photographs, source="bars", out=tmp_path, config=SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_damaged_picture_stops_the_build_with_its_name(
    photographs: list[LabelledPicture], tmp_path: Path, workers: int
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(photographs[0].path.read_bytes()[:200])
    pictures = [*photographs[:3], replace(photographs[3], path=bad)]
    with pytest.raises(InputError, match=r"bad\.png"):
        build_dataset(pictures, source="bars", out=tmp_path / "out", config=SMALL, workers=workers)
    with pytest.raises(InputError, match=r"no dataset\.json"):
        Dataset(tmp_path / "out")


@pytest.mark.slow
def test_the_papers_76k_samples(cornell_folder: Path, tmp_path: Path) -> None:
    """RT-Grasp's data set size (section V-A.2), built as a stream: every sample is written once and can be read."""
    config = BuildConfig(samples=76_000, size=64)
    folder = build_dataset(read_cornell(cornell_folder), source="cornell", out=tmp_path / "big", config=config)
    assert len(list(folder.glob("samples-*.jsonl"))) == 8
    count = 0
    for count, sample in enumerate(Dataset(folder), start=1):
        assert sample.id == f"{count - 1:06d}"
    assert count == 76_000
    assert sum(1 for _ in (folder / "images").rglob("*.jpg")) == 76_001
