"""What benchmarks that ask several models share: the models' names in a report, the report's folder, a bar's type."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from graspwise.errors import InputError
from graspwise.files import is_begun, write_json

# Wraps a stream of so many things under a title in a progress bar.
Bar = Callable[[Iterator[Any], int, str], Iterator[Any]]


def begin(folder: Path, config: dict[str, Any]) -> Path:
    """The folder with its configuration in `config.json`, new or gone on with.

    Raises:
        InputError: it was begun with another one, or holds something else.
    """
    if not is_begun(folder / "config.json", config):
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError(f"{folder}: is not empty and was not begun by this benchmark; give a new folder")
        write_json(folder / "config.json", config)
    return folder


def short_name(model: str) -> str:
    folder, plus, reading = model.rpartition("+")
    if plus and Path(folder).is_dir():
        return f"{Path(folder).name}+{reading}"
    return Path(model).name if Path(model).is_dir() else re.sub("[:/]+", "-", model.rpartition("#")[2])


def short_names(models: Sequence[str], *, option: str = "--models") -> list[str]:
    """Names for the report: a folder's own name, at an endpoint the model's there, all different.

    Args:
        models: As they were asked for.
        option: By which option.

    Raises:
        InputError: two would be the same.
    """
    names = [short_name(model) for model in models]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{option}: {name} stands there twice; valid are models of different names")
    return names
