# SPDX-License-Identifier: Apache-2.0
"""doc/deploy.md, taken apart: what an administrator types, and what he writes into files."""
import documents
from documents import ROOT, replaced

PATH = ROOT / "doc/deploy.md"
HOST = "data.example.org"
# Words behind "sh": what the commands need that a server with the packages lacks.
NEEDS = ("", "source", "podman")
LANGUAGES = ("sh", "nft", "nginx", "haproxy", "yaml")


def blocks():
    return documents.blocks(PATH)


def block(language):
    """The text of the only block in a language."""
    found = [each.text for each in blocks() if each.language == language]
    assert len(found) == 1, language
    return found[0]


def script(table):
    """All commands that a server with the packages takes, as one script."""
    return replaced(documents.script_of(each for each in blocks()
                                        if each.language == "sh" and not each.needs), table)
