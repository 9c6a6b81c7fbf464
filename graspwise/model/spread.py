"""Weights that do not learn, spread over the processes that train together (FSDP)."""

from torch import nn
from transformers import PreTrainedModel

from graspwise.vlm.adapter import Parts


def spread_blocks(vlm: PreTrainedModel, parts: Parts) -> None:
    """Spread the blocks of tower and language model: each process keeps its share, and fetches a block to run it.

    The parts themselves are not wrapped, since transformers knows what to record of them by the names of their classes.
    Projector, embeddings and all that is added later, such as LoRA, stay whole in every process.

    Args:
        vlm: On the CPU; its blocks go to the processes' devices.
        parts: Its parts.
    """
    import torch
    from torch.distributed import get_world_size
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    place = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    mesh = init_device_mesh(place.type, (get_world_size(),))
    whole = set(parts.projector.parameters())
    for part in (parts.language_model, parts.tower):
        blocks = [
            block
            for found in part.modules()
            if isinstance(found, nn.ModuleList)
            for block in found
            if (own := set(block.parameters())) and not own & whole
        ]
        # A list inside a block is spread with it.
        inside = {id(child) for block in blocks for child in block.modules() if child is not block}
        spread = [block for block in blocks if id(block) not in inside]
        for block in spread:
            fully_shard(block, mesh=mesh, reshard_after_forward=True)
