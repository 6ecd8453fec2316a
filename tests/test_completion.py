# SPDX-License-Identifier: Apache-2.0
"""What shells offer when the words of `twonmnist` are completed: the shells themselves are asked."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import daemon
from pseudo_terminal import Terminal, plain

CLIENT = daemon.COMMAND_LINE
COMMANDS = ["batch", "get", "help", "info", "labels", "mix", "pair", "play", "pull", "render"]
SPLITS = ["nmnist-test", "nmnist-train", "test", "train"]
SOURCES = ["nmnist-test", "nmnist-train"]
ORDERS = ["published", "stored", "time"]

# The line -> what may come where it ends.
OFFERED = {
    "": COMMANDS,
    "p": ["pair", "play", "pull"],
    "info ": SPLITS,
    "get tr": ["train"],
    "get train ": [],
    "get train 0 --order ": ORDERS,
    "get train 0 --f": ["--format"],
    "get train --format ": ["bin", "json", "npy", "text"],
    "batch train -f ": ["safetensors", "text"],
    "batch train --seed ": [],
    "batch train --seed 7 --la": ["--last"],
    "pair ": SOURCES,
    "mix nmnist-te": ["nmnist-test"],
    "play train --sp": ["--speed"],
    "play train --f": [],
    "pull te": ["test"],
    "pull test there --v": ["--verbose", "--verify"],
    "help b": ["batch"],
    "help batch ": [],
    "--completion ": ["bash", "fish", "zsh"],
    "labels train --server http://a:1 --for": ["--format"],
}


def setUpModule():
    global script
    folder = pathlib.Path(unittest.enterModuleContext(daemon.temporary_folder()))
    script = {}
    for shell, name in (("bash", "twonmnist"), ("zsh", "_twonmnist"), ("fish", "twonmnist.fish")):
        script[shell] = folder / name
        script[shell].write_bytes(subprocess.run([CLIENT, "--completion", shell], check=True,
                                                 capture_output=True).stdout)
    (folder / "output.npy").touch()
    (folder / "places").mkdir()


def need(shell):
    if shutil.which(shell) is None:
        raise unittest.SkipTest(f"there is no {shell}")


class Scripts(unittest.TestCase):
    def test_what_is_installed_is_what_the_program_prints(self):
        if not (daemon.BUILD / "completion").is_dir():
            self.skipTest("this build makes none")
        for path in script.values():
            self.assertEqual((daemon.BUILD / "completion" / path.name).read_bytes(),
                             path.read_bytes())

    def test_every_option_of_every_command_is_in_each(self):
        names = {command: set(re.findall(r"--[a-z][a-z0-9-]*", subprocess.run(
            [CLIENT, command, "--help"], check=True, capture_output=True, text=True).stdout))
            for command in COMMANDS}
        self.assertIn("--indices", names["batch"])
        for shell, path in script.items():
            text = path.read_text(encoding="utf-8")
            for name in set().union(*names.values()):
                word = name if shell != "fish" else f"-l {name[2:]} "
                self.assertIn(word, text, shell)

    def test_another_shell_is_an_error_that_names_those_it_knows(self):
        done = subprocess.run([CLIENT, "--completion", "tcsh"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("bash, zsh, fish", done.stderr)


class Bash(unittest.TestCase):
    def setUp(self):
        need("bash")

    def offered(self, lines):
        """What the function leaves where bash calls it, for each line."""
        calls = "".join(f"COMP_LINE='twonmnist {line}' COMP_POINT=${{#COMP_LINE}}\n_twonmnist 2>&1\n"
                        'echo "${COMPREPLY[*]}"\n' for line in lines)
        done = subprocess.run(["bash", "--norc", "-c", f". '{script['bash']}'\n{calls}"],
                              check=True, capture_output=True, text=True)
        return [sorted(answer.split()) for answer in done.stdout.splitlines()]

    def test_it_offers_what_the_tables_have(self):
        lines = [*OFFERED, "get train 0 --order=", "get train 0 --order=t"]
        expected = [*OFFERED.values(), ORDERS, ["time"]]
        for line, answer, wanted in zip(lines, self.offered(lines), expected, strict=True):
            self.assertEqual(answer, wanted, line)

    def test_the_tab_key_completes_in_a_terminal(self):
        with Terminal(["bash", "--norc", "--noprofile", "-i"], columns=200, PS1="ready> ",
                      INPUTRC="/dev/null") as bash:
            bash.wait_for("ready> ")
            bash.type(f"unset HISTFILE; cd '{script['bash'].parent}'; . ./twonmnist; echo so''urced\n")
            bash.wait_for("sourced\r\n.*ready> ")
            for typed, completed in (("twonmnist ba\t", "twonmnist batch "),
                                     ("twonmnist get tr\t", "get train "),
                                     ("twonmnist get train 0 --order=pu\t", "--order=published "),
                                     ("twonmnist get train 0 -o out\t", "-o output.npy "),
                                     ("twonmnist pull train pl\t", "pull train places/"),
                                     ("twonmnist labels train --output=out\t", "--output=output.npy ")):
                at = len(bash.output)
                bash.type(typed)
                bash.wait_for(re.escape(completed), at)
                bash.type("\x15")  # Ctrl-U
            bash.type("exit\n")
            self.assertEqual(bash.wait()[0], 0)

    def test_shellcheck_finds_no_error(self):
        if shutil.which("shellcheck") is None:
            self.skipTest("there is no shellcheck")
        done = subprocess.run(["shellcheck", "-s", "bash", "-S", "error", script["bash"]],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "")


class Fish(unittest.TestCase):
    def test_it_offers_what_the_tables_have(self):
        need("fish")
        lines = [*OFFERED, "get train 0 --order=t"]
        wanted = [*OFFERED.values(), ["--order=time"]]
        with daemon.temporary_folder() as home:
            asked = "".join(f"complete -C 'twonmnist {line}'; echo ---;" for line in lines)
            done = subprocess.run(["fish", "--no-config", "-c", f"source {script['fish']}; {asked}"],
                                  check=True, capture_output=True, text=True, cwd=home,
                                  env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home,
                                       "XDG_DATA_HOME": home})
        answers = done.stdout.split("---\n")[:-1]
        for line, answer, expected in zip(lines, answers, wanted, strict=True):
            self.assertEqual(sorted(a.split("\t")[0] for a in answer.splitlines()), expected, line)


class Zsh(unittest.TestCase):
    def test_the_tab_key_completes_in_a_terminal(self):
        need("zsh")
        folder = script["zsh"].parent
        with daemon.temporary_folder() as home, \
                Terminal(["zsh", "-f", "-i"], columns=200, HOME=home, ZDOTDIR=home,
                         PS1="ready> ") as zsh:
            zsh.wait_for("ready> ")
            zsh.type(f"cd '{folder}'; fpath=('{folder}' $fpath); autoload -U compinit; "
                     f"compinit -u -D; PROMPT=loa''ded'> '; RPROMPT=\n")
            zsh.wait_for("loaded> ")
            for typed, seen in (("twonmnist ba\t", "batch "), ("twonmnist get tr\t", "train "),
                                ("twonmnist get train 0 --order=pu\t", "published"),
                                ("twonmnist batch train -f sa\t", "safetensors"),
                                ("twonmnist batch train --wo\t", "--world"),
                                ("twonmnist pair nmnist-te\t", "nmnist-test "),
                                ("twonmnist get train 0 -o out\t", "output.npy"),
                                ("twonmnist pull train pl\t", "train places/"),
                                ("twonmnist help \t", "labels"),
                                ("twonmnist \t", "a batch: of given samples")):
                at = len(zsh.output)
                zsh.type(typed)
                zsh.wait_for(re.escape(seen), at, plain)
                self.assertNotIn("command not found", plain(zsh.output[at:]))
                at = len(zsh.output)
                zsh.type("\x15echo ne''xt\n")  # Ctrl-U
                zsh.wait_for("next.*loaded> ", at)
            zsh.type("exit\n")
            zsh.wait()


if __name__ == "__main__":
    unittest.main()
