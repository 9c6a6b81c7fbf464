"""What the peer learns of a simulated scene: the labels of all its things, since it is not told which one is meant."""

from collections.abc import Sequence
from dataclasses import replace

from graspwise.data.store import Dataset, Sample
from graspwise.rectangle import GraspRectangle
from graspwise.train.examples import is_visible


def with_all_labels(dataset: Dataset, samples: Sequence[Sample]) -> list[Sample]:
    """Samples of simulated scenes with the labels of all their scene's things; any other data set's as they are.

    A scene of several things is a sample for each, asked for by name. The peer reads no name, so all are right to it.
    """
    if dataset.info["source"] != "sim":
        return list(samples)
    # By scene and thing, in the scene's own pixels.
    found: dict[str, dict[str, list[GraspRectangle]]] = {}
    for sample in samples:
        if sample.original:
            back = sample.transform.inverse()
            own = [back.rectangle(label) for label in sample.rectangles]
            found.setdefault(scene_of(sample), {})[sample.source_image] = own
    whole = []
    for sample in samples:
        things = found.get(scene_of(sample), {})
        others = [label for name, labels in things.items() if name != sample.source_image for label in labels]
        shown = [sample.transform.rectangle(label) for label in others]
        side = sample.transform.size[0]
        whole.append(replace(sample, rectangles=(*sample.rectangles, *(r for r in shown if is_visible(r, side)))))
    return whole


def scene_of(sample: Sample) -> str:
    """Name of the simulated scene that a sample is of: its photograph is called `SCENE-THING`."""
    return sample.source_image.rpartition("-")[0]
