import json
from pathlib import Path

import pytest

from graspwise.errors import InputError
from graspwise.files import empty_directory, read_json, replacing, replacing_folder, write_json, write_text


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_error_is_one_line() -> None:
    assert str(InputError("a.png: bad\n  because\tof it")) == "a.png: bad because of it"


def test_replacing_keeps_folder_and_suffix_and_makes_parents(tmp_path: Path) -> None:
    target = tmp_path / "new" / "weights.safetensors"
    with replacing(target) as temporary:
        assert (temporary.parent, temporary.suffix) == (target.parent, target.suffix)
        temporary.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert names(target.parent) == {target.name}


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert names(tmp_path) == {"a.txt"}


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "model"
    with replacing_folder(str(target)) as temporary:
        (temporary / "part").write_text("x")
        assert not target.exists()
    assert names(target) == {"part"}
    assert names(target.parent) == {"model"}
    (tmp_path / "plain").mkdir()
    assert target.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failed_folder_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), replacing_folder(tmp_path / "model") as temporary:
        (temporary / "part").write_text("x")
        raise RuntimeError
    assert names(tmp_path) == set()


def test_a_folder_does_not_replace_a_full_one(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_text("x")
    with pytest.raises(InputError, match="another process has made it"), replacing_folder(tmp_path / "model"):
        pass
    assert names(tmp_path) == {"model"}
    assert names(tmp_path / "model") == {"mine"}


def test_text_is_utf8_and_json_is_read_back(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "θ\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xce\xb8\n"
    value = {"name": "Säge", "values": [1, 2.5, None]}
    write_json(tmp_path / "a.json", value)
    assert read_json(str(tmp_path / "a.json")) == value
    assert "Säge" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_what_json_cannot_hold_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"a": {1, 2}})
    assert names(tmp_path) == set()


BAD_JSON: dict[str, bytes] = {
    "empty": b"",
    "cut short": b'{"a": [1, 2',
    "not text": b"\xff\xfe\x00\x01",
    "text": b"hello",
}


@pytest.mark.parametrize("content", BAD_JSON.values(), ids=BAD_JSON)
def test_bad_json_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json: not valid JSON") as caught:
        read_json(tmp_path / "a.json")
    assert "\n" not in str(caught.value)


def test_missing_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.json: no such file"):
        read_json(tmp_path / "a.json")
    with pytest.raises(InputError, match="no such file"):
        read_json(tmp_path)


def test_empty_directory_makes_or_takes_an_empty_one(tmp_path: Path) -> None:
    assert empty_directory(str(tmp_path / "a" / "b")) == tmp_path / "a" / "b"
    assert empty_directory(tmp_path / "a" / "b").is_dir()


def test_empty_directory_refuses_others(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / ".hidden").write_text(json.dumps(1))
    for taken in (tmp_path / "full", tmp_path / "full" / ".hidden"):
        with pytest.raises(InputError, match="already exists and is not an empty folder"):
            empty_directory(taken)
    with pytest.raises(InputError, match=r"below: cannot be made a folder \(Not a directory\)"):
        empty_directory(tmp_path / "full" / ".hidden" / "below")
