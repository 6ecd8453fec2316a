# SPDX-License-Identifier: Apache-2.0
"""Which share of the data this process has, among PyTorch's ranks and worker processes."""
from __future__ import annotations

from typing import Any, Optional

try:
    import torch.distributed
    from torch.utils.data import IterableDataset, get_worker_info
except ImportError:
    torch = None  # type: ignore[assignment]
    IterableDataset = object  # type: ignore[assignment,misc]


def checked_rank_and_world(rank: Optional[int], world: Optional[int]) -> tuple[int, int]:
    """Those given; or where neither is, those of torch.distributed where it is in use, or (0, 1)."""
    if rank is None and world is None:
        if (torch is not None and torch.distributed.is_available()
                and torch.distributed.is_initialized()):
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        return 0, 1
    if rank is None or world is None or not 0 <= rank < world:
        raise ValueError(f"rank {rank} of world {world}; both are needed, and rank is below world")
    return rank, world


def worker_and_workers() -> tuple[int, int]:
    """This process among the workers of its DataLoader; (0, 1) in the main process."""
    info = get_worker_info() if torch is not None else None
    return (info.id, info.num_workers) if info is not None else (0, 1)


def shared_number(value: int) -> Any:
    """A number [0] that worker processes see change: DataLoader's persistent_workers keep their
    copy of the dataset."""
    if torch is None:
        return [value]
    return torch.tensor([value], dtype=torch.int64).share_memory_()
