"""Keys and certificates of a server, in TensorFlow Serving's own form.

Source: tensorflow_serving/config/ssl_config.proto, and what model_servers/server.cc makes of it.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, message_factory, text_format

from schemas.errors import SettingsError
from serving.pem import Pem, load_authorities, load_identity

# tensorflow-serving-api does not bring this message; the name of its package is nowhere in the text form.
_PACKAGE = "scalable_tf"
_STRINGS = ("server_key", "server_cert", "custom_ca")
_CLIENT_VERIFY = "client_verify"
_FIELD = re.compile(r"\b(server_key|server_cert|custom_ca|client_verify)\b")
_WORD = re.compile(r"\w+")
_FORM = (
    'Write `server_key: "..."` and `server_cert: "..."`, and where clients show certificates `custom_ca: "..."` and '
    "`client_verify: true`; the texts are those of PEM files, with \\n for the ends of their lines."
)


@dataclass(frozen=True)
class SslConfig:
    """What a server shows, and asks clients for.

    Attributes:
        certificate: PEM, with its chain.
        key: PEM, of the certificate.
        authorities: PEM, of whoever signs the certificates of clients; None: of nobody.
        client_verify: whether clients must show one.
    """

    certificate: Pem
    key: Pem
    authorities: Pem | None
    client_verify: bool

    @classmethod
    def read(cls, path: Path) -> SslConfig:
        """A file with an SSLConfig as protocol buffer text.

        Raises:
            SettingsError: it cannot be read, is something else, or TLS cannot use what is in it.
        """
        fields = _parsed(Pem.read(path))
        pems = {name: Pem(f"{path}, {name}", fields[name].encode()) for name in _STRINGS if fields[name]}
        for name in ("server_key", "server_cert", *(("custom_ca",) if fields[_CLIENT_VERIFY] else ())):
            if name not in pems:
                raise SettingsError(f"{name} is missing.", where=str(path), fix=_FORM)
        for pem in pems.values():
            if b"-----BEGIN " not in pem.content:
                raise SettingsError(
                    "This is not PEM.",
                    where=pem.where,
                    received="text without -----BEGIN",
                    fix="Give the text of the file itself, not its name, with \\n for the ends of its lines.",
                )
        config = cls(pems["server_cert"], pems["server_key"], pems.get("custom_ca"), fields[_CLIENT_VERIFY])
        config.context()
        return config

    def context(self) -> ssl.SSLContext:
        """For Python's own TLS, of version 1.2 or later.

        Raises:
            SettingsError: TLS cannot use a certificate or the key.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        load_identity(context, self.certificate, self.key)
        if self.authorities:
            load_authorities(context, self.authorities)
        if self.client_verify:
            context.verify_mode = ssl.CERT_REQUIRED
            # A session that is taken up again shows no certificate, also where its authority is not trusted any more.
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0
        return context


def _parsed(text: Pem) -> dict[str, Any]:
    try:
        message = text_format.Parse(text.content.decode(), _message())
    except UnicodeDecodeError:
        raise _wrong(text.where, "no text in UTF-8") from None
    except text_format.ParseError as error:
        line, column = error.GetLine(), error.GetColumn()
        field, received = _fault(text.content.decode(), line, column)
        where = f"{text.where}, {field}, " if field else f"{text.where}, "
        raise _wrong(f"{where}line {line}, column {column}", received) from None
    return {name: getattr(message, name) for name in (*_STRINGS, _CLIENT_VERIFY)}


def _fault(text: str, line: int, column: int) -> tuple[str, str]:
    """The field at a place, and what is wrong there: protobuf's own message shows the line, in which the key may be."""
    lines = text.split("\n")  # as protobuf counts them: the last one may be empty
    before, after = "\n".join((*lines[: line - 1], lines[line - 1][: column - 1])), lines[line - 1][column - 1 :]
    named = [match[1] for match in _FIELD.finditer(before)]
    field, behind = (named[-1], before.rpartition(named[-1])[2].strip()) if named else ("", before)
    word = match[0] if (match := _WORD.match(after)) else ""
    if field and named.count(field) > 1:
        return field, "a field that is given twice"
    if field and not behind:
        return field, "no colon behind the field"
    if field and after.startswith(('"', "'")):
        return field, "a text that does not end on its line"
    if behind == ":":
        return field, "neither true nor false" if field == _CLIENT_VERIFY else "no text in quotation marks"
    if near := get_close_matches(word, (*_STRINGS, _CLIENT_VERIFY), n=1):
        return "", f"a field that it does not have; {near[0]}?"
    return "", "no SSLConfig"


def _wrong(where: str, received: str) -> SettingsError:
    return SettingsError("This is no SSLConfig in protocol buffer text.", where=where, received=received, fix=_FORM)


def _message() -> Any:
    """An empty SSLConfig."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="ssl_config.proto", package=_PACKAGE, syntax="proto3")
    message = file.message_type.add(name="SSLConfig")
    for number, name in enumerate((*_STRINGS, _CLIENT_VERIFY), start=1):
        kind = kinds.TYPE_BOOL if name == _CLIENT_VERIFY else kinds.TYPE_STRING
        message.field.add(name=name, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    return message_factory.GetMessages([file])[f"{_PACKAGE}.SSLConfig"]()
