# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: every #include line of the tree against one table."""
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))

# Folder -> the folders whose headers it may include, beside its own.
FOLDERS = {
    "common": set(),
    "generator": {"common"},
    "server": {"common"},
    "client": {"common"},
    "cli": set(),  # and <twonmnist.h>, as an installed program
    "tests": {"common", "generator", "server", "client", "cli"},
    "bench": {"common", "server"},
}

# Third-party header -> its doors: the only files that may include it.
DOORS = {
    "jansson.h": {"common/json_memory.c", "common/safetensors.c", "server/body.c", "server/description.h", "server/handle_splits.c",
                  "server/problem.c", "cli/info.c", "client/document.c"},
    "nettle/": {"common/sha256.c"},
    "zlib.h": {"server/samples/image.c", "server/samples/kept.c"},
    "png.h": {"server/samples/image.c"},
    "archive": {"generator/zip.c"},
    "gnutls/": {"server/tls.c"},
    "microhttpd.h": {"server/delivery.c", "server/exchange.c", "server/head.c", "server/http.c",
                     "bench/answers.c"},
    "uv.h": {"server/app.c", "server/loop.h", "client/loop.c"},
    "curl/": {"client/transfer_state.h"},
}

CONFIGURED = "config.h"  # made by configure
INSTALLED = "twonmnist.h"  # what `make install` gives to others

# A folder inside another, which knows nothing of that one: what answers consist of does not see who
# asks for them.
APART = "server/samples"

# The floors of a folder, from the ground up: of its own folder's headers a file includes its own
# and those on floors below. Names without their endings. The parts of one noun (noun_part) that
# stand on one floor are one: they share headers.
ORDER = {
    "client": [
        ["twonmnist", "blob", "body", "chunks", "cursor", "document", "hash", "items", "loop", "places", "pool",
         "retry"],
        ["failure", "srv"],
        ["rule"],
        ["batch"],
        ["options", "decoder", "decoder_frames"],
        ["transfer", "transfer_line", "transfer_state"],
        ["servers", "digest", "problem"],
        ["rank"],
        ["names", "probe"],
        ["request", "request_state", "request_answer", "request_attempt", "request_choice", "request_shared",
         "request_words"],
        ["client", "client_request"],
        ["parts", "place", "split"],
        ["view"],
        ["path", "pull", "wish", "labels"],
        ["stream", "get"],
        ["stream_decode", "stream_open", "stream_place", "stream_stats"],
    ],
    "server/samples": [
        ["ahead", "base64", "decimal", "form", "found", "guard", "orders", "scratch", "tally"],
        ["cut"],
        ["tensor"],
        ["budget", "holding"],
        ["reply"],
        ["image", "kept", "pace", "text"],
        ["latest"],
        ["catalog"],
        ["catalog_open", "cost", "recipe", "rows", "rows_sort", "scrub", "views"],
        ["blob"],
        ["encode"],
        ["encode_bin", "encode_json", "encode_npy", "encode_png", "encode_safetensors",
         "encode_shard", "encode_sparse", "encode_tensors"],
    ],
    "server": [
        ["access_line", "format", "journal", "messages", "viewer"],
        ["metrics"],
        ["address", "admission", "base_path", "body", "command_line", "descriptors", "digest", "exposition",
         "log", "param", "process_usage", "range", "rates", "secret", "snapshot", "tls", "tokens",
         "unix_socket", "upload", "watchdog", "workers"],
        ["damage", "delivery", "description", "meaning", "notify", "passed", "pattern", "settings"],
        ["access_log", "callers", "listen", "peer", "service"],
        ["opening", "reload", "request", "scrubber"],
        ["cors", "handlers", "origin", "problem"],
        ["validators"],
        ["arguments", "framing", "partial", "route"],
        ["openapi_schemas", "paging", "pictured"],
        ["openapi_problems"],
        ["about", "counted", "croissant", "document", "head", "llms", "openapi", "record"],
        ["handle_batches", "handle_descriptions", "handle_health", "handle_metrics", "handle_pictures",
         "handle_rows", "handle_samples", "handle_shards", "handle_splits", "handle_viewer", "handle_views"],
        ["routes"],
        ["access"],
        ["exchange", "reference"],
        ["http"],
        ["loop"],
        ["app"],
        ["main"],
    ],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def sources():
    for folder in FOLDERS:
        yield from sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in (".c", ".h"))


