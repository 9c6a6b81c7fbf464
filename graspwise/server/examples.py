"""Photographs to try the page with: of the installed package, or of the repository."""

from pathlib import Path

import graspwise

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def example_folder() -> Path | None:
    """The folder of examples that came with graspwise; None where there is none."""
    package = Path(graspwise.__file__).parent
    return next((f for f in (package / "examples", package.parent / "examples") if f.is_dir()), None)


def example_pictures(folder: Path | None) -> dict[str, Path]:
    """The pictures of a folder by file name."""
    if folder is None:
        return {}
    return {path.name: path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES and path.is_file()}
