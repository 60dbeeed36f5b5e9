"""Curated schemas: TFDV's Schema protocol buffer as text (.pbtxt), read with clear errors and written atomically."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from schemas.errors import SchemaError


def load_schema(path: Path) -> schema_pb2.Schema:
    """Reads a schema and checks what the parser does not.

    Raises:
        SchemaError: the file cannot be read or parsed, has no feature, has two of one name, or names an unknown domain.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SchemaError(
            "There is no such schema file.",
            where=str(path),
            fix=f"Write the inferred one there and review it: scalable-tf schema infer -c FILE -o {path}",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(
            "The schema file cannot be read.", where=str(path), received=error, fix="It must be readable UTF-8 text."
        ) from error
    schema = schema_pb2.Schema()
    try:
        text_format.Parse(text, schema)
    except text_format.ParseError as error:
        line = error.GetLine()
        lines = text.splitlines()
        raise SchemaError(
            "The schema file has a syntax error.",
            where=f"{path}, line {line}" if line is not None else str(path),
            received=lines[line - 1].strip() if line is not None and 0 < line <= len(lines) else None,
            fix=_explained(str(error)),
        ) from error
    _check(schema, path)
    return schema


def save_schema(schema: schema_pb2.Schema, path: Path) -> None:
    """Writes a schema as text, at once or not at all.

    Comment lines at the top of a file that is replaced are kept; the parser drops those elsewhere. Remarks that should
    last belong in a feature's `annotation { comment: ... }`.

    Raises:
        SchemaError: the folder or the file cannot be written.
    """
    text = _top_comments(path) + text_format.MessageToString(schema)
    # A link stays a link: what it points to is replaced.
    target = path.resolve()
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        # Root may write anything; a file without any write permission is still one that is not to be written.
        if not mode & 0o222 or (target.exists() and not os.access(target, os.W_OK)):
            raise PermissionError(f"{target} is read-only")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise _not_writable(path, error) from error


def _not_writable(path: Path, error: OSError) -> SchemaError:
    return SchemaError(
        "The schema file cannot be written.",
        where=str(path),
        received=error,
        fix="Where it belongs to an installed package, copy it into your project and set schema.path to the copy: "
        f"cp {path} my_schema.pbtxt",
    )


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _top_comments(path: Path) -> str:
    if not path.exists():
        return ""
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        kept.append(line)
    return "".join(kept)


def _explained(message: str) -> str:
    """The parser's sentence, with the nearest field where it met an unknown one."""
    message = re.sub(r"^\d+:\d+ : ", "", message)
    unknown = re.search(r'Message type "tensorflow\.metadata\.v0\.(\S+)" has no field named "(\w+)"', message)
    if unknown is None:
        return message
    descriptor = schema_pb2.DESCRIPTOR.message_types_by_name.get(unknown[1].split(".")[0])
    for part in unknown[1].split(".")[1:]:
        descriptor = descriptor.nested_types_by_name.get(part) if descriptor is not None else None
    near = get_close_matches(unknown[2], [field.name for field in descriptor.fields], n=1) if descriptor else []
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{unknown[1]} has no field {unknown[2]}.{hint}"


def _check(schema: schema_pb2.Schema, path: Path) -> None:
    if not schema.feature:
        raise SchemaError(
            "The schema has no feature.",
            where=str(path),
            fix=f"Write the inferred one there and review it: scalable-tf schema infer -c FILE -o {path}",
        )
    twice = [name for name, count in Counter(feature.name for feature in schema.feature).items() if count > 1]
    if twice:
        raise SchemaError(
            "The schema has a feature twice.", where=str(path), received=twice[0], fix="Remove one of the two."
        )
    domains = [domain.name for domain in schema.string_domain]
    for feature in schema.feature:
        if not feature.name:
            raise SchemaError("A feature of the schema has no name.", where=str(path), fix='Add name: "COLUMN" to it.')
        if feature.domain and feature.domain not in domains:
            near = get_close_matches(feature.domain, domains, n=1)
            raise SchemaError(
                "A feature names a domain that the schema does not have.",
                where=f"{path}, feature {feature.name!r}",
                received=feature.domain,
                fix=f"Did you mean {near[0]!r}?" if near else "Add a string_domain of that name, or remove the line.",
            )
