"""Folds for cross-validation, by objects or by images.

Object-wise keeps all pictures of an object on one side, image-wise all samples of a photograph. Augmented siblings
always follow their photograph.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from graspwise.data.store import Sample
from graspwise.errors import InputError

By = Literal["object", "image"]


@dataclass(frozen=True)
class Split:
    """Groups (object ids, or photographs' names) of the three parts of one run.

    Attributes:
        by: What a group is.
        test: Not seen in training in any form.
        validation: Watched during training, not trained on.
        training: The rest.
        seed: Decides the folds.
        folds: How many there are; 0 where there is no test part.
        fold: Which one `test` is.
    """

    by: By
    test: tuple[str, ...]
    validation: tuple[str, ...]
    training: tuple[str, ...]
    seed: int
    folds: int
    fold: int

    def group(self, sample: Sample) -> str:
        return sample.object_id if self.by == "object" else sample.source_image

    def to_json(self) -> dict[str, Any]:
        return {
            "by": self.by, "seed": self.seed, "folds": self.folds, "fold": self.fold,
            "test": list(self.test), "validation": list(self.validation), "training": list(self.training),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Split":
        parts = {name: tuple(value[name]) for name in ("test", "validation", "training")}
        return cls(by=value["by"], seed=value["seed"], folds=value["folds"], fold=value["fold"], **parts)


def make_split(samples: Iterable[Sample], *, by: By, folds: int, fold: int, validation: float, seed: int) -> Split:
    """Fold `fold` of `folds`, of nearly equal counts of photographs, and a validation part inside the training folds.

    Args:
        samples: Those of the whole data set; only its unaugmented photographs count.
        by: "object" or "image".
        folds: 2 or more, or 0 for no test part.
        fold: 0 to folds - 1.
        validation: Share of the training groups.
        seed: The same seed gives the same folds, whichever fold is asked for.

    Raises:
        InputError: a value outside its range, or fewer groups than folds.
    """
    if folds == 1 or folds < 0 or not 0 <= fold < max(folds, 1):
        raise InputError(f"fold {fold} of {folds}; valid is 2 or more folds (0 for none), a fold from 0 to folds - 1")
    if not 0 <= validation < 1:
        raise InputError(f"validation is {validation:g}; valid is a share of the training groups, 0 to below 1")
    sizes: dict[str, int] = {}
    for sample in samples:
        if sample.original:
            name = sample.object_id if by == "object" else sample.source_image
            sizes[name] = sizes.get(name, 0) + 1
    if len(sizes) < max(folds, 1):
        raise InputError(f"{len(sizes)} {by}s cannot make {folds} folds; valid is at most as many folds as {by}s")
    names = sorted(sizes)
    order = [names[i] for i in np.random.default_rng([seed, 0]).permutation(len(names))]
    test: list[str] = []
    if folds:
        parts: list[list[str]] = [[] for _ in range(folds)]
        counts = [0] * folds
        # Large groups first into the emptiest fold; the shuffle decides among equals.
        for name in sorted(order, key=lambda n: -sizes[n]):
            smallest = counts.index(min(counts))
            parts[smallest].append(name)
            counts[smallest] += sizes[name]
        test = parts[fold]
    rest = [name for name in order if name not in set(test)]
    shuffled = [rest[i] for i in np.random.default_rng([seed, 1, fold]).permutation(len(rest))]
    held = round(len(rest) * validation)
    return Split(
        by=by, test=tuple(sorted(test)), validation=tuple(sorted(shuffled[:held])),
        training=tuple(sorted(shuffled[held:])), seed=seed, folds=folds, fold=fold,
    )  # fmt: skip
