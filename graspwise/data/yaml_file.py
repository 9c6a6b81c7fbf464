"""YAML files of named sections and lists of texts, in which no name is given twice."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import yaml

from graspwise.errors import InputError


def read_yaml(path: Path, *, sections: Sequence[str] | None = None) -> dict[str, Any]:
    """A YAML file whose top is a mapping, with exactly these sections where some are given.

    Raises:
        InputError: it is missing, is not YAML, repeats a name, has one that is no text, or has other sections.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a YAML file")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=OnceLoader)
    except (ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: not valid YAML ({error})") from error
    valid = "is a mapping of names to lists" if sections is None else f"are exactly {listing(sections)}"
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {type(content).__name__} at the top; valid {valid}")
    for key in content:
        if not isinstance(key, str) or not key.strip():
            raise InputError(
                f"{path}: {key!r} is no name; valid is text, in quotation marks where YAML reads it otherwise"
            )
    if sections is not None and sorted(content) != sorted(sections):
        raise InputError(f"{path}: found {listing(content)} at the top; valid {valid}")
    return content


def text_list(path: Path, place: str, found: Any) -> tuple[str, ...]:
    """A list of texts of one line each, found at a place of a file.

    Raises:
        InputError: it is something else.
    """
    if not isinstance(found, list) or not found:
        raise InputError(f"{path}: {place}: found {found!r:.60}; valid is a list of one or more texts")
    for text in found:
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            raise InputError(f"{path}: {place}: found {text!r:.60}; valid is a text of one line, not empty")
    return tuple(found)


class OnceLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader, the fast one where it is built, that refuses a name given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if repeated := next((key for key in keys if keys.count(key) > 1), None):
            times = f"{repeated} appears {keys.count(repeated)} times"
            raise yaml.YAMLError(f"{times}{node.start_mark}; give each name once, with all its texts")
        content: dict[Any, Any] = super().construct_mapping(node, deep)
        return content


def listing(names: Collection[Any]) -> str:
    return ", ".join(map(str, names))
