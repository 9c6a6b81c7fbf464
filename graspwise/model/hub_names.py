"""Names on the Hugging Face hub: `owner/name`, or `owner/name@revision`, as a folder on this machine."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from graspwise.errors import InputError

# What a model of ours or a checkpoint is made of; other libraries' copies of the same weights stay where they are.
WANTED = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
UNWANTED = ("original/*", "consolidated*", "onnx/*")
# The hub's own rule for both halves of a name.
HALF = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?")


@dataclass(frozen=True)
class HubName:
    """A repository of the hub.

    Attributes:
        repo: `owner/name`.
        revision: Branch, tag or commit; None is the main branch.
    """

    repo: str
    revision: str | None = None

    def __str__(self) -> str:
        return self.repo if self.revision is None else f"{self.repo}@{self.revision}"


def hub_name(name: str) -> HubName | None:
    """A name on the hub; None of what is a path on this machine, or can be no name there."""
    repo, at, revision = name.partition("@")
    halves = repo.split("/")
    if len(halves) != 2 or not all(map(HALF.fullmatch, halves)) or (at and not revision) or Path(name).exists():
        return None
    return HubName(repo, revision or None)


def fetched(name: HubName) -> Path:
    """The folder in the hub's cache that holds a repository; files that are there already are not fetched again.

    Raises:
        InputError: there is no such repository or revision, or the hub cannot be reached and it is not in the cache.
    """
    from huggingface_hub import HfApi

    try:
        folder = HfApi().snapshot_download(
            name.repo, revision=name.revision, allow_patterns=list(WANTED), ignore_patterns=list(UNWANTED)
        )
    except (OSError, ValueError) as error:
        raise InputError(f"model {name}: cannot be fetched from the hub ({reason(error)})") from error
    return Path(folder)


def file_sha256(path: Path) -> bytes:
    """A file's sha256; the hub's cache names large files by it, which saves reading gigabytes."""
    kept = path.resolve()
    if kept.parent.name == "blobs" and re.fullmatch("[0-9a-f]{64}", kept.name):
        return bytes.fromhex(kept.name)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def reason(error: Exception) -> str:
    """What the hub says, in a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # The first line of an answer is its number and an id; the address follows.
    return " ".join(lines[:2])[:200] or type(error).__name__
