"""Every link between the pages leads to a file that there is, and to a heading of it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.docs.markdown_page import PAGES, ROOT, MarkdownPage


def leads_somewhere(link: str, page: Path) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not anchor or not target.is_file():
        return target.exists()
    return anchor in MarkdownPage(target.read_text()).anchors()


def broken_links(page: Path) -> list[str]:
    links = MarkdownPage(page.read_text()).links()
    return [link for link in links if not re.match("[a-z]+:", link) and not leads_somewhere(link, page)]


def test_what_is_not_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/b.md").write_text("# Of b\n[up](../a.md#of-a) [none](a.md)")
    page = tmp_path / "a.md"
    page.write_text(
        "# Of a\n[](docs/b.md) [](docs/b.md#of-b) [](docs) [](#of-a) [](https://x.org/#y) [](docs/b.md#of-a)"
    )
    assert broken_links(page) == ["docs/b.md#of-a"]
    assert broken_links(tmp_path / "docs/b.md") == ["a.md"]


def test_links_of_the_pages_lead_somewhere() -> None:
    broken = {str(page.relative_to(ROOT)): broken_links(page) for page in PAGES}
    assert {page: links for page, links in broken.items() if links} == {}
