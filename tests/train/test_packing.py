"""Answers packed behind one prompt get the states that they would get alone."""

import numpy as np
import torch

from graspwise.conversation import user_turn
from graspwise.model.load import load_model
from graspwise.train.packing import Row, pack


def test_packed_answers_are_predicted_as_alone(tiny_checkpoint):
    model = load_model(str(tiny_checkpoint))
    model.vlm.float()
    rng = np.random.default_rng(0)
    pictures = model.pixel_values(list(rng.integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)))
    prompts = [model.prompt_ids([user_turn(text)]) for text in ("Pick up the mug.", "Grasp it.")]
    answers = [[5, 6, 7, 2], [8, 9, 2], [6, 6, 6, 6, 2]]
    rows = [Row(prompts[0], [(a, [1.0] * len(a)) for a in answers]), Row(prompts[1], [(answers[1], [1.0] * 3)])]

    def logits(batch, pixel_values):
        with torch.no_grad():
            states = model.vlm.model(
                input_ids=batch.ids, attention_mask=batch.attention, position_ids=batch.positions,
                pixel_values=pixel_values, use_cache=False,
            ).last_hidden_state  # fmt: skip
        return model.vlm.lm_head(states[batch.states[0], batch.states[1]])

    together = logits(pack(rows, padding=2), pictures)
    alone = []
    for index, row in enumerate(rows):
        for answer in row.answers:
            alone.append(logits(pack([Row(row.prompt, [answer])], padding=2), pictures[index : index + 1]))
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-4, rtol=1e-4)


def test_targets_and_weights_are_those_of_the_answers():
    batch = pack([Row([1, 1, 1], [([5, 2], [0.5, 1.0]), ([7, 8, 2], [1.0, 2.0, 1.0])])], padding=0)
    assert batch.targets.tolist() == [5, 2, 7, 8, 2]
    assert batch.weights.tolist() == [0.5, 1.0, 1.0, 2.0, 1.0]
    assert batch.states.tolist() == [[0] * 5, [2, 3, 2, 5, 6]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4, 3, 4, 5]]
