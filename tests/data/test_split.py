from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.data.split import By, Split, make_split
from graspwise.data.store import Dataset, Sample
from graspwise.errors import InputError
from graspwise.transform import Transform

OPTIONS: dict[str, Any] = {"by": "object", "folds": 5, "fold": 0, "validation": 0.1, "seed": 0}


def sample(object_id: str, photograph: str, *, original: bool = True) -> Sample:
    return Sample(
        id=f"{photograph}-{original}",
        image="",
        object_id=object_id,
        category="",
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


@pytest.mark.parametrize("by", ["object", "image"])
def test_the_folds_test_everything_once(by: By) -> None:
    tested = Counter(
        name for fold in range(5) for name in make_split(SAMPLES, **OPTIONS | {"by": by, "fold": fold}).test
    )
    assert set(tested.values()) == {1}
    assert len(tested) == (60 if by == "object" else sum(COUNTS))


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
    counts=st.lists(st.integers(1, 5), min_size=5, max_size=30),
    seed=st.integers(0, 2**32),
    by=st.sampled_from(["object", "image"]),
)
def test_any_data_set_is_covered_once(counts: list[int], seed: int, by: By) -> None:
    samples = samples_of(counts, siblings=0)
    groups = {s.object_id if by == "object" else s.source_image for s in samples}
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
