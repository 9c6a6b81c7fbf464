"""Files appear whole or not at all: write beside the target, then rename."""

import json
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graspwise.errors import InputError


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the same folder that becomes `path` when the block ends without an exception."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last because Pillow and safetensors choose a format by it.
    temporary = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path | str) -> Iterator[Path]:
    """Yield a new folder beside `path` that becomes it when the block ends without an exception.

    Raises:
        InputError: another process has made `path` meanwhile.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as private:
        # One level down, because a temporary directory itself is readable by its owner only.
        temporary = Path(private) / target.name
        temporary.mkdir()
        yield temporary
        try:
            temporary.rename(target)
        except OSError as error:
            if not target.exists():
                raise
            raise InputError(f"{target}: another process has made it meanwhile; start again to use that one") from error


def write_text(path: Path | str, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing or is not JSON.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    try:
        return json.loads(source.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{source}: not valid JSON ({error})") from error


def is_begun(record: Path | str, config: Any) -> bool:
    """Whether the work that the JSON file `record` keeps the configuration of was begun; then with this one.

    Raises:
        InputError: it was begun with another one, or the record is damaged.
    """
    written = Path(record)
    if not written.is_file():
        return False
    before, wanted = read_json(written), json.loads(json.dumps(config))
    changed = sorted(key for key in wanted if before.get(key) != wanted[key])
    if changed:
        raise InputError(f"{written.parent}: begun with another {', '.join(changed)}; give the same, or a new --out")
    return True


def empty_directory(path: Path | str, *, besides: Collection[str] = ()) -> Path:
    """Make `path` a new or empty folder to write a result into.

    Args:
        path: The folder.
        besides: Names that it may hold.

    Raises:
        InputError: it exists and holds files, or cannot be made.
    """
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(entry.name not in besides for entry in folder.iterdir())):
        raise InputError(f"{folder}: already exists and is not an empty folder; give a new one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made a folder ({error.strerror}); give another one") from error
    return folder
