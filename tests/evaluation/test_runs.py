"""What benchmarks of several models share: their names, and a folder that is begun once."""

from pathlib import Path

import pytest

from graspwise.errors import InputError
from graspwise.evaluation.runs import begin, short_names
from graspwise.files import read_json, write_json


def test_short_names(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert short_names([str(tmp_path / "run"), "org/model", "small"]) == ["run", "org-model", "small"]
    assert short_names(["http://host:8000/v1#org/vlm", "http://host:8000/v1"]) == ["org-vlm", "http-host-8000-v1"]
    both = [str(tmp_path / "run"), f"{tmp_path / 'run'}+text", "small+map"]
    assert short_names(both) == ["run", "run+text", "small+map"]
    for twice in (["small", "small"], [str(tmp_path / "run"), "run"], ["a/b", "a-b"]):
        with pytest.raises(InputError, match="stands there twice"):
            short_names(twice)


def test_a_folder_is_begun_once_with_one_configuration(tmp_path: Path) -> None:
    folder = begin(tmp_path / "report", {"seed": 1})
    assert read_json(folder / "config.json") == {"seed": 1}
    assert begin(folder, {"seed": 1}) == folder
    with pytest.raises(InputError, match="begun with another seed"):
        begin(folder, {"seed": 2})
    write_json(tmp_path / "other" / "file.json", 1)
    with pytest.raises(InputError, match="is not empty and was not begun by this benchmark"):
        begin(tmp_path / "other", {"seed": 1})
