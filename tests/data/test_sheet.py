import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graspwise.answer import parse_grasp
from graspwise.conversation import assistant_turn
from graspwise.data.sheet import TILE_SIDE, answered_grasp, chosen_samples, dataset_sheet, sample_tile
from graspwise.data.store import Dataset, Sample
from graspwise.draw import JAW, LABEL
from graspwise.errors import InputError
from graspwise.files import write_json
from graspwise.rectangle import GraspRectangle


def test_the_sheet_has_a_tile_a_sample(dataset: Dataset) -> None:
    sheet = dataset_sheet(dataset, count=8, columns=4)
    assert sheet.mode == "RGB"
    assert 4 * TILE_SIDE < sheet.width < 4.5 * TILE_SIDE
    assert sheet.height > 2 * TILE_SIDE
    assert dataset_sheet(dataset, count=4, columns=4).height < 0.6 * sheet.height
    pixels = np.asarray(sheet).reshape(-1, 3)
    for colour in (JAW, LABEL):
        assert (pixels == colour).all(axis=1).sum() > 500


def test_the_same_seed_gives_the_same_sheet(dataset: Dataset) -> None:
    first, again, other = (np.asarray(dataset_sheet(dataset, count=3, columns=3, seed=s)) for s in (1, 1, 2))
    assert first.shape == again.shape and (first == again).all()
    assert first.shape != other.shape or (first != other).any()


def test_samples_are_spread_distinct_and_in_order(dataset: Dataset) -> None:
    chosen = [s.id for s in chosen_samples(dataset, count=12, seed=0)]
    assert len(set(chosen)) == 12 and chosen == sorted(chosen)
    assert [s.id for s in chosen_samples(dataset, count=99, seed=0)] == [s.id for s in dataset]
    seen = {s.id for seed in range(30) for s in chosen_samples(dataset, count=12, seed=seed)}
    assert len(seen) == 40


def test_the_answer_takes_the_width_of_its_own_label(dataset: Dataset) -> None:
    for sample in dataset:
        grasp = answered_grasp(sample.answer, sample, image_size=(96, 96))
        _, said = parse_grasp(sample.answer)
        assert grasp is not None and grasp.opening is not None and grasp.jaw is not None
        assert (grasp.x, grasp.y, grasp.theta) == (said.x, said.y, said.theta)
        drawn = grasp.rectangle(image_size=(96, 96))
        assert max(drawn.iou(label) for label in sample.rectangles) > 0.9


def with_answer(sample: Sample, text: str, rectangles: tuple[GraspRectangle, ...]) -> Sample:
    return replace(sample, messages=[sample.messages[0], assistant_turn(text)], rectangles=rectangles)


def test_of_crossing_labels_the_one_of_the_same_angle_gives_the_width(dataset: Dataset) -> None:
    flat = GraspRectangle.from_pose(center=(48, 48), theta=0, opening=20)
    upright = GraspRectangle.from_pose(center=(49, 48), theta=math.pi / 2, opening=50)
    sample = with_answer(next(iter(dataset)), "[0.505, 0.505], +1.50", (flat, upright))
    grasp = answered_grasp(sample.answer, sample, image_size=(96, 96))
    assert grasp is not None and grasp.opening == pytest.approx(50 / 96)


def test_an_answer_without_labels_or_numbers_is_shown_all_the_same(dataset: Dataset) -> None:
    sample = next(iter(dataset))
    bare = with_answer(sample, "[0.515, 0.505], +1.50", ())
    grasp = answered_grasp(bare.answer, bare, image_size=(96, 96))
    assert grasp is not None and grasp.opening is None
    words = with_answer(sample, "A mug.", sample.rectangles)
    assert answered_grasp(words.answer, words, image_size=(96, 96)) is None
    for odd in (bare, words):
        assert sample_tile(dataset, odd).width == TILE_SIDE


@pytest.mark.parametrize(("name", "value"), [("count", 0), ("columns", 0), ("count", -3)])
def test_values_outside_their_range_are_refused(dataset: Dataset, name: str, value: int) -> None:
    with pytest.raises(InputError, match=f"{name} is {value}; valid is 1 or more"):
        dataset_sheet(dataset, **{name: value})


def test_an_empty_data_set_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "dataset.json", {"format": 1, "samples": 0})
    with pytest.raises(InputError, match="no samples to show"):
        dataset_sheet(Dataset(tmp_path))
