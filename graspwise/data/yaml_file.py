"""YAML files with fixed sections, in which no name is given twice."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import yaml

from graspwise.errors import InputError


def read_yaml(path: Path, *, sections: Sequence[str]) -> dict[str, Any]:
    """A YAML file with exactly these sections at the top.

    Raises:
        InputError: it is missing, is not YAML, repeats a name, or has other sections.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a YAML file")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=OnceLoader)
    except (ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: not valid YAML ({error})") from error
    if not isinstance(content, dict) or sorted(map(str, content)) != sorted(sections):
        found = listing(content) if isinstance(content, dict) else type(content).__name__
        raise InputError(f"{path}: found {found} at the top; valid are exactly {listing(sections)}")
    return content


class OnceLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader, the fast one where it is built, that refuses a name given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if repeated := next((key for key in keys if keys.count(key) > 1), None):
            raise yaml.YAMLError(f"{repeated} appears {keys.count(repeated)} times{node.start_mark}")
        content: dict[Any, Any] = super().construct_mapping(node, deep)
        return content


def listing(names: Collection[Any]) -> str:
    return ", ".join(map(str, names))
