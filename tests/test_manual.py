# SPDX-License-Identifier: Apache-2.0
"""The manual pages against what they tell of: the library's header and options, a compiler, the
daemon's tables."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import certificates
import daemon

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
PAGE = (ROOT / "doc/libtwonmnist.3").read_text(encoding="utf-8")
HEADER = (ROOT / "client/twonmnist.h").read_text(encoding="utf-8")


class Manual(unittest.TestCase):
    @staticmethod
    def functions():
        code = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.DOTALL)
        code = re.sub(r"^typedef .*?;", "", code, flags=re.DOTALL | re.MULTILINE)
        return set(re.findall(r"\b(tnm_\w+)\(", code))

    def test_every_function_is_in_the_manual_page(self):
        functions = self.functions()
        self.assertGreater(len(functions), 50)
        self.assertEqual(set(re.findall(r"\.Fn (tnm_\w+)", PAGE)), functions)

    def test_every_function_is_among_the_symbols_of_debian_s_package(self):
        listed = (ROOT / "debian/libtwonmnist0.symbols").read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r"^ (tnm_\w+)@TNM_0 [\d.]+$", listed, re.MULTILINE)),
                         self.functions())

    def test_every_option_is_in_the_manual_page_with_its_default(self):
        rows = (ROOT / "client/options.h").read_text(encoding="utf-8")
        numbers = re.findall(r"X\((\w+), (\d+), \d+, \d+, ", rows)
        texts = re.findall(r'X\((\w+), "', rows)
        self.assertTrue(numbers and texts)
        for name, default in numbers:
            self.assertRegex(PAGE, rf"\.It Cm {name}\n.*\({default}\)")
        for name in [*texts, "token_file", "wire"]:
            self.assertIn(f".It Cm {name}\n", PAGE)

    def test_the_example_compiles(self):
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            self.skipTest("there is no C compiler")
        example = re.search(r"\.Bd -literal -offset indent\n(.*?)\.Ed", PAGE, re.DOTALL).group(1)
        with daemon.temporary_folder() as folder:
            source = pathlib.Path(folder) / "example.c"
            source.write_text(example.replace(r"\e", "\\"), encoding="utf-8")
            subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                            f"-I{ROOT / 'client'}", source], check=True)


class Tables(unittest.TestCase):
    def check(self, page, program, option="--reference"):
        """What stands between the page's marks is what the program prints of its tables."""
        page = (ROOT / "doc" / page).read_text(encoding="utf-8")
        mark = rf'\.\\" [^\n]*{program} {option}\.\n'
        written = re.split(mark, page)
        self.assertEqual(len(written), 3, "the marks around the sections")
        printed = subprocess.run([daemon.BUILD / program, option], check=True,
                                 capture_output=True, text=True).stdout
        self.assertEqual(written[1], printed)

    def test_the_daemons_paths_parameters_and_problems_are_those_of_the_tables(self):
        self.check("twonmnistd.8", "twonmnistd")

    def test_the_settings_are_those_of_the_table(self):
        self.check("twonmnistd.conf.5", "twonmnistd", "--reference=settings")

    def test_there_are_no_other_parts(self):
        asked = subprocess.run([daemon.DAEMON, "--reference=paths"], check=False,
                               capture_output=True, text=True)
        self.assertEqual((asked.returncode, asked.stdout), (2, ""))
        self.assertIn('--reference: "paths" is not settings', asked.stderr)

    def test_the_command_lines_commands_options_and_exits_are_those_of_the_tables(self):
        self.check("twonmnist.1", "twonmnist")


class Pages(unittest.TestCase):
    def test_man_shows_them_without_a_warning(self):
        if shutil.which("groff") is None:
            self.skipTest("there is no groff")
        for page in sorted((ROOT / "doc").glob("*.[1-8]")):
            shown = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", self.followed(page)],
                                   check=True, capture_output=True, text=True)
            self.assertEqual(shown.stderr, "", page.name)
            self.assertGreater(len(shown.stdout), 2000, page.name)

    @staticmethod
    def followed(page):
        """The page, or that of which it is another name."""
        other = re.search(r"^\.so man(\d)/(\S+\.\1)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        return page.parent / other[2] if other else page

    def test_the_units_have_one_under_each_name_and_name_those_that_there_are(self):
        for unit in "twonmnistd.service", "twonmnistd.socket", "twonmnistd@.service", \
                "twonmnistd@.socket":
            page = self.followed(ROOT / "doc" / f"{unit}.8").read_text(encoding="utf-8")
            self.assertRegex(page, rf"(?m)^\.Nm {re.escape(unit)}( ,)?$")
        for unit in (ROOT / "systemd").glob("*.in"):
            named = re.findall(r"man:([\w.@-]+)\((\d)\)", unit.read_text(encoding="utf-8"))
            self.assertIn(("twonmnistd.service", "8"), named)
            for name, section in named:
                self.assertTrue((ROOT / "doc" / f"{name}.{section}").exists(), name)


class Settings(unittest.TestCase):
    """doc/twonmnistd.conf.5."""
    PAGE = (ROOT / "doc/twonmnistd.conf.5").read_text(encoding="utf-8")

    def check(self, folder, text):
        """What --check-config says of a configuration, whose files are looked for in the folder."""
        config = pathlib.Path(folder) / "twonmnistd.conf"
        config.write_text(text.replace("/etc/twonmnist/", f"{folder}/"), encoding="utf-8")
        checked = subprocess.run([daemon.DAEMON, "--config", config, "--check-config"], check=False,
                                 capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_its_examples_are_right(self):
        certificates.need_openssl()
        section = self.PAGE.partition("\n.Sh EXAMPLES\n")[2]
        examples = re.findall(r"\.Bd -literal -offset indent\n(.*?)\.Ed", section, re.DOTALL)
        self.assertEqual(len(examples), 3)
        with daemon.temporary_folder() as folder:
            place = pathlib.Path(folder) / "tls"
            place.mkdir()
            certificates.Authority(place).issue("server")
            (pathlib.Path(folder) / "tokens").touch()
            for example in examples:
                with self.subTest(example):
                    self.check(folder, example)

    def test_names_take_dashes_and_the_last_value_counts(self):
        with daemon.temporary_folder() as folder:
            data = daemon.generate(pathlib.Path(folder) / "data", "--count", "20,5", source="synthetic")
            config = pathlib.Path(folder) / "some.conf"
            config.write_text("max_batch_size = 3\nmax-batch-size = 5 # not 3\n", encoding="utf-8")
            with daemon.Daemon(data, "--config", config) as server:
                limits = server.get("/v1/splits").json()["limits"]
        self.assertEqual(limits["max_batch_size"], 5)


class Security(unittest.TestCase):
    def test_every_promise_names_tests_that_there_are(self):
        page = (ROOT / "doc/security.md").read_text(encoding="utf-8")
        promises = re.search(r"## Promises\n(.*?)\n## ", page, re.DOTALL).group(1)
        rows = [row for row in re.findall(r"^\| (.*) \|$", promises, re.MULTILINE)
                if row != "promise | tests"]
        self.assertGreater(len(rows), 25)
        for row in rows:
            named = re.findall(r"`(\w+\.(?:py|c))(?:::(\w+))?`", row.rpartition(" | ")[2])
            self.assertTrue(named, row)
            for file, test in named:
                text = (ROOT / "tests" / file).read_text(encoding="utf-8")
                self.assertRegex(text, rf"\b{test}\(" if test else "unittest|cmocka", file)


if __name__ == "__main__":
    unittest.main()
