"""A row as MySQL sends it."""

from __future__ import annotations

from typing import Any

_NULL = 251  # instead of a length
_WIDTHS = {252: 2, 253: 3, 254: 8}


def read_row(packet: Any) -> list[bytes | None]:
    """The values of a row as they are sent: each with its length before it.

    Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html
    """
    data, place, row = packet.get_all_data(), 0, list[bytes | None]()
    end = len(data)
    while place < end:
        size = data[place]
        place += 1
        if size >= _NULL:
            if size == _NULL:
                row.append(None)
                continue
            first, place = place, place + _WIDTHS[size]
            size = int.from_bytes(data[first:place], "little")
        first, place = place, place + size
        row.append(data[first:place])
    return row
