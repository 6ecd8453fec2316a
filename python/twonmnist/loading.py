# SPDX-License-Identifier: Apache-2.0
"""Ready batches in a reproducible order, fetched ahead, to be resumed anywhere."""
from __future__ import annotations

import warnings
from typing import Any, Callable, Optional, Union

from . import batches
from .checks import one_of, whole
from .datasets import Pairs, Split
from .devices import Device
from .forms import AXES, DeviceForm, EventsForm, FramesForm, PackedForm, SparseForm
from .frames import Rule, checked_rule, lava
from .iterating import LAST, Loader, tqdm
from .workers import Ranks, checked_ranks, of_subset

_LAVA = ("timestep", "bins", "binning", "overlap")
_DENSE_DEFAULTS = {"dtype": "float32", "axes": "TBCHW"}
_FORMS = ("frames", "sparse", "events", "packed")


def _rule(frames: Any, dataset: Any, given: dict[str, Any]) -> Rule:
    """The one that is given; or that of lava-dl's arguments; or the dataset's own; or lava-dl's."""
    lava_given = {name: given[name] for name in _LAVA if name in given}
    if frames is not None:
        if lava_given:
            raise ValueError(f"{', '.join(lava_given)} and frames={frames!r}: the rule says all of "
                             "it")
        return checked_rule(frames)
    if dataset.frames is not None and not lava_given:
        return dataset.frames
    return lava(**lava_given)


def _form(form: str, dataset: Any, frames: Any, device: Any,
          more: dict[str, Any]) -> tuple[Any, Optional[Device]]:
    """What is made of batches, and the device on which it is."""
    given = {name: value for name, value in more.items() if value is not None}
    one_of("form", form, _FORMS)
    if form in ("events", "packed"):
        if frames is not None:
            given["frames"] = frames
        if given:
            raise ValueError(f"form {form!r} has no {', '.join(given)}: that is of frames")
        if device is not None:
            raise ValueError(f"form {form!r} and device {device!r}: frames are made there")
        return (EventsForm() if form == "events" else PackedForm()), None
    dense = {name: given[name] for name in _DENSE_DEFAULTS if name in given}
    rule = _rule(frames, dataset, given)
    if form == "frames" and device is None:
        return FramesForm(dataset.geometry, rule, **{**_DENSE_DEFAULTS, **dense}), None
    if form == "frames":
        words = {**_DENSE_DEFAULTS, **dense}
        one_of("axes", words["axes"], AXES)
        return DeviceForm(dataset.geometry, rule), Device(device, sets=rule.sets, **words)
    if dense or device is not None:
        raise ValueError(f"form {form!r} has no {', '.join(dense or ['device'])}: that is of dense "
                         "frames")
    return SparseForm(dataset.geometry, rule), None


def _check_transforms(dataset: Union[Split, Pairs]) -> None:
    for name in ("transform", "target_transform", "transforms"):
        if getattr(dataset, name) is not None:
            raise ValueError(
                f"the dataset has a {name}, which works on single samples, and a loader has whole "
                "batches: give loader() a batch_transform=, a function of (inputs, labels), or use "
                "DataLoader(dataset, collate_fn=twonmnist.collate)")


def _checked_last(last: Optional[str], batch_size: int, world: int, is_pairs: bool) -> str:
    """The rule for the last batch; what ranks of unequal shares would make of it is said."""
    if is_pairs and last is not None:
        raise ValueError(f"last {last!r}; pairs have no last batch")
    last = last or ("drop" if world > 1 else "short")
    one_of("last", last, LAST)
    if batch_size < world:
        raise ValueError(f"batch_size {batch_size} for {world} ranks: it is that of all together, "
                         "and each needs a sample")
    if batch_size % world:
        below = batch_size // world * world
        text = (f"batch_size {batch_size} for {world} ranks: some would have a sample more than "
                f"others in every batch; {below} or {below + world} is the same for all")
        if is_pairs or last != "short":
            raise ValueError(text)
        warnings.warn(text, stacklevel=3)
    return last


def _ranks(dataset: Union[Split, Pairs], rank: Optional[int], world: Optional[int]) -> Ranks:
    if not isinstance(dataset, Pairs):
        return checked_ranks(rank, world)
    if rank is None and world is None:
        return dataset.ranks
    ranks = checked_ranks(rank, world)
    if dataset.ranks.is_given and ranks != dataset.ranks:
        raise ValueError(f"rank {rank} of world {world}; the Pairs are rank {dataset.rank} of "
                         f"{dataset.world}")
    return ranks


def _checked_seed(dataset: Union[Split, Pairs], seed: Optional[int], epoch: int,
                  steps_per_epoch: Optional[int], shuffle: Optional[bool]) -> int:
    if not isinstance(dataset, Pairs):
        if steps_per_epoch is not None:
            raise ValueError(f"steps_per_epoch is of Pairs; {dataset.name} has an end")
        if seed is not None and shuffle is False:
            raise ValueError(f"seed {seed}; with shuffle=False there is nothing to draw")
        return whole("seed", 0 if seed is None else seed, 0, 2**32 - 1)
    if seed is not None:
        raise ValueError(f"seed {seed}; Pairs have a seed of their own")
    if shuffle is not None:
        raise ValueError(f"shuffle {shuffle}; fresh pairs come in the order of their numbers")
    if steps_per_epoch is None and epoch:
        raise ValueError(f"epoch {epoch}; Pairs have epochs with steps_per_epoch= alone")
    return dataset.seed


def _checked_labels(dataset: Union[Split, Pairs], labels: Optional[str]) -> str:
    return dataset.label_kind if labels is None else dataset.checked_labels(labels)


