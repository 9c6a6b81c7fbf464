"""Folds for cross-validation, by objects, images or categories, and the file that gives them to others.

Object-wise keeps all pictures of an object on one side, image-wise all samples of a photograph, category-wise all
objects of a category. Augmented siblings always follow their photograph.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from graspwise.data.rows import Outline
from graspwise.data.store import Sample
from graspwise.errors import InputError
from graspwise.files import read_json, write_text

By = Literal["object", "image", "category"]
# Whatever is asked for, a splits file has these: one object in a category of its own makes no folds of categories.
ALWAYS: tuple[By, ...] = ("object", "image")
GROUPS: Mapping[By, str] = {"object": "objects", "image": "images", "category": "categories"}


class Shown(NamedTuple):
    """What a photograph shows.

    Attributes:
        object_id: Its object.
        category: The object's category.
    """

    object_id: str
    category: str


# Labelled photographs by name.
Photographs = Mapping[str, Shown]
HOW = (
    "A group is an object (object), a photograph (image) or a category (category). The sorted names of the groups are "
    "put into the order "
    "numpy.random.default_rng([seed, 0]).permutation(count), then those of more photographs first, and one after the "
    "other into the fold that holds fewest photographs, of equals the first. A fold is the test part once. Of the "
    "other groups, in the order of that permutation, the first round(validation * count) of "
    "numpy.random.default_rng([seed, 1, fold]).permutation(count) are watched and not trained on. Photographs without "
    "grasp labels go where their object goes in object, where their category goes in category, and nowhere in image. "
    "Augmented pictures go where their photograph goes."
)


@dataclass(frozen=True)
class Split:
    """Groups (object ids, photographs' names or categories) of the three parts of one run.

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

    def group(self, sample: Sample | Outline) -> str:
        return group_of(self.by, sample.source_image, Shown(sample.object_id, sample.category))

    def test_samples(self, samples: Iterable[Sample]) -> list[Sample]:
        """The unaugmented photographs of the test part."""
        test = set(self.test)
        return [sample for sample in samples if sample.original and self.group(sample) in test]

    def to_json(self) -> dict[str, Any]:
        return {
            "by": self.by, "seed": self.seed, "folds": self.folds, "fold": self.fold,
            "test": list(self.test), "validation": list(self.validation), "training": list(self.training),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Split":
        parts = {name: tuple(value[name]) for name in ("test", "validation", "training")}
        return cls(by=value["by"], seed=value["seed"], folds=value["folds"], fold=value["fold"], **parts)


def group_of(by: By, photograph: str, shown: Shown) -> str:
    """The group that a photograph belongs to."""
    return {"object": shown.object_id, "image": photograph, "category": shown.category}[by]


def make_split(
    samples: Iterable[Sample | Outline], *, by: By, folds: int, fold: int, validation: float, seed: int
) -> Split:
    """Fold `fold` of `folds`, of nearly equal counts of photographs, and a validation part inside the training folds.

    Args:
        samples: Those of the whole data set; only its unaugmented photographs count.
        by: "object", "image" or "category".
        folds: 2 or more, or 0 for no test part.
        fold: 0 to folds - 1.
        validation: Share of the training groups.
        seed: The same seed gives the same folds, whichever fold is asked for.

    Raises:
        InputError: a value outside its range, or fewer groups than folds; by category also wishes, whose scenes show
            several, and an object in two.
    """
    photographs = {}
    for sample in samples:
        if by == "category" and sample.wish:
            raise InputError(
                "--split is category; valid for wishes, whose scenes show several things, is object or image"
            )
        if sample.original:
            shown = Shown(sample.object_id, sample.category)
            # Without folds nobody counts photographs, and one of each object is enough.
            photographs[sample.source_image if folds or by == "image" else " ".join(shown)] = shown
    return split_photographs(photographs, by=by, folds=folds, fold=fold, validation=validation, seed=seed)


def split_photographs(
    photographs: Photographs, *, by: By, folds: int, fold: int, validation: float, seed: int
) -> Split:
    """`make_split` of photographs that no data set was built from yet."""
    if folds == 1 or folds < 0 or not 0 <= fold < max(folds, 1):
        raise InputError(f"fold {fold} of {folds}; valid is 2 or more folds (0 for none), a fold from 0 to folds - 1")
    if not 0 <= validation < 1:
        raise InputError(f"validation is {validation:g}; valid is a share of the training groups, 0 to below 1")
    sizes: dict[str, int] = {}
    category_of: dict[str, str] = {}
    for photograph, shown in photographs.items():
        name = group_of(by, photograph, shown)
        sizes[name] = sizes.get(name, 0) + 1
        other = category_of.setdefault(shown.object_id, shown.category)
        if by == "category" and other != shown.category:
            raise InputError(f"object {shown.object_id} is a {other} and a {shown.category}; valid is one category")
    if len(sizes) < max(folds, 1):
        groups = GROUPS[by]
        raise InputError(f"{len(sizes)} {groups} cannot make {folds} folds; valid is at most as many folds as {groups}")
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


def splits_json(
    photographs: Photographs, *, source: str, folds: int, validation: float, seed: int, kinds: Sequence[By] = ()
) -> dict[str, Any]:
    """All folds of the kinds wanted and of those that are always there: of each part its photographs and their objects.

    Raises:
        InputError: as `make_split`.
    """
    value: dict[str, Any] = {"source": source, "seed": seed, "folds": folds, "validation": validation}
    for by in dict.fromkeys((*ALWAYS, *kinds)):
        value[by] = []
        for fold in range(folds):
            split = split_photographs(photographs, by=by, folds=folds, fold=fold, validation=validation, seed=seed)
            entry: dict[str, Any] = {"fold": fold}
            for part in ("test", "validation", "training"):
                groups = set(getattr(split, part))
                held = sorted(name for name, shown in photographs.items() if group_of(by, name, shown) in groups)
                entry[part] = {"photographs": held, "objects": sorted({photographs[name].object_id for name in held})}
            value[by].append(entry)
    return value


def keep_splits(path: Path, splits: dict[str, Any]) -> None:
    """Write a splits file, or check the one that is there; folds by category are added to one without.

    Raises:
        InputError: the one that is there differs, or is none.
    """
    found: dict[str, Any] = {}
    if path.is_file():
        read = read_json(path)
        found = read if isinstance(read, dict) else {}
        addable = {*get_args(By)} - {*ALWAYS, *found}
        changed = [key for key in splits if key not in addable and found.get(key) != splits[key]]
        if changed:
            raise InputError(
                f"{path}: found another {', '.join(changed)} than the photographs and options give now; give the same, "
                "a new --out, or remove that file"
            )
    if not splits.keys() <= found.keys():
        text = json.dumps({"how": HOW} | found | splits | {"how": HOW}, ensure_ascii=False, indent=1)
        write_text(path, re.sub(r"\[\n([^][{}]*)\]", one_line, text) + "\n")


def one_line(found: re.Match[str]) -> str:
    """A list of names without its line breaks; JSON has them between values only, never inside one."""
    return "[" + " ".join(line.strip() for line in found[1].strip().split("\n")) + "]"
