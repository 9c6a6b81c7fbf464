import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.data.split import By, Shown, Split, keep_splits, make_split, split_photographs, splits_json
from graspwise.data.store import Dataset, Sample, Source, WishLabel, as_it_is
from graspwise.errors import InputError
from graspwise.train.parts import divide
from graspwise.transform import Transform

OPTIONS: dict[str, Any] = {"by": "object", "folds": 5, "fold": 0, "validation": 0.1, "seed": 0}


def sample(object_id: str, photograph: str, *, original: bool = True) -> Sample:
    """A sample of an object; objects whose numbers end alike are of one category."""
    return Sample(
        id=f"{photograph}-{original}",
        image="",
        object_id=object_id,
        category=f"c{object_id[-1]}",
        description="",
        source_image=photograph,
        original=original,
        transform=Transform.identity(size=(9, 9)),
        rectangles=(),
        messages=[],
    )


def samples_of(counts: list[int], *, siblings: int = 2) -> list[Sample]:
    """Object i has counts[i] photographs, each with `siblings` augmented samples."""
    photographs = [(f"o{i}", f"o{i}-p{k}") for i, count in enumerate(counts) for k in range(count)]
    return [
        sample(o, p, original=number == 0) for number in range(siblings + 1) for o, p in photographs
    ]  # fmt: skip


COUNTS = np.random.default_rng(1).integers(1, 8, 60).tolist()
SAMPLES = samples_of(COUNTS)


def test_no_object_is_on_two_sides() -> None:
    for fold in range(5):
        split = make_split(SAMPLES, **OPTIONS | {"fold": fold})
        sides = [{s.object_id for s in SAMPLES if split.group(s) in part} for part in parts(split)]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
        assert set.union(*sides) == {f"o{i}" for i in range(60)}


def test_no_augmented_sibling_is_on_another_side_than_its_photograph() -> None:
    split = make_split(SAMPLES, **OPTIONS | {"by": "image"})
    for name in {s.source_image for s in SAMPLES}:
        siblings = [s for s in SAMPLES if s.source_image == name]
        assert len(siblings) == 3
        assert sum(any(split.group(s) in part for s in siblings) for part in parts(split)) == 1
    # Image-wise an object may be on both sides, and here is.
    assert {s.object_id for s in SAMPLES if split.group(s) in split.test} & {
        s.object_id for s in SAMPLES if split.group(s) in split.training
    }


def parts(split: Split) -> tuple[tuple[str, ...], ...]:
    return split.test, split.validation, split.training


@pytest.mark.parametrize("by", ["object", "image", "category"])
def test_the_folds_test_everything_once(by: By) -> None:
    tested = Counter(
        name for fold in range(5) for name in make_split(SAMPLES, **OPTIONS | {"by": by, "fold": fold}).test
    )
    assert set(tested.values()) == {1}
    assert len(tested) == {"object": 60, "image": sum(COUNTS), "category": 10}[by]


@pytest.mark.parametrize(("by", "spread"), [("object", 4), ("image", 1)])
def test_folds_hold_nearly_as_many_photographs(by: By, spread: int) -> None:
    sizes = []
    for fold in range(5):
        split = make_split(SAMPLES, **OPTIONS | {"by": by, "fold": fold})
        sizes.append(len({s.source_image for s in SAMPLES if split.group(s) in split.test}))
    assert max(sizes) - min(sizes) <= spread
    assert sum(sizes) == sum(COUNTS)


def test_the_same_seed_gives_the_same_split_in_any_order_of_samples() -> None:
    first = make_split(SAMPLES, **OPTIONS)
    assert make_split(SAMPLES[::-1], **OPTIONS) == first
    more = [sample("o7", "o7-p0", original=False)] * 50
    assert make_split([*SAMPLES, *more], **OPTIONS) == first, "augmented samples do not count"
    assert make_split(SAMPLES, **OPTIONS | {"seed": 1}).test != first.test
    assert make_split(SAMPLES, **OPTIONS | {"fold": 1}).validation != first.validation


def test_the_validation_share_comes_out_of_the_training_folds() -> None:
    without = make_split(SAMPLES, **OPTIONS | {"validation": 0.0})
    split = make_split(SAMPLES, **OPTIONS | {"validation": 0.25})
    assert without.validation == ()
    assert split.test == without.test
    assert set(split.validation) | set(split.training) == set(without.training)
    assert len(split.validation) == round(len(without.training) / 4)


def test_no_folds_means_no_test_part() -> None:
    split = make_split(SAMPLES, **OPTIONS | {"folds": 0})
    assert split.test == ()
    assert len(split.training) == 54 and len(split.validation) == 6


