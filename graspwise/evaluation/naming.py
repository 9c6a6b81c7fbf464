"""Naming the category without reasoning: what a model that reasons has to beat.

Both opponents name a test photograph from the training photographs alone: by the commonest category among them, and by
the category of the one that looks most alike to the vision tower.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graspwise.data.store import Dataset, Sample
from graspwise.evaluation.score import naming_share

if TYPE_CHECKING:
    from torch import Tensor

    from graspwise.model.grasp_model import GraspModel

BATCH = 16


@dataclass(frozen=True)
class NamingRecord:
    """What an opponent called a photograph.

    Attributes:
        image: Name of the photograph.
        object_id: Its object.
        category: Its category.
        known_category: Whether two or more objects of it were there to learn from.
        names_category: Whether the name is the category's.
        named: The name.
    """

    image: str
    object_id: str
    category: str
    known_category: bool
    names_category: bool
    named: str


def majority_names(training: Sequence[Sample], test: Sequence[Sample]) -> list[str]:
    """The commonest category of the training photographs for each test photograph."""
    return [commonest_category(training)] * len(test)


def commonest_category(training: Sequence[Sample]) -> str:
    """The commonest category of photographs; of equals the first by alphabet."""
    counts = Counter(sample.category for sample in training)
    return min(counts, key=lambda category: (-counts[category], category))


def nearest_names(
    model: "GraspModel", dataset: Dataset, training: Sequence[Sample], test: Sequence[Sample]
) -> list[str]:
    """The category of the training photograph whose token of the whole picture has the largest cosine."""
    known, asked = whole_tokens(model, dataset, training), whole_tokens(model, dataset, test)
    return [training[index].category for index in (asked @ known.T).argmax(1).tolist()]


def whole_tokens(model: "GraspModel", dataset: Dataset, samples: Sequence[Sample]) -> "Tensor":
    """The vision tower's token of each whole picture, (N, hidden_size) float32 of length 1."""
    import torch
    from torch.nn import functional as F

    from graspwise.train.examples import plain_example

    found = []
    with torch.inference_mode():
        for start in range(0, len(samples), BATCH):
            batch = samples[start : start + BATCH]
            pictures = [plain_example(dataset, sample, size=model.image_size).rgb for sample in batch]
            seen = model.vlm.model.vision_tower(model.pixel_values(pictures)).last_hidden_state
            found.append(F.normalize(seen[:, 0].float(), dim=-1))
    return torch.cat(found)


def naming_records(names: Sequence[str], test: Sequence[Sample], *, known: frozenset[str]) -> list[NamingRecord]:
    """One record a photograph."""
    return [
        NamingRecord(
            image=sample.source_image,
            object_id=sample.object_id,
            category=sample.category,
            known_category=sample.category in known,
            names_category=name == sample.category,
            named=name,
        )
        for sample, name in zip(test, names, strict=True)
    ]


def naming_summary(records: Sequence[NamingRecord]) -> dict[str, object]:
    return {
        "n": len(records),
        "objects": len({record.object_id for record in records}),
        "naming": naming_share(records),
    }
