"""A cell of the benchmark of hands: one method's hands with what was measured of them, made object by object."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from graspwise.evaluation.cells import cell_path, check_same, rows_of, write_cell
from graspwise.evaluation.hand_measures import HandRow
from graspwise.evaluation.runs import Bar
from graspwise.files import read_json

# The rows of some numbers, all on one object; a method may give several rows to a number, one in each list.
Make = Callable[[str, Sequence[int]], list[list[HandRow]]]


def fill_cells(
    folder: Path, part: str, names: Sequence[str], *, seed: int, uses: dict[str, Any], wanted: dict[int, str],
    make: Callable[[], Make], bar: Bar,
) -> list[list[HandRow]]:  # fmt: skip
    """Rows of one method, of which those that are not there yet are made.

    Args:
        folder: Report folder.
        part: "reconstruction" or "language".
        names: Of the cells that are made together, e.g. of a method with and without adaptation.
        seed: Of the benchmark.
        uses: What they are made with; other ones are refused.
        wanted: The objects' ids by number.
        make: Opens the method, only where something is missing.
        bar: Wraps the objects in a progress bar.

    Raises:
        InputError: a cell was made with something else, or is damaged.
    """
    paths = [cell_path(folder, part, seed, name) for name in names]
    facts = [{**uses, "name": name} for name in names]
    rows: list[list[HandRow]] = []
    for path, fact in zip(paths, facts, strict=True):
        found: dict[str, Any] = {**fact, "hands": []}
        if path.is_file():
            found = read_json(path)
            check_same(path, found, fact)
        rows.append(rows_of(found, "hands", path=path, read=HandRow.from_json))
    # An interrupt may have left one of the cells an object behind.
    whole = set.intersection(*({row.number for row in of} for of in rows))
    rows = [[row for row in of if row.number in whole] for of in rows]
    place = {number: position for position, number in enumerate(wanted)}
    missing: dict[str, list[int]] = {}
    for number, object_id in wanted.items():
        if number not in whole:
            missing.setdefault(object_id, []).append(number)
    if missing:
        method = make()
        for object_id in bar(iter(missing), len(missing), f"{part}: {names[0]}, objects"):
            for of, new in zip(rows, method(object_id, missing[object_id]), strict=True):
                of += new
                of.sort(key=lambda row: place[row.number])
            for path, fact, of in zip(paths, facts, rows, strict=True):
                write_cell(path, {**fact, "hands": of})
    return rows