def test_a_split_survives_json() -> None:
    split = make_split(SAMPLES, **OPTIONS | {"by": "image"})
    assert Split.from_json(split.to_json()) == split


def test_a_built_data_set_splits_by_its_objects(dataset: Dataset) -> None:
    held = [make_split(dataset, **OPTIONS | {"folds": 4, "fold": fold, "validation": 0.0}).test for fold in range(4)]
    assert sorted(held) == [("object-0",), ("object-1",), ("object-2",), ("object-3",)]


@settings(deadline=None, max_examples=50)
@given(
    counts=st.lists(st.integers(1, 5), min_size=10, max_size=30),
    seed=st.integers(0, 2**32),
    by=st.sampled_from(get_args(By)),
)
def test_any_data_set_is_covered_once(counts: list[int], seed: int, by: By) -> None:
    samples = samples_of(counts, siblings=0)
    groups = {{"object": s.object_id, "image": s.source_image, "category": s.category}[by] for s in samples}
    tested: list[str] = []
    for fold in range(5):
        split = make_split(samples, by=by, folds=5, fold=fold, validation=0.2, seed=seed)
        assert split.test
        assert sorted([*split.test, *split.validation, *split.training]) == sorted(groups)
        tested += split.test
    assert sorted(tested) == sorted(groups)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(({"folds": folds, "fold": fold}, "valid is 2 or more folds") for folds, fold in product((1, -1, -5), (0, 1))),
        *(({"fold": fold}, f"fold {fold} of 5") for fold in (-1, 5, 99)),
        ({"folds": 0, "fold": 1}, "fold 1 of 0"),
        ({"folds": 61}, "60 objects cannot make 61 folds"),
        *(({"validation": share}, "validation is") for share in (-0.1, 1.0, 2.5, float("nan"))),
    ],
)
def test_values_outside_their_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_split(SAMPLES, **OPTIONS | change)


def test_an_empty_data_set_is_refused() -> None:
    with pytest.raises(InputError, match="0 objects"):
        make_split([], **OPTIONS)


def test_by_category_an_object_has_one_and_a_picture_shows_one() -> None:
    options: dict[str, Any] = {"by": "category", "folds": 2, "fold": 0, "validation": 0, "seed": 0}
    both = {"a": Shown("1", "mug"), "b": Shown("1", "cup"), "c": Shown("2", "pen")}
    with pytest.raises(InputError, match="object 1 is a mug and a cup; valid is one category"):
        split_photographs(both, **options)
    assert split_photographs(both, **options | {"by": "object"}).test
    wish = WishLabel("object explicit", "", (), True, (), None, None, 0)
    with pytest.raises(InputError, match="--split is category; valid for wishes"):
        make_split([replace(SAMPLES[0], wish=wish), *SAMPLES[1:]], **options)
    with pytest.raises(InputError, match="10 categories cannot make 11 folds; valid is at most as many folds as categ"):
        make_split(SAMPLES, **options | {"folds": 11})


