"""A model's language model as a GGUF file of llama.cpp's layout, weights F16.

Only what small's is: a Llama with a byte-level tokenizer. Of bf16 weights F16 keeps every digit but those below 6e-8.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graspwise.errors import InputError
from graspwise.files import replacing
from graspwise.model.grasp_model import GraspModel

# Names of a layer's weights, as llama.cpp has them.
LAYER = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
OTHERS = "write the export without --format gguf and convert it by llama.cpp's own script"


def write_gguf(path: Path, model: GraspModel, *, name: str) -> None:
    """Write the language model; the tower, the projector and the dense head are not in the file.

    Args:
        path: The file.
        model: The model, its adapter merged.
        name: Its name, for the file's header.

    Raises:
        InputError: the language model is no Llama, or its tokenizer no byte-level one.
    """
    from gguf import GGUFWriter, LlamaFileType

    config = model.vlm.config.text_config
    if config.model_type != "llama":
        raise InputError(f"--format gguf: the language model is a {config.model_type}; valid is a llama; {OTHERS}")
    if config.attention_bias or config.mlp_bias or config.rope_parameters.get("rope_type", "default") != "default":
        raise InputError(f"--format gguf: this llama has biases or scaled positions; valid is a plain one; {OTHERS}")
    vocabulary, pre = byte_level(json.loads(model.tokenizer.backend_tokenizer.to_str()))
    with replacing(path) as temporary:
        writer = GGUFWriter(temporary, "llama")
        writer.add_name(name)
        writer.add_file_type(LlamaFileType.MOSTLY_F16)
        writer.add_context_length(config.max_position_embeddings)
        writer.add_embedding_length(config.hidden_size)
        writer.add_block_count(config.num_hidden_layers)
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count(config.num_attention_heads)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
        writer.add_rope_dimension_count(config.head_dim)
        writer.add_vocab_size(config.vocab_size)
        add_tokenizer(writer, model, vocabulary=vocabulary, pre=pre)
        for key, value in tensors(model):
            writer.add_tensor(key, value)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def byte_level(tokenizer: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The vocabulary of a tokenizer's own JSON, and llama.cpp's name of how it cuts texts.

    Raises:
        InputError: it is another kind.
    """
    model, cut = tokenizer["model"], tokenizer.get("pre_tokenizer") or {}
    steps = [step["type"] for step in cut.get("pretokenizers", [cut]) if "type" in step]
    kinds = {("Digits", "ByteLevel"): "smollm", ("ByteLevel",): "gpt-2"}
    if model["type"] != "BPE" or tuple(steps) not in kinds:
        found = f"{model['type']} with {', '.join(steps) or 'no cuts'}"
        raise InputError(
            f"--format gguf: the tokenizer is {found}; valid is a byte-level BPE such as small's; {OTHERS}"
        )
    return model, kinds[tuple(steps)]


def add_tokenizer(writer: Any, model: GraspModel, *, vocabulary: dict[str, Any], pre: str) -> None:
    """Tokens, their kinds, merges and the ids with a meaning."""
    from gguf import TokenType

    config, tokenizer = model.vlm.config.text_config, model.tokenizer
    by_id = {index: token for token, index in vocabulary["vocab"].items()}
    added = tokenizer.added_tokens_decoder
    tokens, kinds = [], []
    for index in range(config.vocab_size):
        if index in added:
            tokens.append(added[index].content)
            kinds.append(TokenType.CONTROL if added[index].special else TokenType.USER_DEFINED)
        else:
            tokens.append(by_id.get(index, f"[UNUSED{index}]"))
            kinds.append(TokenType.NORMAL if index in by_id else TokenType.UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    # Older tokenizer files have a merge as one text.
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in vocabulary["merges"]])
    writer.add_eos_token_id(model.end_of_turn)
    for add, index in (
        (writer.add_bos_token_id, tokenizer.bos_token_id),
        (writer.add_pad_token_id, tokenizer.pad_token_id),
    ):
        if index is not None:
            add(index)
    writer.add_add_bos_token(False)
    if isinstance(tokenizer.chat_template, str):
        writer.add_chat_template(tokenizer.chat_template)


def tensors(model: GraspModel) -> list[tuple[str, np.ndarray]]:
    """Names and values as llama.cpp has them: matrices F16, norms F32."""
    config = model.vlm.config.text_config
    language: Any = model.family.parts(model.vlm).language_model
    found = [
        ("token_embd.weight", half(language.embed_tokens.weight)),
        ("output_norm.weight", full(language.norm.weight)),
    ]
    output = model.vlm.get_output_embeddings().weight
    if output.data_ptr() != language.embed_tokens.weight.data_ptr():
        found.append(("output.weight", half(output)))
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for index, layer in enumerate(language.layers):
        for ours, theirs in LAYER.items():
            weight = layer.get_submodule(ours).weight
            if theirs in heads:
                weight = turned(weight, heads=heads[theirs])
            found.append((f"blk.{index}.{theirs}.weight", full(weight) if weight.ndim == 1 else half(weight)))
    return found


def turned(weight: Tensor, *, heads: int) -> Tensor:
    """Rows of queries or keys in llama.cpp's order: it turns neighbours, transformers the two halves of a head."""
    return weight.unflatten(0, (heads, 2, -1)).transpose(1, 2).flatten(0, 2)


def half(weight: Tensor) -> np.ndarray:
    return np.ascontiguousarray(weight.detach().to("cpu", torch.float16).numpy())


def full(weight: Tensor) -> np.ndarray:
    return np.ascontiguousarray(weight.detach().to("cpu", torch.float32).numpy())
