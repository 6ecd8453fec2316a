# SPDX-License-Identifier: Apache-2.0
"""libtwonmnist through ctypes: scalars, pointers and lengths alone, as twonmnist.h has them."""
from __future__ import annotations

import ctypes
import errno
import functools
import itertools
import logging
import operator
import threading
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, Iterator

from . import _find

_handle_out = POINTER(c_void_p)
_size_out = POINTER(c_size_t)
_u32s, _u64s = POINTER(c_uint32), POINTER(c_uint64)
_progress = ctypes.CFUNCTYPE(c_int)  # the callback's arguments are of no use here
_message = ctypes.CFUNCTYPE(None, c_size_t, c_char_p)

# Function -> what it returns, what it takes.
_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "tnm_version": (c_char_p, []),
    "tnm_last_error": (c_char_p, []),
    "tnm_options_new": (c_int, [_handle_out]),
    "tnm_options_free": (None, [c_void_p]),
    "tnm_options_set": (c_int, [c_void_p, c_char_p, c_char_p]),
    "tnm_open": (c_int, [POINTER(c_char_p), c_size_t, c_void_p, _handle_out]),
    "tnm_close": (None, [c_void_p]),
    "tnm_set_progress": (c_int, [c_void_p, _progress, c_void_p]),
    "tnm_set_message": (c_int, [c_void_p, _message, c_void_p]),
    "tnm_catalog_json": (c_int, [c_void_p, _handle_out]),
    "tnm_free": (None, [c_void_p]),
    "tnm_pull": (c_int, [c_void_p, c_char_p, c_char_p, ctypes.c_uint, c_void_p, c_size_t]),
    "tnm_split_open": (c_int, [c_void_p, c_char_p, _handle_out]),
    "tnm_split_close": (None, [c_void_p]),
    "tnm_split_name": (c_char_p, [c_void_p]),
    "tnm_split_revision": (c_char_p, [c_void_p]),
    "tnm_split_json": (c_char_p, [c_void_p]),
    "tnm_split_n_samples": (c_uint64, [c_void_p]),
    "tnm_split_is_source": (c_int, [c_void_p]),
    "tnm_split_geometry": (None, [c_void_p, _u32s]),
    "tnm_split_labels": (c_int, [c_void_p, c_void_p, c_size_t]),
    "tnm_split_set_form": (c_int, [c_void_p, c_int, c_uint32]),
    "tnm_split_set_filters": (c_int, [c_void_p, c_void_p]),
    "tnm_rule_new": (c_int, [_handle_out]),
    "tnm_rule_free": (None, [c_void_p]),
    "tnm_rule_set": (c_int, [c_void_p, c_char_p, c_char_p]),
    "tnm_rule_query": (c_int, [c_void_p, _handle_out]),
    "tnm_view_open": (c_int, [c_void_p, c_char_p, _handle_out]),
    "tnm_view_close": (None, [c_void_p]),
    "tnm_view_words": (c_char_p, [c_void_p]),
    "tnm_view_n_samples": (c_uint64, [c_void_p]),
    "tnm_view_positions": (c_void_p, [c_void_p]),
    "tnm_samples": (c_int, [c_void_p, POINTER(c_uint64), c_size_t, _handle_out]),
    "tnm_pair": (c_int, [c_void_p, c_uint64, c_uint64, _handle_out]),
    "tnm_batch_free": (None, [c_void_p]),
    "tnm_batch_n_samples": (c_uint64, [c_void_p]),
    "tnm_batch_n_events": (c_uint64, [c_void_p]),
    "tnm_batch_n_labels": (c_uint32, [c_void_p]),
    "tnm_batch_events": (c_void_p, [c_void_p]),
    "tnm_batch_offsets": (c_void_p, [c_void_p]),
    "tnm_batch_labels": (c_void_p, [c_void_p]),
    "tnm_batch_indices": (c_void_p, [c_void_p]),
    "tnm_batch_sources": (c_void_p, [c_void_p]),
    "tnm_batch_decoded": (c_void_p, [c_void_p, _size_out]),
    "tnm_batch_n_frames": (c_void_p, [c_void_p, _u32s]),
    "tnm_batch_counts": (c_void_p, [c_void_p]),
    "tnm_batch_places": (c_void_p, [c_void_p, _u64s]),
    "tnm_batch_of_events": (c_int, [_u32s, c_void_p, _u64s, c_size_t, _handle_out]),
    "tnm_decoder_columns": (c_int, [_handle_out]),
    "tnm_decoder_structured": (c_int, [c_uint32, _u32s, _u32s, _handle_out]),
    "tnm_decoder_rule": (c_int, [_u32s, c_void_p, c_int, c_int, _handle_out]),
    "tnm_decoder_sparse": (c_int, [_u32s, c_void_p, _handle_out]),
    "tnm_decoder_free": (None, [c_void_p]),
    "tnm_decoder_size": (c_size_t, [c_void_p, c_uint64, c_uint64]),
    "tnm_decoder_measure": (c_int, [c_void_p, c_void_p, _size_out, _u32s, c_void_p]),
    "tnm_decode": (c_int, [c_void_p, c_void_p, c_void_p, c_size_t]),
    "tnm_part_open": (c_int, [c_void_p, _u64s, c_size_t, c_int, c_uint32, c_uint32, c_uint64,
                              c_uint32, c_uint32, c_int, ctypes.c_uint, _handle_out]),
    "tnm_view_epoch_open": (c_int, [c_void_p, c_uint32, c_uint32, c_uint64, c_uint32, c_uint32,
                                    c_int, ctypes.c_uint, _handle_out]),
    "tnm_pairs_open": (c_int, [c_void_p, c_uint64, c_uint64, c_uint64, c_uint32, c_uint32,
                               ctypes.c_uint, _handle_out]),
    "tnm_stream_close": (None, [c_void_p]),
    "tnm_stream_stats": (c_int, [c_void_p, c_void_p, c_size_t]),
    "tnm_stream_next": (c_int, [c_void_p, _handle_out]),
    "tnm_stream_tell": (c_int, [c_void_p, c_char_p, c_size_t]),
    "tnm_stream_seek": (c_int, [c_void_p, c_char_p]),
    "tnm_stream_stride": (c_int, [c_void_p, c_uint64, c_uint64]),
    "tnm_stream_seed": (c_uint64, [c_void_p]),
    "tnm_stream_epoch": (c_uint32, [c_void_p]),
    "tnm_stream_position": (c_uint64, [c_void_p]),
    "tnm_stream_set_epoch": (c_int, [c_void_p, c_uint32]),
    "tnm_stream_set_decoder": (c_int, [c_void_p, c_void_p]),
}

