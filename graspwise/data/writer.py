"""Write new reasoning templates with a language model (RT-Grasp, section IV-A): draft, refine, check.

The paper prompts GPT-3.5 for drafts, has it remove redundant or irrelevant sentences, then verifies by hand.
Here any OpenAI-compatible endpoint drafts and refines, `check_reasoning` checks, and the model verifies.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from graspwise.chat import Endpoint, exchange, open_client
from graspwise.data.templates import WORDS, check_reasoning
from graspwise.errors import InputError

ROUNDS = 3
MOST_TEXTS = 50

RULES = (
    "Each text says what the object is, its shape, and where and how a gripper with two parallel "
    f"jaws, seen from above, grasps it safely. Each has {WORDS[0]} to {WORDS[1]} words in one or two "
    "sentences, names the object, uses plain ASCII letters and no digits, brackets, colons or "
    "quotation marks, and ends in a full stop. Vary the sentences. For example, of a cup: The object "
    "is a cup, a hollow cylinder. Grasp its rim from the top, jaws square to the edge."
)
DRAFT = (
    "Write {count} different texts about grasping the object: {category}. {rules} One text a line, nothing else.{avoid}"
)
REFINE = (
    "These are draft texts about grasping the object: {category}. Remove redundant or irrelevant "
    "sentences and correct what breaks the rules. {rules} Give the refined texts, one a line, nothing "
    "else.\n\n{texts}"
)
VERIFY = (
    "Each numbered text describes the object: {category}. Is it true of nearly every such object, and "
    "is the grasp sensible and safe? Answer one line a text, its number and yes, or its number, no, "
    "and the reason.\n\n{texts}"
)


@dataclass(frozen=True)
class Rejected:
    text: str
    reason: str


@dataclass(frozen=True)
class WriterResult:
    """New texts of one category: those that passed every check, and the others with why they did not."""

    accepted: tuple[str, ...]
    rejected: tuple[Rejected, ...]


def check_category(category: str) -> str:
    """The category's name in lower case with its white space folded.

    Raises:
        InputError: it is not a short name of letters.
    """
    name = " ".join(category.lower().split())
    if not re.fullmatch(r"[a-z]+([ -][a-z]+)*", name) or len(name) > 40:
        raise InputError(f"category {category!r:.60}: valid is a name of letters, such as mug or light bulb, up to 40")
    return name


def write_templates(category: str, *, count: int, endpoint: Endpoint, existing: Sequence[str] = ()) -> WriterResult:
    """Ask a model for `count` new reasoning texts of a category, in at most three rounds of draft and check.

    Args:
        category: Grasp category, e.g. "mug".
        count: How many are wanted, 1 to 50; fewer come back where the model does not manage.
        endpoint: Where the model answers.
        existing: Texts the new ones must differ from.

    Raises:
        InputError: the category or count is not valid, or the endpoint does not answer as it should.
    """
    name = check_category(category)
    if not 1 <= count <= MOST_TEXTS:
        raise InputError(f"count {count}: valid is 1 to {MOST_TEXTS}")
    accepted: list[str] = []
    rejected: list[Rejected] = []
    for _ in range(ROUNDS):
        candidates = _refined_drafts(
            name,
            count=count - len(accepted),
            endpoint=endpoint,
            avoid=[*existing, *accepted],
            rejected=rejected,
        )
        passed: list[str] = []
        for text in candidates:
            reason = check_reasoning(text, category=name, existing=[*existing, *accepted, *passed])
            if reason is None:
                passed.append(text)
            else:
                rejected.append(Rejected(text, reason))
        for text, reason in _verdicts(passed, category=name, endpoint=endpoint):
            if reason is not None:
                rejected.append(Rejected(text, reason))
            elif len(accepted) < count:
                accepted.append(text)
        if len(accepted) == count:
            break
    return WriterResult(tuple(accepted), tuple(rejected))


def _refined_drafts(
    category: str, *, count: int, endpoint: Endpoint, avoid: Sequence[str], rejected: Sequence[Rejected]
) -> list[str]:
    parts = []
    if avoid:
        parts.append("They must differ from these:\n" + "\n".join(avoid))
    if rejected:
        reasons = [f"{item.text} ({item.reason})" for item in rejected[-5:]]
        parts.append("These were rejected:\n" + "\n".join(reasons))
    extra = "".join("\n\n" + part for part in parts)
    drafts = read_lines(chat(endpoint, DRAFT.format(count=count, category=category, rules=RULES, avoid=extra)))
    if not drafts:
        return []
    return read_lines(chat(endpoint, REFINE.format(category=category, rules=RULES, texts="\n".join(drafts))))


def _verdicts(texts: Sequence[str], *, category: str, endpoint: Endpoint) -> list[tuple[str, str | None]]:
    """Each text with the model's reason against it, None where the model holds it to be true."""
    if not texts:
        return []
    numbered = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
    answer = _without_thoughts(chat(endpoint, VERIFY.format(category=category, texts=numbered)))
    found: dict[int, str | None] = {}
    for line in answer.splitlines():
        if match := re.match(r"\W*(\d+)\W+(yes|no)\b\W*(.*)", line, re.IGNORECASE):
            reason = match[3].strip() or "no reason given"
            found[int(match[1])] = None if match[2].lower() == "yes" else f"the model holds it to be wrong: {reason}"
    return [(text, found.get(number, "the model gave no verdict on it")) for number, text in enumerate(texts, 1)]


def read_lines(answer: str) -> list[str]:
    """The texts of an answer, one a line, without bullets, numbers, quotation marks and code fences."""
    texts: list[str] = []
    for line in _without_thoughts(answer).splitlines():
        text = re.sub(r"\s*[\u2013\u2014]\s*", ", ", line.replace("\u2019", "'"))
        text = re.sub(r"[*_`#]", "", re.sub(r"^\s*[-*+\u2022\u00b7]\s+", "", text))
        text = re.sub(r"^\s*[-\u2022]?\s*\(?\d{1,3}[.):]\s*", "", text).strip()
        text = text.strip('"\u201c\u201d, \t')
        if len(re.findall(r"[A-Za-z]+", text)) > 1 and not text.endswith(":") and text not in texts:
            texts.append(text)
    return texts


def _without_thoughts(answer: str) -> str:
    return re.sub(r"^.*</think>", "", answer, flags=re.DOTALL)


def chat(endpoint: Endpoint, prompt: str) -> str:
    """One user turn's answer.

    Raises:
        InputError: one line on what failed and what to set.
    """
    body = {"model": endpoint.model, "messages": [{"role": "user", "content": prompt}]}
    with open_client(endpoint) as client:
        answer = exchange(client, endpoint, endpoint.url, body=body)
    if not isinstance(answer, dict) or not answer.get("choices"):
        raise InputError(f"{endpoint.url}: the answer holds no choices; valid is OpenAI's chat completion")
    try:
        content = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise InputError(
            f"{endpoint.url}: the answer has no choices[0].message.content; valid is OpenAI's chat completion"
        ) from error
    if not isinstance(content, str) or not content.strip():
        raise InputError(f"{endpoint.url}: model {endpoint.model} answered with no text")
    return content
