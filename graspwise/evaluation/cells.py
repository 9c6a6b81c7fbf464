"""A cell: one model on one fold, the benchmark's unit of work, its result one small JSON file."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from graspwise.errors import InputError
from graspwise.evaluation.plan import BenchmarkConfig, cell_config
from graspwise.files import read_json, write_text

Row = TypeVar("Row")


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
    check_same(path, {**found["config"], "model": found["cell"]}, {**wanted, "model": name})
    return "records" not in found or all(name == "workspace" or name in found for name in config.protocols)


def check_same(path: Path, cell: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise for a cell that was made with something else.

    Raises:
        InputError: it was.
    """
    changed = [key for key in wanted if cell.get(key) != wanted[key]]
    if changed:
        raise InputError(f"{path}: made with another {', '.join(changed)}; give a new --out, or remove that file")


def rows_of(cell: dict[str, Any], key: str, *, path: Path, read: Callable[[dict[str, Any]], Row]) -> list[Row]:
    """The rows of a cell.

    Raises:
        InputError: one is damaged, or of an older version.
    """
    try:
        return [read(row) for row in cell[key]]
    except (TypeError, LookupError, AttributeError) as error:
        raise InputError(
            f"{path}: holds no {key} of this version ({error}); remove that file to have them made anew"
        ) from error


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
