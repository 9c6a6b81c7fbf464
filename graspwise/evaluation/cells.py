"""A cell: one model on one fold, the benchmark's unit of work, its result one small JSON file."""

import json
import re
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from graspwise.errors import InputError
from graspwise.evaluation.plan import BenchmarkConfig, cell_config
from graspwise.files import read_json, write_text


def cell_path(folder: Path, by: str, fold: int, name: str) -> Path:
    """Where a cell's result is; names of models may be paths and addresses."""
    return folder / "cells" / f"{by}-{fold}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.json"


def is_done(path: Path, config: BenchmarkConfig, name: str) -> bool:
    """Whether a cell's result is there, in all protocols that are asked for.

    Raises:
        InputError: it is there, from another model, recipe, budget, seed or data set size.
    """
    if not path.is_file():
        return False
    found, wanted = read_json(path), json.loads(json.dumps(cell_config(config, name)))
    changed = [key for key in wanted if found["config"].get(key) != wanted[key]]
    changed += [] if found["cell"] == name else ["model"]
    if changed:
        raise InputError(f"{path}: made with another {', '.join(changed)}; give a new --out, or remove that file")
    return "records" not in found or all(name == "workspace" or name in found for name in config.protocols)


def write_cell(path: Path, value: dict[str, Any]) -> None:
    """Write a cell; lists of dataclasses have an entry a line."""
    lists: list[str] = []

    def marked(entry: Any) -> Any:
        if isinstance(entry, dict):
            return {key: marked(inner) for key, inner in entry.items()}
        if isinstance(entry, list) and entry and is_dataclass(entry[0]):
            lines = ",\n  ".join(json.dumps(asdict(record), ensure_ascii=False) for record in entry)
            lists.append(f"[\n  {lines}\n ]")
            # No text of a cell has a zero character.
            return f"\0{len(lists) - 1}"
        return entry

    text = json.dumps(marked(value), indent=1, ensure_ascii=False)
    write_text(path, re.sub(r'"\\u0000(\d+)"', lambda found: lists[int(found[1])], text) + "\n")


def read_cells(folder: Path | str) -> list[dict[str, Any]]:
    """Results of all finished cells under a report folder, by file name."""
    return [read_json(path) for path in sorted((Path(folder) / "cells").glob("*.json"))]
