# SPDX-License-Identifier: Apache-2.0
"""Documents in Markdown, taken apart: what readers type, what that prints, what they write into files.

A block is what stands between fences. The first word behind the fence is its language, and others are
for the tests: what it needs that others do not. Lines that begin with "#> " ("//> ", "--> ") say what
running it prints.
"""
import contextlib
import importlib.util
import io
import os
import pathlib
import re
import shutil
import signal
import subprocess

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
SERVER = "http://localhost:8642"  # of all documents
PRINTED = re.compile(r"^(?:#|//|--)> ?(.*)\n", re.MULTILINE)


class Block:
    def __init__(self, language, needs, text, line):
        self.language, self.needs, self.text, self.line = language, needs, text, line

    @property
    def printed(self):
        """What the document says that it prints; None where it says nothing."""
        lines = PRINTED.findall(self.text)
        return "".join(f"{line}\n" for line in lines) if lines else None


def blocks(path):
    """All that stands between fences, in order."""
    text = path.read_text(encoding="utf-8")
    return [Block(found[1], found[2], found[3], text[:found.start()].count("\n") + 2)
            for found in re.finditer(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)]


def n_fences(path):
    return path.read_text(encoding="utf-8").count("```")


def _slugs(path):
    """What its headings are called in links, as forges that show Markdown do."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path):
    """The files that it links to, [words](file) or [words](file#heading), pages elsewhere aside."""
    text = path.read_text(encoding="utf-8")
    return [path.parent / name for name in re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", text) if "://" not in name]


def dangling(path):
    """All that it names and is not there: files in links and in `code`, headings in links."""
    text = path.read_text(encoding="utf-8")
    missing = [str(link) for link in links(path) if not link.exists()]
    missing += [name for name in re.findall(r"`((?:client|doc|etc|python|tests|tools)/[\w./-]+)`", text)
                if not (ROOT / name).exists() and not name.endswith((".a", ".la"))]  # those are built
    for name, slug in re.findall(r"\]\(([^)\s#]*)#([^)\s]+)\)", text):
        target = path.parent / name if name else path
        if "://" not in name and target.exists() and slug not in _slugs(target):
            missing.append(f"{name}#{slug}")
    return missing


def replaced(text, table):
    """The text with other words in place of these; those that stand in it nowhere are an error."""
    for words, others in table:
        assert words in text, words
        text = text.replace(words, others)
    return text


def script_of(some):
    """Blocks as one script, which says in its output (`## line`) where it is."""
    return "\n".join(f"echo '## {each.line}'\n{each.text}" for each in some)


def bash(text, folder, said=None, env=None, **more):
    """Status and output, which goes to a file, for who holds a pipe open is waited for. `env`: in place of the
    environment, to which `more` is added."""
    with open(said or folder / ".said", "w+", encoding="utf-8") as out:
        process = subprocess.Popen(["bash", "-c", text], cwd=folder, stdout=out, stderr=out,
                                   start_new_session=True, env={**(env or os.environ), **more})
        try:
            status = process.wait(timeout=300)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        out.seek(0)
        return status, out.read()


def python(block, path, url, names=None):
    """What a block of Python prints, with the server at `url`; it sees what is in `names`, and leaves there
    what it makes."""
    text = "\n" * (block.line - 1) + block.text.replace(SERVER, url)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(text, str(path), "exec"), {} if names is None else names)
    return out.getvalue()


# Language of a block that a program of others runs, and how.
PROGRAMS = {"js": ("node", "--input-type=module", "-e"), "r": ("Rscript", "-e"), "julia": ("julia", "-e")}


def missing(block):
    """What is not here of all that it takes to run the block: programs, and modules of Python."""
    needs = block.needs.split()
    if block.language == "python":
        return [name for name in needs if importlib.util.find_spec(name) is None]
    programs = ["bash", "curl", *needs] if block.language == "sh" else [PROGRAMS[block.language][0]]
    return [name for name in programs if shutil.which(name) is None]


def output(block, path, url, folder, names=None):
    """What it prints, with the server at `url`, in the folder. Errors are AssertionError with it."""
    if block.language == "python":
        return python(block, path, url, names)
    text = block.text.replace(SERVER, url)
    if block.language == "sh":
        status, said = bash(f"set -euo pipefail\n{text}", folder)
    else:
        ended = subprocess.run([*PROGRAMS[block.language], text], cwd=folder, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        status, said = ended.returncode, ended.stdout
    assert status == 0, f"{path}:{block.line}: status {status}\n{said}"
    return said