CURSOR_SIZE = 512
SIZE_MAX = c_size_t(-1).value


_library = _find.load()
for _name, (_restype, _argtypes) in _PROTOTYPES.items():
    try:
        _function = getattr(_library, _name)
    except AttributeError:
        raise ImportError(f"{_library._name} is of another version: it has no {_name}") from None
    _function.restype, _function.argtypes = _restype, _argtypes


def library_version() -> str:
    """Version of the C library, "major.minor.patch"."""
    return _library.tnm_version().decode()


_logger = logging.getLogger("twonmnist")

# What calls that wait have to say, and no thread has passed on yet. As with _on_waiting, no Python
# code may run in the callback: it is list.insert(0, text), so that `user` has to be 0.
_said: list[bytes] = []
_on_message = _message(_said.insert)


def _log() -> None:
    while _said:
        try:
            text = _said.pop()
        except IndexError:  # another thread was quicker
            return
        _logger.warning("%s", text.decode(errors="replace"))


def _watch(raised: list[BaseException]) -> Iterator[int]:
    """1 after a signal's handler has raised something (as Ctrl-C does), which `raised` then holds;
    else 0. What the library has to say is logged here.

    The C library asks ten times a second while a call waits. Handlers of signals run when the
    generator goes on, which is inside the `try`: in a plain function they would run before it, and
    what they raise would be lost.
    """
    stop = 0
    while True:
        try:
            while True:
                yield stop
                stop = 0
                _log()
        except GeneratorExit:
            return
        except BaseException as error:  # whatever it is, it goes on in call()
            raised.append(error)
            stop = 1


