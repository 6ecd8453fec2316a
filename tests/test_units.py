# SPDX-License-Identifier: Apache-2.0
"""The systemd units as they are installed: whether systemd understands them, how exposed the service
is, and whether they fit what is installed beside them."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import daemon

UNITS = ("twonmnistd.service", "twonmnistd.socket", "twonmnistd@.service", "twonmnistd@.socket")
INSTANCES = tuple(unit.replace("@", "@8643") for unit in UNITS)
MOST_EXPOSED = 0.5
SEARCHED = "usr/lib/systemd/system"  # by systemd, below its root


def analyze(*words, **environment):
    return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True,
                          check=False, env={**os.environ, "LC_ALL": "C.UTF-8", **environment})


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Install them, with all that they name, below a folder."""
        cls.root = pathlib.Path(cls.enterClassContext(daemon.temporary_folder()))
        kinds = ("systemdsystemunit", "dist_sysusers", "dist_tmpfiles", "dist_conf")
        subprocess.run(["make", "-s", "-C", daemon.BUILD, f"DESTDIR={cls.root}",
                        *(f"install-{kind}DATA" for kind in kinds)],
                       check=True, capture_output=True,
                       env={**os.environ, "MAKEFLAGS": "", "MFLAGS": ""})
        cls.folder = next(cls.root.rglob("twonmnistd.service")).parent
        if not (cls.root / SEARCHED).exists():  # whatever the prefix is
            shutil.copytree(cls.folder, cls.root / SEARCHED)
        cls.program = cls.words_of("ExecStart")[0]
        placed = pathlib.Path(f"{cls.root}{cls.program}")
        placed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(daemon.DAEMON, placed)

    @classmethod
    def words_of(cls, line, unit="twonmnistd.service"):
        text = (cls.folder / unit).read_text(encoding="utf-8")
        return re.search(f"^{line}=(.*)$", text, re.MULTILINE).group(1).split()

    def in_place(self):
        """A folder with the units, where what they start stands below the root."""
        folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        for unit in UNITS:
            text = (self.folder / unit).read_text(encoding="utf-8")
            (folder / unit).write_text(text.replace(self.program, f"{self.root}{self.program}"),
                                       encoding="utf-8")
        return folder

    @unittest.skipIf(shutil.which("systemd-analyze") is None, "there is no systemd-analyze")
    def test_systemd_has_nothing_to_say_against_them(self):
        folder = self.in_place()
        said = analyze("verify", "--man=no", *UNITS[:2], *INSTANCES[2:],
                       SYSTEMD_UNIT_PATH=f"{folder}:")
        if "Unit sysinit.target not found" in said.stderr:
            self.skipTest("systemd's own units are not installed")
        self.assertEqual((said.returncode, said.stdout + said.stderr), (0, ""))
        (folder / UNITS[0]).write_text("[Service]\nExecStart=/nowhere/at/all\nTypo=1\n")
        said = analyze("verify", "--man=no", UNITS[0], SYSTEMD_UNIT_PATH=f"{folder}:")
        self.assertIn("Typo", said.stderr)

    @unittest.skipIf(shutil.which("systemd-analyze") is None, "there is no systemd-analyze")
    def test_the_services_are_hardly_exposed(self):
        for unit in UNITS[0], INSTANCES[2]:
            said = analyze("security", "--offline=true", f"--root={self.root}", unit)
            level = re.search(rf"exposure level for {re.escape(unit)}: ([\d.]+)", said.stdout)
            self.assertTrue(level, said.stdout + said.stderr)
            self.assertLessEqual(float(level[1]), MOST_EXPOSED, said.stdout)

    def test_the_configuration_that_they_name_is_installed_and_right(self):
        for line in "ExecStart", "ExecStartPre", "ExecReload":
            words = self.words_of(line)
            config = words[words.index("--config") + 1]
            self.assertTrue(pathlib.Path(f"{self.root}{config}").is_file(), config)
            self.assertEqual("--check-config" in words, line != "ExecStart")
        words = self.words_of("ExecStartPre")
        words = [f"{self.root}{word}" if word.startswith("/") else word for word in words]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    def test_a_replica_is_the_service_on_another_port(self):
        for unit in UNITS[:2]:
            one = (self.folder / unit).read_text(encoding="utf-8")
            other = (self.folder / unit.replace(".", "@.")).read_text(encoding="utf-8")
            self.assertNotEqual(other, one)
            self.assertEqual(other.replace("@%i", "").replace("%i", "8642"), one)

    def test_the_group_and_the_folder_that_they_name_are_made(self):
        files = {path.parent.name: path.read_text(encoding="utf-8")
                 for path in self.root.rglob("twonmnist.conf")}
        group = self.words_of("Group")[0]
        self.assertRegex(files["sysusers.d"], rf"(?m)^g {group} -$")
        sample = next(self.root.rglob("twonmnistd.conf")).read_text(encoding="utf-8")
        default = re.search("(?m)^#data = (.*)$", sample).group(1)
        self.assertRegex(files["tmpfiles.d"], rf"(?m)^d {default} 0755 root root$")


if __name__ == "__main__":
    unittest.main()
