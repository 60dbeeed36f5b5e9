"""Record boundaries, against Python's csv module."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.csv_records import UnclosedQuoteError, last_record_end, open_quote, record_ends


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"a,b\nc,d\ne", 8),
        (b"a,b", 0),
        (b"", 0),
        (b'a,"x\ny"\nz', 8),
        (b'a,"x\ny', 0),
        (b'1\n"x\ny', 2),
        (b'"a ""q"" b",2\n', 14),
        (b'5" pipe,1\n6,2\n7', 14),
        (b'"ab"c,1\n', 8),
        (b'a\r\n"b"\r\nc', 8),
    ],
)
def test_end_of_the_last_whole_record(data: bytes, end: int) -> None:
    assert last_record_end(data, b",") == end


def test_quoted_field_that_ends_in_other_text_lines_later_is_unclosed() -> None:
    with pytest.raises(UnclosedQuoteError) as caught:
        last_record_end(b'1,"abc\n2,x\n3,"y"\n4,5\n', b",")
    assert caught.value.position == 2


def test_open_quote() -> None:
    assert open_quote(b'5" pipe,"abc', b",") == 8
    assert open_quote(b'5" pipe,"abc"', b",") == -1


def test_first_record_has_its_own_end() -> None:
    assert next(record_ends(b'a,b\n1,2\n"x",3\n', b",")) == 4
    assert next(record_ends(b'"a\nb",c\n1,2\n', b",")) == 8


_TEXT = st.text(st.sampled_from('ab,;"\n\r \té'), max_size=6)


@given(
    st.lists(st.lists(_TEXT, min_size=2, max_size=3), min_size=1, max_size=5),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.data(),
)
def test_every_cut_is_at_a_record(rows: list[list[str]], quoting: int, data: st.DataObject) -> None:
    ends = [0]
    text = io.BytesIO()
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line, quoting=quoting, lineterminator="\n").writerow(row)  # type: ignore[arg-type]
        text.write(line.getvalue().encode())
        ends.append(text.tell())
    whole = text.getvalue()
    cut = data.draw(st.integers(0, len(whole)))
    assert last_record_end(whole[:cut], b",") == max(end for end in ends if end <= cut)
