"""YAML files: what is no mapping of names, or gives a name twice, is refused in one line."""

import re
from pathlib import Path

import pytest

from graspwise.data.yaml_file import read_yaml, text_list
from graspwise.errors import InputError


@pytest.mark.parametrize(
    ("content", "sections", "message"),
    [
        ("- a", None, "found list at the top; valid is a mapping"),
        ("- a", ("a",), "found list at the top; valid are exactly a"),
        ("b: 1", ("a",), "found b at the top; valid are exactly a"),
        ("a: 1\na: 2", None, "a appears 2 times"),
        ("a: {b: 1, b: 2}", None, "b appears 2 times"),
        ("on: [x]", None, "True is no name"),
        ("' ': [x]", None, "' ' is no name"),
        ("a: [", None, "not valid YAML"),
    ],
)
def test_a_file_of_another_form_is_refused(
    content: str, sections: tuple[str, ...] | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_yaml(path, sections=sections)
    assert "\n" not in str(caught.value)


def test_names_keep_their_order_and_lists_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("b: [One., Two.]\na: [3]\n", encoding="utf-8")
    content = read_yaml(path)
    assert list(content) == ["b", "a"] and read_yaml(path, sections=("a", "b")) == content
    assert text_list(path, "b", content["b"]) == ("One.", "Two.")
    for found in (content["a"], [], None, "One.", [""], ["One.\nTwo."]):
        with pytest.raises(InputError, match=re.escape(f"{path}: a: found ")):
            text_list(path, "a", found)
