"""What a page of Markdown links to, can be linked to, and shows as code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
_LINK = re.compile(r"\]\(([^()\s]+)(?: \"[^\"]*\")?\)")
_CODE_SPAN = re.compile(r"(`+).+?\1")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class MarkdownPage:
    """A page.

    Attributes:
        text: what is in the file.
    """

    text: str

    def lines(self) -> Iterator[tuple[str, bool]]:
        """Each line, and whether it is code: in a fence, or indented by four spaces after an empty line."""
        fence, code, empty = "", False, True
        for line in self.text.splitlines():
            mark = re.match(r" *(`{3,}|~{3,})", line)
            if fence:
                code = not (mark and mark[1].startswith(fence))
                yield line, code
                fence = fence if code else ""
            elif mark:
                fence, code = mark[1], False
                yield line, False
            else:
                code = bool(line.strip()) and line.startswith("    ") and (empty or code)
                yield line, code
            empty = not line.strip()

    def links(self) -> list[str]:
        """Targets, as they are written."""
        return [found for line, code in self.lines() if not code for found in _LINK.findall(_CODE_SPAN.sub("", line))]

    def anchors(self) -> set[str]:
        """What GitHub makes of the headings: lower case, no punctuation, hyphens for spaces, a number for the next."""
        found: Counter[str] = Counter()
        anchors = set()
        for line, code in self.lines():
            if not code and (heading := re.match(r"#{1,6} +(.+)", line)):
                text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).strip()
                anchor = _NOT_IN_ANCHORS.sub("", text.lower()).replace(" ", "-")
                anchors.add(f"{anchor}-{found[anchor]}" if found[anchor] else anchor)
                found[anchor] += 1
        return anchors

    def code(self) -> list[str]:
        """Lines of code, those that a backslash ends joined with the next."""
        joined: list[str] = []
        for line, code in self.lines():
            if not code:
                continue
            if joined and joined[-1].endswith("\\"):
                joined[-1] = f"{joined[-1][:-1]} {line.strip()}"
            else:
                joined.append(line.strip())
        return joined
