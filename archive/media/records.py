"""Frozen dataclasses as JSON and back. What comes back is checked: a child that decodes hostile files wrote it."""

from __future__ import annotations

import math
import re
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

R = TypeVar("R")

_LONGEST_TEXT = 64 * 1024
_DEEPEST = 32
_INTEGERS = 1 << 63  # what PostgreSQL's bigint holds
# PostgreSQL's text holds no NUL, and UTF-8 no lone surrogates.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """Remove what a database cannot keep from a text."""
    return _UNSTORABLE.sub("", text)


def encode(record: Any) -> dict[str, Any]:  # noqa: ANN401  # any dataclass
    """Give a record as JSON; what is as by default is left out."""
    found = {}
    for field in fields(record):
        value = getattr(record, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if value != default or type(value) is not type(default):
            found[field.name] = _encoded(value)
    return found


def decode(kind: type[R], data: object) -> R:
    """Give the record that JSON says; ValueError where it is not of that kind."""
    if not isinstance(data, dict):
        message = f"{kind.__name__} is not an object"
        raise ValueError(message)  # noqa: TRY004  # callers know one error
    hints = _hints(kind)  # type: ignore[arg-type]  # every class can be hashed
    if strange := data.keys() - hints.keys():
        message = f"{kind.__name__} has no {sorted(map(str, strange))}"
        raise ValueError(message)
    try:
        return kind(**{name: _decoded(hints[name], value) for name, value in data.items()})
    except TypeError as error:
        message = f"{kind.__name__} lacks a field"
        raise ValueError(message) from error


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _encoded(value: Any) -> Any:  # noqa: ANN401  # JSON
    if is_dataclass(value):
        return encode(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_encoded(one) for one in value]
    return value


def _decoded(hint: Any, value: Any) -> Any:  # noqa: ANN401  # JSON
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None and NoneType in args:
            return None
        (hint,) = (one for one in args if one is not NoneType)
        return _decoded(hint, value)
    if origin is tuple and isinstance(value, list):
        return tuple(_decoded(args[0], one) for one in value)
    if is_dataclass(hint):
        return decode(hint, value)  # type: ignore[arg-type]
    if (origin is Literal and value in args) or (origin is dict and isinstance(value, dict)):
        return _json(value)
    return _plain(hint, value)


def _plain(hint: Any, value: Any) -> Any:  # noqa: ANN401  # JSON
    if hint is datetime and isinstance(value, str):
        return datetime.fromisoformat(value)
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        message = f"{type(value).__name__} in place of {hint}"
        raise ValueError(message)
    return _json(value)


def _json(value: Any, depth: int = 0) -> Any:  # noqa: ANN401  # JSON
    """Give JSON as it is; refuse what a database would."""
    if depth > _DEEPEST:
        raise ValueError("too deep")
    if isinstance(value, str) and (len(value) > _LONGEST_TEXT or _UNSTORABLE.search(value)):
        raise ValueError("contains characters that are no text, or too many of them")
    if type(value) is int and not -_INTEGERS <= value < _INTEGERS:
        raise ValueError("a number too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("no number")
    if isinstance(value, list):
        return [_json(one, depth + 1) for one in value]
    if isinstance(value, dict):
        return {_json(str(key)): _json(one, depth + 1) for key, one in value.items()}
    return value
