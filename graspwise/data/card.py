"""The card of a data set, `README.md` in the hub's format: `datasets.load_dataset` opens the folder by it.

It shows every sample's picture with what is asked and answered, its labels and its group, a line each in
`metadata.jsonl`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from graspwise.data.store import Sample
from graspwise.files import write_text

PICTURES = "metadata.jsonl"


def picture_row(sample: Sample) -> dict[str, Any]:
    """A sample's line of `metadata.jsonl`; all lines have the same fields of the same types."""
    return {
        "file_name": sample.image,
        "id": sample.id,
        "instruction": sample.instruction,
        "answer": sample.answer,
        "object_id": sample.object_id,
        "category": sample.category,
        "source_image": sample.source_image,
        "original": sample.original,
        "rectangles": [np.round(label.corners, 3).tolist() for label in sample.rectangles],
    }


def write_card(folder: Path, info: Mapping[str, Any]) -> None:
    """Write `README.md` of a data set folder.

    Args:
        folder: Where to.
        info: What its `dataset.json` says.
    """
    head = {
        "pretty_name": f"Graspwise {info['task']}, {info['source']}",
        "task_categories": ["robotics", "image-text-to-text"],
        "language": ["en"],
        "tags": ["graspwise", "grasping"],
        # Only pictures that a line names: no masks, depth or unlabelled photographs.
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": [PICTURES, "images/[0-9]*/*.jpg"]}],
            }
        ],
    }  # fmt: skip
    facts = "\n".join(f"| {key} | {value} |" for key, value in info.items() if not isinstance(value, dict))
    write_text(
        folder / "README.md",
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n# {head['pretty_name']}\n\n"
        "Pictures, what somebody asks, and the grasp that answers. Rectangles are four corners in pixels of the\n"
        "picture, clockwise as seen; the side from the first to the second is the gripper's opening. `object_id` is\n"
        "what a split must keep on one side.\n\n"
        f"| | |\n|---|---|\n{facts}\n",
    )