class Written:
    """Labelled samples, and a photograph without labels of every object, as `divide` asks a data set for them."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples
        unlabelled = [sample(o, f"{o}-unlabelled") for o in sorted({s.object_id for s in samples})]
        # Gone with this object.
        self.folder = TemporaryDirectory()
        for name, lines in (("samples", samples), ("captions", unlabelled)):
            text = "".join(json.dumps(s.to_json()) + "\n" for s in lines)
            (Path(self.folder.name) / name).write_text(text)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def sources(self) -> list[Source]:
        return [Source(Path(self.folder.name) / "samples", "made-up", as_it_is)]

    def caption_sources(self) -> list[Source]:
        return [Source(Path(self.folder.name) / "captions", "made-up", as_it_is)]


@settings(deadline=None, max_examples=60)
@given(
    counts=st.lists(st.integers(1, 6), min_size=6, max_size=25),
    siblings=st.integers(0, 3),
    seed=st.integers(0, 2**32),
    fold=st.integers(0, 4),
    validation=st.floats(0.0, 0.5),
    by=st.sampled_from(get_args(By)),
)
def test_what_training_is_given_shares_no_object_and_no_photograph_with_the_test(
    counts: list[int], siblings: int, seed: int, fold: int, validation: float, by: By
) -> None:
    dataset = Written(samples_of(counts, siblings=siblings))
    options: dict[str, Any] = {"by": by, "folds": 5, "validation": validation, "seed": seed}
    split = make_split(dataset, fold=fold, **options)
    parts = divide(dataset, split)  # type: ignore[arg-type]
    test = split.test_samples(dataset)
    assert test and parts.training
    sides = [test, parts.validation, [*parts.training, *parts.captions]]
    for number, side in enumerate(sides):
        for other in sides[number + 1 :]:
            assert not {s.source_image for s in side} & {s.source_image for s in other}
            if by != "image":
                assert not {s.object_id for s in side} & {s.object_id for s in other}
            if by == "category":
                assert not {s.category for s in side} & {s.category for s in other}
    # Every sample of the other folds is trained on or watched, and what is watched comes from nowhere else.
    elsewhere = {
        group for other in range(5) if other != fold for group in make_split(dataset, fold=other, **options).test
    }
    assert {*split.validation, *split.training} == elsewhere
    assert {split.group(s) for s in parts.validation} == set(split.validation) <= elsewhere
    assert len(parts.training) == sum(split.group(s) in split.training for s in dataset)
    assert all(s.original for s in [*test, *parts.validation])


PHOTOGRAPHS = {s.source_image: Shown(s.object_id, s.category) for s in SAMPLES if s.original}
FILE: dict[str, Any] = {"source": "made-up", "folds": 5, "validation": 0.1, "seed": 0}


def test_photographs_split_as_the_data_set_built_from_them() -> None:
    for by in get_args(By):
        assert split_photographs(PHOTOGRAPHS, **OPTIONS | {"by": by}) == make_split(SAMPLES, **OPTIONS | {"by": by})


def test_the_splits_file_says_what_training_and_test_take(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    keep_splits(path, splits_json(PHOTOGRAPHS, **FILE, kinds=["category"]))
    read = json.loads(path.read_text())
    assert read["seed"] == 0 and "permutation" in read["how"]
    dataset = Written(SAMPLES)
    for by, fold in product(get_args(By), range(5)):
        split = make_split(SAMPLES, **OPTIONS | {"by": by, "fold": fold})
        parts, entry = divide(dataset, split), read[by][fold]  # type: ignore[arg-type]
        taken = {"test": split.test_samples(SAMPLES), "validation": parts.validation, "training": parts.training}
        assert entry["fold"] == fold
        for part, samples in taken.items():
            assert entry[part]["photographs"] == sorted({s.source_image for s in samples})
            assert entry[part]["objects"] == sorted({s.object_id for s in samples})


def test_a_splits_file_that_is_there_must_agree(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    keep_splits(path, splits_json(PHOTOGRAPHS, **FILE))
    before = path.read_text()
    keep_splits(path, splits_json(dict(reversed(PHOTOGRAPHS.items())), **FILE))
    assert path.read_text() == before
    with pytest.raises(InputError, match="another seed, object, image than"):
        keep_splits(path, splits_json(PHOTOGRAPHS, **FILE | {"seed": 1}))
    fewer = {p: o for p, o in PHOTOGRAPHS.items() if p != "o3-p0"}
    with pytest.raises(InputError, match=r"splits\.json: found another object, image than"):
        keep_splits(path, splits_json(fewer, **FILE))
    path.write_text("[]")
    with pytest.raises(InputError, match="another source"):
        keep_splits(path, splits_json(PHOTOGRAPHS, **FILE))
    path.write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        keep_splits(path, splits_json(PHOTOGRAPHS, **FILE))


def test_folds_by_category_are_added_to_a_splits_file_without(tmp_path: Path) -> None:
    path, whole = tmp_path / "splits.json", tmp_path / "whole.json"
    keep_splits(path, splits_json(PHOTOGRAPHS, **FILE))
    without = json.loads(path.read_text())
    with pytest.raises(InputError, match="another seed, object, image than"):
        keep_splits(path, splits_json(PHOTOGRAPHS, **FILE | {"seed": 1}, kinds=["category"]))
    keep_splits(path, splits_json(PHOTOGRAPHS, **FILE, kinds=["category"]))
    read = json.loads(path.read_text())
    assert {key: read[key] for key in without} == without and read.keys() - without.keys() == {"category"}
    keep_splits(whole, splits_json(PHOTOGRAPHS, **FILE, kinds=["category"]))
    assert whole.read_text() == path.read_text()
    # Who does not ask for them leaves them.
    keep_splits(path, splits_json(PHOTOGRAPHS, **FILE))
    assert whole.read_text() == path.read_text()
    path.write_text(json.dumps(read | {"category": []}))
    with pytest.raises(InputError, match="another category than"):
        keep_splits(path, splits_json(PHOTOGRAPHS, **FILE, kinds=["category"]))
