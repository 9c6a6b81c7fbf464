"""Reasoning and instruction templates (RT-Grasp, section IV-A, Fig. 4): their YAML files and check.

A reasoning file maps a grasp category to its texts; an instruction file has two lists, `named` and `unnamed`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import yaml

from graspwise.data.yaml_file import read_yaml, text_list
from graspwise.errors import InputError
from graspwise.files import write_text

SHIPPED = Path(__file__).resolve().parents[1] / "templates"
REASONING = SHIPPED / "reasoning.yaml"
INSTRUCTIONS = SHIPPED / "instructions.yaml"
WORDS = (12, 22)
NEAR_DUPLICATE = 0.92
GRASPING_WORD = re.compile(
    r"\b(grasp\w*|grip\w*|grab\w*|hold\w*|held|pick\w*|pinch\w*|jaws?|close|closes|closing|clamp\w*"
    r"|take|takes|taken|taking|lift\w*)\b",
    re.IGNORECASE,
)
FOREIGN = re.compile(r"[^A-Za-z ,.;'-]")
NUMERIC = re.compile(r"[\d\[\]]")


@dataclass(frozen=True)
class Instructions:
    """What a user may say.

    Attributes:
        named: Texts with the placeholder `{object}`, which the object's name replaces.
        unnamed: Texts that do not name the object.
    """

    named: tuple[str, ...]
    unnamed: tuple[str, ...]


def load_reasoning(path: Path | None = None) -> dict[str, tuple[str, ...]]:
    """Reasoning texts by grasp category, in the file's order.

    Args:
        path: A file like the shipped `reasoning.yaml`, which is read by default.

    Raises:
        InputError: the file is missing, is not YAML or is not a mapping of categories to lists of texts.
    """
    return dict(_shipped_reasoning()) if path is None else _read_reasoning(Path(path))


def load_instructions(path: Path | None = None) -> Instructions:
    """Instruction texts.

    Args:
        path: A file like the shipped `instructions.yaml`, which is read by default.

    Raises:
        InputError: the file is missing, is not YAML, lacks a list, or a text has the wrong placeholder.
    """
    return _shipped_instructions() if path is None else _read_instructions(Path(path))


def check_reasoning(text: str, *, category: str, existing: Sequence[str] = ()) -> str | None:
    """Why a text is no reasoning template of a category, or None where it is one.

    Args:
        text: The text, one line.
        category: Grasp category that it must name.
        existing: Texts that it must differ from, beyond case, punctuation and a few letters.
    """
    if not text.strip():
        return "it is empty"
    if re.search(r"\d", text):
        return "it contains digits; the numbers come in the answer's tail only"
    if not text.isascii():
        return f"it is not plain ASCII: {next(c for c in text if not c.isascii())!r}"
    if foreign := FOREIGN.search(text):
        return f"it contains {foreign.group()!r}; valid are letters, spaces and , . ; ' -"
    words = len(text.split())
    if words < WORDS[0]:
        return f"it is too short with {words} words; valid is {WORDS[0]} to {WORDS[1]}"
    if words > WORDS[1]:
        return f"it is too long with {words} words; valid is {WORDS[0]} to {WORDS[1]}"
    if not (text[0].isupper() and text.endswith(".")):
        return "it is not whole sentences: it must begin with a capital and end in a full stop"
    if not re.search(rf"\b{re.escape(category)}\b", text, re.IGNORECASE):
        return f"it is off-topic: it does not name the {category}"
    if not GRASPING_WORD.search(text):
        return "it is off-topic: it has no word of grasping, such as grasp, grip, hold, pinch or jaws"
    plain = _plain(text)
    for other in existing:
        if plain == _plain(other):
            return f"it is a duplicate of {other!r}"
        if SequenceMatcher(None, plain, _plain(other), autojunk=False).ratio() > NEAR_DUPLICATE:
            return f"it is nearly a duplicate of {other!r}"
    return None


def reasoning_yaml(reasoning: dict[str, Sequence[str]]) -> str:
    """Categories and texts as YAML, one text a line."""
    lists = {category: list(texts) for category, texts in reasoning.items()}
    return yaml.safe_dump(lists, sort_keys=False, allow_unicode=True, width=float("inf"))


def add_reasoning(path: Path, *, category: str, texts: Sequence[str]) -> None:
    """Add texts to a category of a reasoning file, made if need be; its other content and comments stay.

    Raises:
        InputError: the file exists and is not a reasoning file.
    """
    if not path.exists():
        return write_text(path, reasoning_yaml({category: texts}))
    merged: dict[str, Sequence[str]] = {**load_reasoning(path)}
    merged[category] = (*merged.get(category, ()), *texts)
    old = path.read_text(encoding="utf-8")
    new = _inserted(old, category=category, texts=texts)
    # A file in another style, such as [a, b], cannot be added to by lines; then comments are what is lost.
    write_text(path, new if _same(new, merged) else reasoning_yaml(merged))


def _inserted(source: str, *, category: str, texts: Sequence[str]) -> str:
    """A reasoning file's source with lines added below the category's last one, or at the end if new."""
    heading, *lines = reasoning_yaml({category: texts}).splitlines()
    for key, value in _entries(source):
        if key.value == category:
            old = source.splitlines()
            last = value.value[-1].end_mark.line + 1
            lines = [" " * value.start_mark.column + line for line in lines]
            return "\n".join([*old[:last], *lines, *old[last:]]) + "\n"
    return source.rstrip() + "\n\n" + "\n".join([heading, *lines]) + "\n"


def _entries(source: str) -> list[tuple[yaml.Node, yaml.Node]]:
    """Keys and values of the top mapping, with their places."""
    node = yaml.compose(source, Loader=yaml.SafeLoader)
    return node.value if isinstance(node, yaml.MappingNode) else []


def _same(source: str, reasoning: dict[str, Sequence[str]]) -> bool:
    try:
        return bool(yaml.safe_load(source) == {category: list(texts) for category, texts in reasoning.items()})
    except yaml.YAMLError:
        return False


@cache
def _shipped_reasoning() -> dict[str, tuple[str, ...]]:
    return _read_reasoning(REASONING)


@cache
def _shipped_instructions() -> Instructions:
    return _read_instructions(INSTRUCTIONS)


def _read_reasoning(path: Path) -> dict[str, tuple[str, ...]]:
    reasoning = {category: text_list(path, category, value) for category, value in read_yaml(path).items()}
    for category, texts in reasoning.items():
        for text in texts:
            if NUMERIC.search(text):
                raise InputError(f"{path}: {category}: {text!r} is numeric; valid is text without digits and brackets")
    return reasoning


def _read_instructions(path: Path) -> Instructions:
    content = read_yaml(path, sections=("named", "unnamed"))
    named, unnamed = (text_list(path, key, content[key]) for key in ("named", "unnamed"))
    for text in named:
        rest = text.replace("{object}", "")
        if rest == text or "{" in rest or "}" in rest:
            raise InputError(f"{path}: named: {text!r}; valid is a text with {{object}} and no other braces")
    for text in unnamed:
        if "{" in text or "}" in text:
            raise InputError(f"{path}: unnamed: {text!r}; valid is a text without braces")
    return Instructions(named=named, unnamed=unnamed)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
