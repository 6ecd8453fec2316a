# SPDX-License-Identifier: Apache-2.0
"""Debian's packages: what is in them, what they need, what lintian finds."""
import os
import pathlib
import re
import unittest

import packages

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))

# Package -> some of its files, as patterns; a file that matches none belongs to its documents.
DOCUMENTS = r"/usr/share/doc/.*"
FILES = {
    "twonmnistd": [
        r"/usr/bin/twonmnistd", r"/usr/bin/twonmnist-generate",
        r"/etc/twonmnist/twonmnistd\.conf",
        r"/lib/systemd/system/twonmnistd(@)?\.(service|socket)",
        r"/usr/lib/sysusers\.d/twonmnist\.conf", r"/usr/lib/tmpfiles\.d/twonmnist\.conf",
        r"/usr/share/man/man8/twonmnistd\.8\.gz",
        r"/usr/share/man/man5/twonmnistd\.conf\.5\.gz",
        r"/usr/share/man/man8/twonmnistd(@)?\.(service|socket)\.8\.gz", r"/usr/share/man/man1/twonmnist-generate\.1\.gz"],
    "twonmnist": [
        r"/usr/bin/twonmnist", r"/usr/share/man/man1/twonmnist\.1\.gz",
        r"/usr/share/bash-completion/completions/twonmnist",
        r"/usr/share/zsh/vendor-completions/_twonmnist",
        r"/usr/share/fish/vendor_completions\.d/twonmnist\.fish"],
    "libtwonmnist0": [r"/usr/lib/[^/]+/libtwonmnist\.so\.0(\.\d+)*"],
    "libtwonmnist-dev": [
        r"/usr/include/twonmnist\.h", r"/usr/lib/[^/]+/libtwonmnist\.so",
        r"/usr/lib/[^/]+/pkgconfig/twonmnist\.pc", r"/usr/share/man/man3/libtwonmnist\.3\.gz"],
    "python3-twonmnist": [
        r"/usr/lib/python3/dist-packages/twonmnist/\w+\.py",
        r"/usr/lib/python3/dist-packages/twonmnist/py\.typed",
        r"/usr/lib/python3/dist-packages/twonmnist-[\d.]+\.dist-info/\w+"],
    "twonmnist-doc": [r"/usr/share/doc/twonmnist/README\.md\.gz",
                      r"/usr/share/doc/twonmnist/examples/train\.py"],
}


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = packages.packages()

    def field(self, package, name):
        return packages.run("dpkg-deb", "--field", self.files[package], name).strip()

    def test_each_has_its_files_and_no_others(self):
        self.assertEqual(set(self.files), set(FILES))
        for package, patterns in FILES.items():
            paths = packages.contents(self.files[package])
            for pattern in patterns:
                self.assertTrue(any(re.fullmatch(pattern, path) for path in paths),
                                f"{package} lacks {pattern}")
            known = "|".join([DOCUMENTS, *patterns])
            self.assertEqual({path for path in paths if not re.fullmatch(known, path)}, set(),
                             package)

    def test_lintian_finds_neither_errors_nor_warnings(self):
        changes = next(packages.built().glob("*.changes"))
        said = packages.run("lintian", "--allow-root", "--fail-on", "none", changes)
        self.assertEqual(re.findall("^[EW]: .*", said, re.MULTILINE), [])

    def test_their_version_is_that_of_the_programs(self):
        version = re.search(r"AC_INIT\(\[twonmnist\], \[([\d.]+)\]",
                            (ROOT / "configure.ac").read_text(encoding="utf-8"))[1]
        for package in self.files:
            self.assertEqual(self.field(package, "Version"), version, package)

    def test_they_need_what_they_use(self):
        self.assertRegex(self.field("twonmnistd", "Depends"), r"libmicrohttpd12.*libuv1")
        self.assertNotIn("libtwonmnist0", self.field("twonmnistd", "Depends"))
        self.assertRegex(self.field("twonmnist", "Depends"), r"libtwonmnist0 \(>= ")
        self.assertRegex(self.field("python3-twonmnist", "Depends"),
                         r"libtwonmnist0.*python3-numpy|python3-numpy.*libtwonmnist0")

    def test_the_configuration_is_one_that_an_upgrade_keeps(self):
        listed = packages.run("dpkg-deb", "--info", self.files["twonmnistd"], "conffiles")
        self.assertEqual(listed.split(), ["/etc/twonmnist/twonmnistd.conf"])

    def test_an_upgrade_starts_the_daemon_anew_and_leaves_its_sockets(self):
        script = packages.run("dpkg-deb", "--info", self.files["twonmnistd"], "postinst")
        restarted = re.findall(r"deb-systemd-invoke \S+ .*", script)
        self.assertTrue(any("try-restart 'twonmnistd.service'" in line or
                            "$_dh_action 'twonmnistd.service'" in line for line in restarted),
                        restarted)
        self.assertFalse([line for line in restarted if ".socket" in line])
        before = packages.run("dpkg-deb", "--info", self.files["twonmnistd"])
        self.assertNotIn("preinst", before)


if __name__ == "__main__":
    unittest.main()
