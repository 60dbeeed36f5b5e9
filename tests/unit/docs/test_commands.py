"""Every command line of ours in the pages' code is one that `scalable-tf` takes."""

from __future__ import annotations

import itertools
import re
import shlex

import pytest

from runners.cli import argument_parser
from tests.unit.docs.markdown_page import PAGES, ROOT, MarkdownPage

_COMMAND = re.compile(r"(?:^|[\s(/])scalable-tf (?=[a-z])(.*)")
_GROUP = re.compile(r"(?<=\s)\[([^\]]*)\](?:\.\.\.)?(?=\s|$)")
_WORDS = re.compile(r"(?<=\s)\w+(?:\|\w+)+(?=\s|$)")
_PLACEHOLDERS = {"HOST:PORT": "localhost:8500", "URL": "http://localhost:8501", "P": "10"}
"""Of those that stand for anything but a text."""


def written_out(text: str) -> list[str]:
    """A command for each choice of a usage line: with and without `[...]`, and each word of `a|b`."""
    for pattern, separator, more in ((_GROUP, " | ", [""]), (_WORDS, "|", [])):
        if found := pattern.search(text):
            choices = [*more, *found[found.lastindex or 0].split(separator)]
            return [
                one for choice in choices for one in written_out(text[: found.start()] + choice + text[found.end() :])
            ]
    return [text]


def arguments(text: str) -> list[str]:
    """The words up to where the shell ends the command, or puts another one's words."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|<>()")
    lexer.whitespace_split = True
    words = itertools.takewhile(lambda word: not re.fullmatch(r"[$;&|<>()]+", word), lexer)
    return [_PLACEHOLDERS.get(word.removesuffix("..."), word) for word in words]


def commands(page: MarkdownPage) -> list[list[str]]:
    found = filter(None, map(_COMMAND.search, page.code()))
    return [arguments(text) for line in found for text in written_out(line[1])]


def test_a_usage_line_is_every_command_that_it_stands_for() -> None:
    page = MarkdownPage("    x && scalable-tf runs list|show -c F [--server HOST:PORT]... | jq '.[0]'  # all\n")
    assert commands(page) == [
        ["runs", "list", "-c", "F"],
        ["runs", "show", "-c", "F"],
        ["runs", "list", "-c", "F", "--server", "localhost:8500"],
        ["runs", "show", "-c", "F", "--server", "localhost:8500"],
    ]


def test_the_commands_of_the_pages_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    parser, taken, refused = argument_parser(), 0, []
    for page in PAGES:
        for command in commands(MarkdownPage(page.read_text())):
            try:
                parser.parse_args(command)
                taken += 1
            except SystemExit:
                why = capsys.readouterr().err.splitlines()[-1]
                refused.append(f"{page.relative_to(ROOT)}: scalable-tf {shlex.join(command)}: {why}")
    assert refused == []
    assert taken > 100
