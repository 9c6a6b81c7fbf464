"""What the peer learns of scenes with several things."""

from dataclasses import replace

import pytest

from graspwise.data.store import Dataset
from graspwise.rectangle import GraspRectangle
from graspwise.train.peer_labels import with_all_labels
from graspwise.transform import Transform


def test_all_things_of_a_simulated_scene_are_learned_at_once(dataset_folder):
    """Two things of a scene, each a second time, mirrored or in a part that shows it alone; one of another scene."""
    dataset = Dataset(dataset_folder)
    dataset.info["source"] = "sim"
    first = next(iter(dataset))
    plain = Transform.letterbox(source_size=(100, 100), size=(100, 100))
    left, right = (GraspRectangle.from_pose(center=(x, 40), theta=0.3, opening=20, jaw=6) for x in (20, 90))
    one = replace(first, source_image="000001-1", original=True, transform=plain, rectangles=(left,))
    two = replace(one, source_image="000001-2", rectangles=(right,))
    moved = plain.then(Transform.flip(size=(100, 100), axis="horizontal"))
    crop = plain.then(Transform.crop(box=(50, 0, 100, 50), source_size=(100, 100)))
    again = replace(one, original=False, transform=moved, rectangles=(moved.rectangle(left),))
    close = replace(two, original=False, transform=crop, rectangles=(crop.rectangle(right),))
    alone = replace(one, source_image="000002-1")
    found = with_all_labels(dataset, [one, two, again, close, alone])
    wanted = [[left, right], [right, left], [moved.rectangle(left), moved.rectangle(right)], [crop.rectangle(right)]]
    for sample, labels in zip(found, [*wanted, [left]], strict=True):
        assert len(sample.rectangles) == len(labels)
        for label, other in zip(sample.rectangles, labels, strict=True):
            assert label.corners == pytest.approx(other.corners, abs=1e-6)
    dataset.info["source"] = "cornell"
    assert with_all_labels(dataset, [one, two]) == [one, two]