def loader(dataset: Union[Split, Pairs], batch_size: int = 32, *, form: str = "frames",
           frames: Optional[Rule] = None, dtype: Optional[str] = None, axes: Optional[str] = None, timestep: Optional[int] = None,
           bins: Optional[int] = None, binning: Optional[str] = None,
           overlap: Optional[str] = None, labels: Optional[str] = None,
           with_indices: bool = False, shuffle: Optional[bool] = None,
           seed: Optional[int] = None, epoch: int = 0,
           rank: Optional[int] = None, world: Optional[int] = None, last: Optional[str] = None,
           steps_per_epoch: Optional[int] = None, batch_transform: Optional[Callable] = None,
           device: Any = None, depth: int = 4, tensors: Optional[bool] = None, progress: bool = False) -> Loader:
    """Iterate over a Split in the order that (seed, epoch) gives, or over fresh Pairs, in batches.

    Batch k of an epoch holds numpy.random.RandomState([seed, epoch]).permutation(n)[k * batch_size:
    (k + 1) * batch_size] of the n samples of the split, or of its part; with shuffle=False it holds
    the samples k * batch_size … in stored order, in every epoch. Rank r of `world` takes every
    world-th of a batch, beginning with r. PyTorch's Subset of a Split is taken, too.

    form: "frames", dense; "sparse", a SparseFrames, the same without its zeros; "events", an Events
    of columns; "packed", a PackedEvents.
    labels: "multihot", float32 [B, labels], for BCEWithLogitsLoss; or "index", int64 [B], for
    CrossEntropyLoss, of source splits alone; by default those of the dataset. with_indices: give a
    Batch of (inputs, labels, indices, sources) instead of (inputs, labels). batch_transform: a
    function of these, whose result is given instead; a dataset's own transforms are of single
    samples, and refused.

    For frames (an error for the others): frames, a rule of twonmnist.frames, by default that of the
    dataset, or else frames.lava(), of which timestep (1000), bins (300), binning and overlap may be
    given here. Dense ones have dtype "float32" (the default), "uint8" (a quarter of the memory;
    counts stop at 255) or "uint16", of a voxel grid "float32" or "float64"; and axes "TBCHW" [T, B,
    C, H, W] (the default), "BTCHW" [B, T, C, H, W] or "CHWT" [B, C, H, W, T]; channel 1 is ON. By a
    rule that gives each sample its own number of frames inputs are Frames(frames, n_frames), filled
    up to the longest. Servers elsewhere send the places that are set,
    where that is less than the events (option wire of the dataset).

    batch_size: of all ranks together; each gets its share of it, so that it has to be a multiple of
    world (with last "short" it may be another, with a warning). seed: 0 to 2^32 - 1, of the epochs'
    order; Pairs have their own. rank, world: by default those of torch.distributed where it is in
    use, or of RANK and WORLD_SIZE in the environment; of Pairs, theirs. last: the last batch of an
    epoch is "short" (the default; with several ranks possibly empty), or is dropped ("drop", the
    default of several ranks), or filled up from the epoch's beginning ("pad").

    steps_per_epoch: of Pairs: epoch e is steps_per_epoch batches from number e * steps_per_epoch of
    the endless set on (counted from the Pairs' start), so that the loader has a length and
    set_epoch(). Without it they have no end, and each iteration goes on where the one before was.

    device: where tensors are to be, "cuda" for one. Frames are made there, of the places that are
    set in them, which are a hundredth of what dense ones would be to move; the next batch is on its
    way while this one is used. dtype may be "float16" or "bfloat16", too (and no "uint16"); values
    are those of a loader without device. In the main process alone, without worker processes.

    depth: batches that are fetched ahead, as they are stored. One is decoded ahead, and none while
    two are in use: frames take the memory of two batches, in the default form 355 MB for batches
    of 64, unless the loop keeps more of them. tensors: whether to give tensors rather than arrays;
    by default where PyTorch is installed. progress: show a bar; needs tqdm.

    Arrays and tensors share the library's memory, which is used again when the last of them is
    gone; they may be written to.
    """
    if tensors and batches.torch is None:
        raise ImportError("tensors=True needs PyTorch")
    if progress and tqdm is None:
        raise ImportError("progress=True needs tqdm")
    dataset = of_subset(dataset)
    _check_transforms(dataset)
    if tensors is False and device is not None:
        raise ValueError(f"device {device!r} and tensors=False: what is there is a tensor")
    made, on_device = _form(form, dataset, frames, device,
                            {"dtype": dtype, "axes": axes, "timestep": timestep, "bins": bins,
                             "binning": binning, "overlap": overlap})
    ranks = _ranks(dataset, rank, world)
    batch_size = whole("batch_size", batch_size, 1, 2**64 - 1)
    last = _checked_last(last, batch_size, ranks.world, isinstance(dataset, Pairs))
    seed = _checked_seed(dataset, seed, epoch, steps_per_epoch, shuffle)
    epoch, depth = whole("epoch", epoch, 0, 2**32 - 1), whole("depth", depth, 1, 1024)
    if steps_per_epoch is not None:
        steps_per_epoch = whole("steps_per_epoch", steps_per_epoch, 1, 2**32 - 1)
    made_loader = Loader(dataset, made, batch_size, seed, epoch, ranks, last, depth,
                         batches.torch is not None if tensors is None else tensors, progress,
                         steps_per_epoch, batch_transform, _checked_labels(dataset, labels),
                         with_indices, shuffle is not False, on_device)
    if not made_loader.is_endless and len(made_loader) == 0:
        raise ValueError(f"batch_size {batch_size} of {dataset.n_samples} samples: with last "
                         "'drop' no batch is left")
    return made_loader