class _Waiting(threading.local):
    """What is asked in a thread whose call waits: a watch of that call's own. A handler may call
    the library itself, and other threads wait meanwhile."""

    ask = itertools.repeat(0).__next__


_waiting = _Waiting()
# No Python code of its own, before which handlers could run.
_on_waiting = _progress(functools.partial(operator.methodcaller("ask"), _waiting))


# Largest number that an argument holds; ctypes itself would cut a larger one down to it.
_LARGEST = {c_uint32: 2**32 - 1, c_uint64: 2**64 - 1, ctypes.c_uint: 2**32 - 1}


# What the caller knows the arguments as.
_NAMES = {
    "tnm_split_set_form": ("", "order", "timestep"),
    "tnm_pair": ("", "seed", "index"),
    "tnm_part_open": ("", "", "", "", "seed", "epoch", "batch_size", "rank", "world", "", "depth"),
    "tnm_view_epoch_open": ("", "seed", "epoch", "batch_size", "rank", "world", "", "depth"),
    "tnm_pairs_open": ("", "seed", "start", "batch_size", "rank", "world", "depth"),
    "tnm_stream_stride": ("", "batches", "workers"),
    "tnm_stream_set_epoch": ("", "epoch"),
}


def _check_numbers(name: str, arguments: tuple[Any, ...]) -> None:
    for i, (argument, kind) in enumerate(zip(arguments, _PROTOTYPES[name][1])):
        if kind in _LARGEST and not 0 <= argument <= _LARGEST[kind]:
            raise ValueError(f"{_NAMES[name][i]} {argument}; it has to be 0 to {_LARGEST[kind]}")


def _waited(function: Callable[..., int], arguments: tuple[Any, ...]) -> int:
    """Call a function that may wait, and raise what a signal's handler raised meanwhile."""
    raised: list[BaseException] = []
    watch, outer = _watch(raised), _waiting.ask
    next(watch)
    _waiting.ask = watch.__next__  # type: ignore[method-assign]
    try:
        result = function(*arguments)
    finally:
        _waiting.ask = outer  # type: ignore[method-assign]
    _log()
    if raised:
        raise raised[0]
    return result


def call(name: str, *arguments: Any) -> int:
    """Call a function that returns a negative errno where it fails, and raise that.

    Errors: see the package's docstring.
    """
    _check_numbers(name, arguments)
    result = _waited(getattr(_library, name), arguments)
    if result >= 0:
        return result
    text = _library.tnm_last_error().decode(errors="replace")
    if result == -errno.EINVAL:
        raise ValueError(text)
    if result == -errno.ENOMEM:
        raise MemoryError(text)
    raise OSError(-result, text)


class Handle:
    """An object of the library's, let go of when nothing refers to it any more.

    `parents` are kept alive with it. In a forked child letting go does nothing.
    """

    def __init__(self, pointer: int | None, free: Callable[[Any], None], *parents: Any) -> None:
        self.pointer, self._free, self._parents = pointer, free, parents

    def __del__(self) -> None:
        self._free(self.pointer)

    def keep(self, other: Handle) -> None:
        """Keep another object alive with this one."""
        self._parents += (other,)

    def get(self, name: str, *more: Any) -> Any:
        """What a function that cannot fail says of this object."""
        return getattr(_library, name)(self.pointer, *more)


def make(name: str, free: str, *arguments: Any, parents: tuple[Any, ...] = ()) -> Handle:
    """Call a function that hands over an object; `free` names the one that takes it back."""
    made = c_void_p()
    call(name, *arguments, ctypes.byref(made))
    return Handle(made.value, getattr(_library, free), *parents)


def open_client(urls: tuple[str, ...], options: dict[str, str]) -> Handle:
    """A client of these servers, which can be interrupted by signals while it waits."""
    set_options = make("tnm_options_new", "tnm_options_free")
    for option, value in options.items():
        call("tnm_options_set", set_options.pointer, option.encode(), value.encode())
    texts = (c_char_p * len(urls))(*(url.encode() for url in urls))
    client = make("tnm_open", "tnm_close", texts, len(urls), set_options.pointer)
    call("tnm_set_progress", client.pointer, _on_waiting, None)
    call("tnm_set_message", client.pointer, _on_message, None)
    return client


