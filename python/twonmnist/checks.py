# SPDX-License-Identifier: Apache-2.0
"""Arguments checked where they are given, in errors that name them."""
from __future__ import annotations

import operator
from typing import Any


def whole(name: str, value: Any, low: int, high: int) -> int:
    """The argument `name` as an int: of any integer type, 0-dimensional arrays and tensors too.

    Errors: TypeError no whole number; ValueError out of the range.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} {value!r}; it has to be a whole number") from None
    if not low <= number <= high:
        raise ValueError(f"{name} {number}; it has to be {low} to {high}")
    return number


def one_of(name: str, value: Any, choices: Any) -> Any:
    """What the table `choices` has for the argument, or the argument where they are a tuple.

    Errors: ValueError it is none of them.
    """
    if value not in choices:
        raise ValueError(f"{name} {value!r}; it has to be one of {', '.join(choices)}")
    return choices[value] if isinstance(choices, dict) else value
