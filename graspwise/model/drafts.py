"""What a model will probably write next: drafts, which the language model reads at once instead of one by one.

A draft decides nothing (`graspwise.model.decode`); a good one saves the time of as many steps as it has tokens. Answers
are good to draft: reasons are worded as those that a model was taught, and the numbers follow its best grasp.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from transformers import PreTrainedTokenizerBase

from graspwise.answer import GRASP, AnswerFormat, AnswerSchema

# Tokens before the next one that are looked at, the most first.
ORDERS = (4, 3, 2, 1)
# Of the times that these tokens stood together, in how many the next was the same.
SURE = 0.4
# Tokens of a draft of words: what is wrong early is read in vain.
LONGEST = 8
# Stands before the first token of a text.
BEFORE = -1


class Phrases:
    """Which token mostly follows the last few, in texts that a model was taught.

    Args:
        texts: Token ids of the texts.
    """

    def __init__(self, texts: Iterable[Sequence[int]]) -> None:
        counts: dict[tuple[int, ...], Counter[int]] = {}
        for text in texts:
            padded = [BEFORE] * ORDERS[0] + list(text)
            for place in range(ORDERS[0], len(padded)):
                for order in ORDERS:
                    counts.setdefault(tuple(padded[place - order : place]), Counter())[padded[place]] += 1
        commonest = {last: (counter.most_common(1)[0], counter.total()) for last, counter in counts.items()}
        self._next = {last: token for last, ((token, count), total) in commonest.items() if count >= SURE * total}

    def after(self, ids: Sequence[int]) -> list[int]:
        """What mostly follows, as far as that is sure, at most `LONGEST` tokens."""
        known = [BEFORE] * ORDERS[0] + list(ids)
        draft: list[int] = []
        while len(draft) < LONGEST:
            found = (self._next.get(tuple(known[-order:])) for order in ORDERS)
            token = next((token for token in found if token is not None), None)
            if token is None:
                break
            draft.append(token)
            known.append(token)
        return draft


class Tail:
    """The numbers of an answer as a tokenizer writes them, all of fixed width, or the words before the first.

    Args:
        tokenizer: Of the model.
        text: The numbers and the words around them.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, text: str) -> None:
        self._tokenizer, self._text = tokenizer, text

    @classmethod
    def opening(cls, tokenizer: PreTrainedTokenizerBase, schema: AnswerSchema, answer_format: AnswerFormat) -> Self:
        """The words before the first number."""
        return cls(tokenizer, schema.template(answer_format).partition("{")[0])

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase, values: Mapping[str, float], answer_format: AnswerFormat) -> Self:
        """The whole tail of a grasp."""
        return cls(tokenizer, GRASP.render(values, answer_format="bare" if answer_format == "bare" else "prompted"))

    def after(self, begun: str) -> list[int]:
        """The tokens still to come where the tail has begun so, be it with other digits; nothing at its end."""
        whole = begun + self._text[len(begun) :]
        ids: list[int] = self._tokenizer(whole, add_special_tokens=False)["input_ids"]
        texts = (str(self._tokenizer.decode(ids[:place])) for place in range(len(ids)))
        place = next((place for place, text in enumerate(texts) if text == begun), len(ids))
        return ids[place:]
