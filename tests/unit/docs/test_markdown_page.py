"""Pages of Markdown: what is a link, an anchor and code in them."""

from __future__ import annotations

from tests.unit.docs.markdown_page import MarkdownPage

PAGE = MarkdownPage(
    """# What it *is*: `run`, in short

See [a](other.md#part), `[no](link.md)` and ![a picture](one.png "Title").

    scalable-tf run \\
      -c one.yaml

## Part
text
    goes on
```bash
# no heading
[no](link.md)
```
## Part
[where](https://example.com)
"""
)


def test_links_are_those_outside_of_code() -> None:
    assert PAGE.links() == ["other.md#part", "one.png", "https://example.com"]


def test_anchors_are_githubs() -> None:
    assert PAGE.anchors() == {"what-it-is-run-in-short", "part", "part-1"}


def test_code_is_fenced_or_indented_and_continued_lines_are_one() -> None:
    assert PAGE.code() == ["scalable-tf run  -c one.yaml", "# no heading", "[no](link.md)"]
