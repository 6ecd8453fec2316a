# SPDX-License-Identifier: Apache-2.0
"""What several programs and languages have to agree on: each against the one place that says it."""
import ast
import ctypes
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
BINDING = ROOT / "python/twonmnist/_library.py"


def code_of(path):
    """A C file without its comments."""
    return re.sub(r"/\*.*?\*/", " ", (ROOT / path).read_text(encoding="utf-8"), flags=re.DOTALL)


HEADER = code_of("client/twonmnist.h")
WIRE = code_of("common/wire.h")

# How ctypes says what C says. Pointers to objects of the library's are addresses.
VALUES = {"void": None, "int": ctypes.c_int, "unsigned": ctypes.c_uint, "size_t": ctypes.c_size_t,
          "uint32_t": ctypes.c_uint32, "uint64_t": ctypes.c_uint64}
POINTERS = {"char *": ctypes.c_char_p, "char **": ctypes.POINTER(ctypes.c_void_p),
            "const char *const *": ctypes.POINTER(ctypes.c_char_p),
            "size_t *": ctypes.POINTER(ctypes.c_size_t),
            "uint32_t *": ctypes.POINTER(ctypes.c_uint32),
            "uint64_t *": ctypes.POINTER(ctypes.c_uint64),
            "const uint32_t *": ctypes.POINTER(ctypes.c_uint32),
            "const uint64_t *": ctypes.POINTER(ctypes.c_uint64)}
CALLBACKS = set(re.findall(r"^typedef \w+ (\w+)\(", HEADER, re.MULTILINE))
STRUCTS = set(re.findall(r"\btypedef struct \w* ?\{[^}]*\} (\w+);", HEADER))


def prototypes():
    """Function -> (what it returns, what it takes), as C has them."""
    found = re.findall(r"^((?:const )?\w+ \**)(tnm_\w+)\(([^)]*)\);", HEADER, re.MULTILINE)
    return {name: (returned.strip(), [type_of(argument) for argument in arguments.split(",")]
                   if arguments.strip() != "void" else [])
            for returned, name, arguments in found}


def type_of(argument):
    """`const uint32_t at[4]` as "const uint32_t *"."""
    argument = re.sub(r"(\w+)\[\d*\]$", r"*\1", " ".join(argument.split()))
    return re.sub(r"\b\w+$", "", argument).strip() if " " in argument else argument


def fits(said, c_type, returned=False):
    """Whether ctypes says what C says."""
    plain = c_type.removeprefix("const ")
    if c_type in VALUES:
        return said is VALUES[c_type]
    if plain.rstrip(" *") in CALLBACKS:
        return issubclass(said, ctypes._CFuncPtr)
    if plain.rstrip(" *") in STRUCTS:
        return said is ctypes.c_void_p or issubclass(said, ctypes._Pointer)
    if c_type in POINTERS and not returned:
        return said is POINTERS[c_type]
    if plain == "char *":
        return said is ctypes.c_char_p
    if plain.endswith("**"):
        return said is ctypes.POINTER(ctypes.c_void_p)
    return plain.endswith("*") and said is ctypes.c_void_p


def binding():
    """The binding's names up to its table of prototypes, without loading the library."""
    names = {"__name__": "binding"}
    for statement in ast.parse(BINDING.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.ImportFrom) and statement.level:
            continue  # a sibling, by which the library is found
        exec(compile(ast.Module([statement], []), BINDING, "exec"), names)
        if "_PROTOTYPES" in names:
            return names
    raise AssertionError("the binding has no _PROTOTYPES")


class Python(unittest.TestCase):
    def test_prototypes_are_those_of_the_header(self):
        real = prototypes()
        self.assertGreater(len(real), 50)
        for name, (returned, taken) in binding()["_PROTOTYPES"].items():
            with self.subTest(name):
                self.assertIn(name, real)
                c_returned, c_taken = real[name]
                self.assertTrue(fits(returned, c_returned, returned=True), c_returned)
                self.assertEqual(len(taken), len(c_taken))
                for said, c_type in zip(taken, c_taken):
                    self.assertTrue(fits(said, c_type), f"{said} is not {c_type}")

    def test_every_function_that_is_called_has_its_prototype(self):
        used = set()
        for path in (ROOT / "python/twonmnist").glob("*.py"):
            used |= set(re.findall(r"\btnm_\w+", path.read_text(encoding="utf-8")))
        self.assertGreater(len(used), 30)
        self.assertEqual(used - STRUCTS, set(binding()["_PROTOTYPES"]))

    def test_statistics_are_those_of_the_header(self):
        fields = re.search(r"typedef struct \w* ?\{([^}]*)\} tnm_stats;", HEADER).group(1)
        names = re.findall(r"\w+", " ".join(re.findall(r"uint64_t ([^;]*);", fields)))
        stated = re.search(r"^STATS = (\([^)]*\))", BINDING.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(list(ast.literal_eval(stated.group(1))), names)

    def test_numbers_of_the_header_are_the_same(self):
        numbers = {name: int(value) for name, value in re.findall(r"\b(TNM_\w+) = (\d+)", HEADER)}
        source = BINDING.read_text(encoding="utf-8")
        self.assertEqual(int(re.search(r"^CURSOR_SIZE = (\d+)", source, re.MULTILINE).group(1)),
                         numbers["TNM_CURSOR_SIZE"])


class Wire(unittest.TestCase):
    def test_the_port_is_the_same_everywhere(self):
        port = re.search(r"WIRE_PORT = (\d+)", WIRE).group(1)
        places = ["cli/options.h", "server/settings.h", "doc/twonmnist.1", "doc/twonmnistd.8",
                  "doc/twonmnistd.conf.5", "doc/twonmnistd.service.8",
                  "etc/twonmnistd.conf", "README.md", "python/twonmnist/__init__.py"]
        for place in places:
            with self.subTest(place):
                said = set(re.findall(r"(?:127\.0\.0\.1|localhost):(\d+)",
                                      (ROOT / place).read_text(encoding="utf-8")))
                self.assertIn(port, said)

    def test_a_kind_of_problem_has_one_row_and_a_sentence(self):
        rows = re.findall(r'X\((\w+), +(\d{3}), "([a-z-]+)", +"([^"]+)", (\w+), (E\w+)\)', WIRE)
        self.assertEqual(len(rows), len(re.findall(r"X\(\w+, +\d{3}", WIRE)))
        self.assertGreater(len(rows), 15)
        for column in (0, 2, 3):
            values = [row[column] for row in rows]
            self.assertEqual(len(values), len(set(values)))
        for kind, status, _, title, verdict, error in rows:
            with self.subTest(kind):
                self.assertIn(int(status), range(400, 600))
                self.assertRegex(title, r"^[A-Z].*[^.]$")
                self.assertIn(verdict, ("AGAIN", "OTHER", "NEVER"))
                if int(status) == 503:
                    self.assertEqual((verdict, error), ("AGAIN", "EHOSTUNREACH"))

    def test_the_server_says_no_other_code(self):
        known = set(re.findall(r'\d{3}, "([a-z-]+)"', WIRE))
        used = set(re.findall(r'\d{3}, "([a-z-]+)"', code_of("server/problem.h")))
        self.assertLessEqual(used - {"stopping"}, known)  # which no handler says


if __name__ == "__main__":
    unittest.main()
