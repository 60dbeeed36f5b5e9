"""Backslashes in what goes to PostgreSQL.

ML Metadata's library puts libpq's escaped text into quotes of its own. A text with a backslash, which libpq escapes as
` E'...'`, then is a syntax error, and the execution of every Evaluator holds one, in the JSON of its settings. So a
backslash is stored as a character of Unicode's private use area, and read back as what it was.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

STORED = "\ue05c"
_STORED = STORED.encode()


def without_backslashes(request: Message) -> Message:
    """The request as it is stored; the same one if it holds no backslash."""
    if b"\\" not in request.SerializeToString():
        return request
    stored: Message = type(request)()
    stored.CopyFrom(request)
    _replace(stored, "\\", STORED)
    return stored


def restore_backslashes(response: Message) -> None:
    """Turns what was stored into what it was, in place."""
    if _STORED in response.SerializeToString():
        _replace(response, STORED, "\\")


def _replace(message: Any, old: str, new: str) -> None:
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key in value:
                if isinstance(value[key], str):
                    value[key] = value[key].replace(old, new)
                elif isinstance(value[key], Message):
                    _replace(value[key], old, new)
        elif isinstance(value, str):
            setattr(message, field.name, value.replace(old, new))
        elif isinstance(value, Message):
            _replace(value, old, new)
        elif field.type in (field.TYPE_MESSAGE, field.TYPE_STRING):  # repeated
            for place, item in enumerate(value):
                if isinstance(item, str):
                    value[place] = item.replace(old, new)
                else:
                    _replace(item, old, new)
