"""Save a model folder with its card, and put it on the Hugging Face hub, where others load it by name.

What is saved is a model folder as training wrote it: what training changed, and the name and hash of its base.
"""

import shutil
import tempfile
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

from graspwise.errors import InputError
from graspwise.files import empty_directory, read_json, write_text
from graspwise.model.hub_card import model_card
from graspwise.model.hub_names import hub_name, reason
from graspwise.model.load import model_folder
from graspwise.model.weights import BASE_NAME, CARD


def save_model(name: str, out: Path | str, *, repo: str = "") -> Path:
    """Write a model folder with its card, `README.md`.

    Args:
        name: A published name, a run folder, a model folder or a hub name.
        out: New folder.
        repo: Name on the hub that its card tells to load it by; by default the folder's.

    Raises:
        InputError: the name stands for no model folder, or `out` holds files.
    """
    source = folder_of(name)
    folder = empty_directory(out)
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*", "README.md"))
    report = source.parent / "report.json"
    measured = read_json(report) if report.is_file() else None
    write_text(folder / "README.md", model_card(read_json(source / CARD), name=repo or str(out), measured=measured))
    return folder


def push_model(name: str, repo: str, *, revision: str | None = None, private: bool = False) -> str:
    """Put a model folder with its card on the hub; returns the address of the commit.

    Args:
        name: A published name, a run folder, a model folder or a hub name.
        repo: `owner/name`, made if need be.
        revision: Branch, made if need be; by default the main one.
        private: Whether a new repository is for its owner alone.

    Raises:
        InputError: the name stands for no model folder, its base is a folder of this machine, `repo` can be no name on
            the hub, or the hub refuses or cannot be reached.
    """
    base = str(read_json(folder_of(name) / CARD).get("base", BASE_NAME))
    if base != BASE_NAME and hub_name(base) is None:
        raise InputError(f"{name}: its base {base} is on this machine alone; valid is {BASE_NAME} or a hub name")
    with tempfile.TemporaryDirectory() as temporary:
        folder = save_model(name, Path(temporary) / "model", repo=repo)
        return push_folder(folder, repo, kind="model", revision=revision, private=private)


def push_folder(folder: Path, repo: str, *, kind: str, revision: str | None = None, private: bool = False) -> str:
    """Put all files of a folder on the hub; returns the address of the commit.

    Args:
        folder: What is put there.
        repo: `owner/name`, made if need be.
        kind: "model" or "dataset".
        revision: Branch, made if need be; by default the main one.
        private: Whether a new repository is for its owner alone.

    Raises:
        InputError: `repo` can be no name on the hub, or the hub refuses or cannot be reached.
    """
    target = hub_name(repo)
    if target is None or target.revision is not None:
        raise InputError(f"{repo!r}: valid is a name on the hub such as owner/name that is no folder here")
    api = HfApi()
    try:
        api.create_repo(repo, repo_type=kind, private=private, exist_ok=True)
        if revision is not None:
            api.create_branch(repo, repo_type=kind, branch=revision, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo, repo_type=kind, folder_path=folder, revision=revision, commit_message="Upload by graspwise"
        )
    except (HTTPError, OSError, ValueError) as error:
        raise InputError(
            f"{repo}: cannot be put on the hub ({reason(error)}); valid is a repository of yours after `hf auth login`"
        ) from error
    return str(done.commit_url)


def folder_of(name: str) -> Path:
    """The model folder a name stands for.

    Raises:
        InputError: it stands for none: a baseline, an endpoint or a plain checkpoint.
    """
    folder = model_folder(name)
    if folder is None:
        raise InputError(f"model {name}: has no model folder; valid is a trained run, a published or a hub model")
    return folder
