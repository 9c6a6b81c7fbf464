"""What calibration files have in common: YAML or JSON, a mapping, and numbers that are sometimes written as text."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from graspwise.errors import InputError


def read_mapping(path: Path | str) -> dict[str, Any]:
    """First document of a YAML file, or a JSON file.

    Raises:
        InputError: no such file, not text, not YAML or JSON, or not a mapping.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"{source}: {'a folder, not a file' if source.is_dir() else 'no such file'}")
    try:
        text = source.read_text(encoding="utf-8-sig")
        if source.suffix.lower() == ".json":
            value = json.loads(text)
        else:
            # OpenCV's own writer puts a header and tags there that YAML 1.1 does not know.
            text = text.removeprefix("%YAML:1.0").replace("!!opencv-matrix", "")
            value = next(iter(yaml.safe_load_all(text)), None)
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: not text, so neither YAML nor JSON") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{source}: not valid YAML or JSON ({_place(error)})") from error
    if not isinstance(value, dict):
        raise InputError(f"{source}: holds {type(value).__name__}; valid is a mapping, NAME: VALUE")
    return {str(key): item for key, item in value.items()}


def number(value: object, *, name: str) -> float:
    """A finite number; YAML 1.1 reads `1e-05` as text, which some programs write.

    Raises:
        InputError: it is missing, or anything else.
    """
    if value is None:
        raise InputError(f"{name}: missing; valid is a number")
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            found = float(value)
        except (ValueError, OverflowError):
            found = math.nan
        if math.isfinite(found):
            return found
    raise InputError(f"{name}: found {str(value)[:40]!r}; valid is a finite number")


def numbers(value: object, *, name: str, count: int | None = None) -> list[float]:
    """A list of finite numbers, or OpenCV's and ROS's {rows, cols, data} of it; nested lists are read row by row.

    Raises:
        InputError: it is missing, another length than `count`, or holds anything else.
    """
    if isinstance(value, Mapping):
        value, name = value.get("data"), f"{name}.data"
    if value is None:
        raise InputError(f"{name}: missing; valid is a list of {'' if count is None else f'{count} '}numbers")
    if not isinstance(value, list):
        raise InputError(f"{name}: found {str(value)[:40]!r}; valid is a list of numbers")
    flat = [item for row in value for item in (row if isinstance(row, list) else [row])]
    if count is not None and len(flat) != count:
        raise InputError(f"{name}: found {len(flat)} numbers; valid are {count}")
    return [number(item, name=f"{name}[{index}]") for index, item in enumerate(flat)]


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    text = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {text}" if mark is not None else text
