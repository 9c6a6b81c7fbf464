"""Naming without reasoning: what is known, the commonest category, and the nearest photograph, by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from graspwise.data.split import Split
from graspwise.data.store import Dataset, Sample
from graspwise.evaluation.exposure import known_categories, seen_objects, training_photographs
from graspwise.evaluation.naming import majority_names, naming_records, naming_summary, nearest_names
from graspwise.files import write_json
from graspwise.picture import Picture
from graspwise.transform import Transform


def sample(category: str, object_id: str, image: str = "") -> Sample:
    return Sample(
        id=image, image="", object_id=object_id, category=category, description="", source_image=image, original=True,
        transform=Transform.identity(size=(9, 9)), rectangles=(), messages=[],
    )  # fmt: skip


MUGS = [sample("mug", "1"), sample("mug", "1"), sample("mug", "2")]
PENS = [sample("pen", "3"), sample("pen", "3"), sample("pen", "3"), sample("pen", "3")]


def test_a_category_is_known_from_two_objects_not_from_two_photographs():
    assert known_categories([*MUGS, *PENS]) == {"mug"}
    assert known_categories([]) == frozenset()


def test_the_majority_is_of_photographs_and_a_tie_goes_by_the_alphabet():
    test = [sample("mug", "9"), sample("cup", "8")]
    assert majority_names([*MUGS, *PENS], test) == ["pen", "pen"]
    assert majority_names([*PENS[:3], *MUGS], test) == ["mug", "mug"]


def test_the_share_is_of_known_categories_only():
    test = [sample("mug", "9", "a"), sample("mug", "9", "b"), sample("cup", "8", "c")]
    records = naming_records(["mug", "pen", "mug"], test, known=frozenset({"mug"}))
    summary = naming_summary(records)
    assert summary["n"] == 3 and summary["objects"] == 2
    assert summary["naming"]["n"] == 2 and summary["naming"]["percent"] == 50
    assert [record.named for record in records] == ["mug", "pen", "mug"]


class FirstCell(nn.Module):
    """A tower whose token of the whole picture is its mean colour; its other tokens would mislead."""

    def forward(self, pixel_values: torch.Tensor) -> SimpleNamespace:
        whole = pixel_values.mean((2, 3))
        return SimpleNamespace(last_hidden_state=torch.stack([whole, -10 * whole], dim=1))


class Colours:
    """A model that sees mean colours, and a data set of plain pictures by colour."""

    image_size = 8

    def __init__(self) -> None:
        self.vlm = SimpleNamespace(model=SimpleNamespace(vision_tower=FirstCell()))

    def pixel_values(self, pictures):
        return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()


class Plain:
    def picture(self, sample: Sample, *, depth: bool = False):
        colour = {"red": (200, 20, 10), "dim-red": (40, 4, 2), "green": (10, 90, 20), "blue": (5, 5, 250)}[
            sample.source_image
        ]
        return Picture(np.full((16, 16, 3), colour, np.uint8))


def test_the_nearest_photograph_is_the_one_of_largest_cosine():
    training = [sample("apple", "1", "red"), sample("leaf", "2", "green"), sample("pen", "3", "blue")]
    # A dark red is far from red by distance, and next to it by cosine.
    test = [sample("cherry", "9", "dim-red"), sample("pen", "8", "blue")]
    assert nearest_names(Colours(), Plain(), training, test) == ["apple", "pen"]  # type: ignore[arg-type]


def test_names_are_learnt_from_the_training_side_alone(dataset_folder):
    dataset = Dataset(dataset_folder)
    objects = sorted({s.object_id for s in dataset})
    split = Split(
        by="object", test=(objects[0],), validation=(objects[1],), training=(objects[2],), seed=0, folds=3, fold=0
    )
    photographs = training_photographs(dataset, split)
    assert {s.object_id for s in photographs} == {objects[2]}
    assert all(s.original for s in photographs)
    names = [s.source_image for s in photographs]
    assert len(set(names)) == len(names)
    # The unlabelled photograph shows the first object of the table.
    (unlabelled,) = dataset.captions()
    with_it = training_photographs(dataset, replace(split, training=(unlabelled.object_id,)))
    assert unlabelled.source_image in {s.source_image for s in with_it}


@pytest.mark.parametrize("trained_on", [["cornell:7", "cornell:12", "sim:3"], []])
def test_seen_objects_are_the_cards_of_that_source(tmp_path, trained_on):
    write_json(tmp_path / "model" / "graspwise.json", {"trained_on": trained_on})
    assert seen_objects(str(tmp_path), "cornell") == {"7", "12"} & {name.partition(":")[2] for name in trained_on}
    assert seen_objects("centre", "cornell") == frozenset()
