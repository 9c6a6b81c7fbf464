"""Made-up cells of the benchmark, small enough to count by hand."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import pytest

from graspwise.evaluation.score import Record, summarise

MadeCell = Callable[..., dict[str, Any]]


def made_record(image: str, hit: bool, **given: Any) -> Record:
    """A record of a photograph, each of an object of its own."""
    grasp = {"x": 0.5, "y": 0.5, "theta": 0.1, "opening": 0.2, "jaw": None, "quality": given.pop("quality", None)}
    values = {
        "image": image, "object_id": f"object of {image}", "category": "mug", "seen": False, "oblique": False,
        "hit": hit, "hit_own": hit, "hit_any": True, "names_category": True, "intervened": False,
        "unconstrained_fails": False, "grasp": grasp, "reasoning": "The object is a mug.", "seconds": 0.5,
    }  # fmt: skip
    return Record(**{**values, **given})


@pytest.fixture(scope="session")
def made_cell() -> MadeCell:
    """A function that makes a cell of the hits of its photographs, named by fold and place."""

    def cell(
        name: str,
        fold: int,
        hits: Sequence[bool],
        *,
        split: str = "object",
        budget: tuple[int, int] = (100, 20),
        seed: int = 0,
        record: dict[str, Any] | None = None,
        **given: Any,
    ) -> dict[str, Any]:
        records = [made_record(f"{fold}-{i}", hit, **(record or {})) for i, hit in enumerate(hits)]
        return {
            "cell": name, "split": split, "fold": fold, "date": f"2026-01-0{fold + 1}",
            "config": {"folds": 5, "samples": 60, "seed": seed},
            "training_samples": {"align": budget[0], "answers": budget[1]},
            "summary": summarise(records), "records": [asdict(r) for r in records], **given,
        }  # fmt: skip

    return cell