def includes(path):
    """(kind, header) of each #include line: kind is '<' or '"'."""
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


class Layering(unittest.TestCase):
    def check(self, fault_of):
        faults = []
        seen = 0
        for path in sources():
            name = path.relative_to(ROOT).as_posix()
            for kind, header in includes(path):
                seen += 1
                fault = fault_of(name, kind, header)
                if fault:
                    faults.append(f"{name} includes {header}: {fault}")
        self.assertGreater(seen, 0, "no #include line found: is TWONMNIST_SOURCE the top folder?")
        self.assertEqual(faults, [])

    def test_folders_include_only_whom_they_may(self):
        def fault_of(name, kind, header):
            own = name.split("/")[0]
            other = header.split("/")[0]
            if kind == '"' and header != CONFIGURED and other not in FOLDERS[own] | {own}:
                return f"{own}/ may include {sorted(FOLDERS[own] | {own})} alone"
            return None

        self.check(fault_of)

    def test_the_command_line_sees_the_installed_header_alone(self):
        def fault_of(name, kind, header):
            own = name.startswith("cli/")
            if kind == "<" and (ROOT / header).is_file():
                return "own headers are named in quotes"
            if own and header.endswith(INSTALLED) and kind == '"':
                return f"it is <{INSTALLED}> to an installed program"
            return None

        self.check(fault_of)
        makefile = (ROOT / "Makefile.am").read_text(encoding="utf-8")
        self.assertIn("\ntwonmnist_LDADD = libcli.a libtwonmnist.la $(JANSSON_LIBS)\n", makefile)

    def test_what_answers_consist_of_knows_nothing_of_who_asks(self):
        def fault_of(name, kind, header):
            inside = name.startswith(APART + "/") and not header.startswith(APART + "/")
            if inside and header.startswith(APART.split("/")[0] + "/"):
                return f"of its folder it may include {APART}/ alone"
            return None

        self.check(fault_of)

    def test_floors_are_climbed_from_below_alone(self):
        floors = {f"{folder}/{name}": i for folder, order in ORDER.items()
                  for i, names in enumerate(order) for name in names}

        def fault_of(name, kind, header):
            own, other = name.rpartition(".")[0], header.rpartition(".")[0]
            folder = own.rpartition("/")[0]
            if folder not in ORDER:
                return None
            if own not in floors:
                return "the file has no floor in ORDER"
            if kind != '"' or other == own or other.rpartition("/")[0] != folder:
                return None
            floor = floors.get(other, floors[own])
            if floor == floors[own] and own.partition("_")[0] == other.partition("_")[0]:
                return None
            return "it is not on a floor below" if floor >= floors[own] else None

        self.check(fault_of)
        built = {p.relative_to(ROOT).with_suffix("").as_posix() for p in sources()}
        self.assertEqual([name for name in floors if name not in built], [])

    def test_own_headers_are_named_from_the_top_of_the_tree(self):
        def fault_of(name, kind, header):
            if kind == '"' and header != CONFIGURED and not (ROOT / header).is_file():
                return "there is no such file from the top of the tree"
            return None

        self.check(fault_of)

    def test_each_library_is_seen_through_its_door_alone(self):
        def fault_of(name, kind, header):
            if kind == "<" and not name.startswith("tests/"):
                for prefix, doors in DOORS.items():
                    if header.startswith(prefix) and name not in doors:
                        return f"its doors are {sorted(doors)}"
            return None

        self.check(fault_of)

    def test_every_door_is_a_file_that_uses_its_library(self):
        built = {p.relative_to(ROOT).as_posix() for p in sources()}
        idle = [f"{door}: {prefix}" for prefix, doors in DOORS.items() for door in doors
                if door in built
                and not any(k == "<" and h.startswith(prefix) for k, h in includes(ROOT / door))]
        self.assertEqual(idle, [])


if __name__ == "__main__":
    unittest.main()
