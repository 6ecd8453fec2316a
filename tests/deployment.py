# SPDX-License-Identifier: Apache-2.0
"""doc/deploy.md, taken apart: what an administrator types, and what he writes into files."""
import os
import pathlib
import re

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
PATH = ROOT / "doc/deploy.md"
HOST = "data.example.org"
# Words behind "sh": what the commands need that a server with the packages lacks.
NEEDS = ("", "source", "podman")
LANGUAGES = ("sh", "nft", "nginx", "haproxy", "yaml")


class Block:
    def __init__(self, language, needs, text, line):
        self.language, self.needs, self.text, self.line = language, needs, text, line


def blocks():
    """All that stands between fences, in order."""
    text = PATH.read_text(encoding="utf-8")
    return [Block(found[1], found[2], found[3], text[:found.start()].count("\n") + 2)
            for found in re.finditer(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)]


def block(language):
    """The text of the only block in a language."""
    found = [each.text for each in blocks() if each.language == language]
    assert len(found) == 1, language
    return found[0]


def replaced(text, table):
    """The text with other words in place of these; those that stand in it nowhere are an error."""
    for words, others in table:
        assert words in text, words
        text = text.replace(words, others)
    return text


def script(table):
    """All commands that a server with the packages takes, as one script, which says in its output
    (`## line`) where it is."""
    parts = [f"echo '## {each.line}'\n{each.text}" for each in blocks()
             if each.language == "sh" and not each.needs]
    return replaced("\n".join(parts), table)