def catalog(client: Handle) -> str:
    """What the server says of all its splits, as JSON text."""
    text = make("tnm_catalog_json", "tnm_free", client.pointer)
    value = ctypes.cast(text.pointer, c_char_p).value
    return value.decode(errors="replace")  # type: ignore[union-attr]


def geometry(split: Handle) -> tuple[int, int, int]:
    """Width and height of the split's sensor in pixels, and how many labels a sample has."""
    numbers = (c_uint32 * 3)()
    split.get("tnm_split_geometry", numbers)
    return numbers[0], numbers[1], numbers[2]


def u32s(numbers: tuple[int, ...]) -> Any:
    """An array of C's."""
    return (c_uint32 * len(numbers))(*numbers)


def rule_query(rule: Handle) -> str:
    """The rule as a query."""
    text = make("tnm_rule_query", "tnm_free", rule.pointer)
    return ctypes.cast(text.pointer, c_char_p).value.decode()  # type: ignore[union-attr]


def batch_of_events(geometry: tuple[int, int, int], packed: Any) -> Handle:
    """A batch of one sample, of these packed events (an array)."""
    ends = (c_uint64 * 2)(0, len(packed))
    return make("tnm_batch_of_events", "tnm_batch_free", u32s(geometry), packed.ctypes.data, ends, 1)


def measure(decoder: Handle, batch: Handle) -> tuple[int, int, list[int]]:
    """Bytes that the batch becomes, frames of its longest sample, and of each."""
    size, longest = c_size_t(), c_uint32()
    n_frames = (ctypes.c_int32 * batch.get("tnm_batch_n_samples"))()
    call("tnm_decoder_measure", decoder.pointer, batch.pointer, ctypes.byref(size),
         ctypes.byref(longest), ctypes.addressof(n_frames))
    return size.value, longest.value, list(n_frames)


def n_frames(batch: Handle) -> tuple[int | None, int]:
    """Address of the numbers of frames of the batch's samples, and the largest."""
    longest = c_uint32()
    return batch.get("tnm_batch_n_frames", ctypes.byref(longest)), longest.value


def places(batch: Handle) -> tuple[int | None, int]:
    """Address and number of the places of a sparse batch."""
    n_places = c_uint64()
    return batch.get("tnm_batch_places", ctypes.byref(n_places)), n_places.value


def open_part(split: Handle, indices: Any, *more: Any) -> Handle:
    """A stream over the samples at these positions (an array), or for None over all; `more` as of
    tnm_part_open()."""
    places = None if indices is None else indices.astype("u8")
    return make("tnm_part_open", "tnm_stream_close", split.pointer,
                None if places is None else places.ctypes.data_as(_u64s),
                0 if places is None else len(places), *more)


# Fields of tnm_stats.
STATS = ("batches", "samples", "waited_us", "waited_network_us", "consumer_us", "network_us",
         "decoding_us", "bytes", "requests", "retries", "hedges", "failures")


def stats(stream: Handle) -> dict[str, int]:
    """What the stream has done since it was opened."""
    numbers = (c_uint64 * len(STATS))()
    call("tnm_stream_stats", stream.pointer, numbers, ctypes.sizeof(numbers))
    return dict(zip(STATS, numbers))


def next_batch(stream: Handle) -> Handle | None:
    """The stream's next batch; None at the end."""
    made = c_void_p()
    if call("tnm_stream_next", stream.pointer, ctypes.byref(made)) == 0:
        return None
    return Handle(made.value, _library.tnm_batch_free)


def decoded(batch: Handle) -> tuple[int | None, int]:
    """Address and bytes of what the stream's decoder made of the batch."""
    size = c_size_t()
    return _library.tnm_batch_decoded(batch.pointer, ctypes.byref(size)), size.value


def tell(stream: Handle) -> str:
    """The stream's cursor."""
    text = ctypes.create_string_buffer(CURSOR_SIZE)
    call("tnm_stream_tell", stream.pointer, text, CURSOR_SIZE)
    return text.value.decode()
