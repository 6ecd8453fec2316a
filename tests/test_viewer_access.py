# SPDX-License-Identifier: Apache-2.0
"""The web page for those who use the keyboard alone, and by the rules of axe-core."""
import json
import unittest

import node_tools
import test_viewer

FOCUSABLE = """[...document.querySelectorAll('a[href],button,input,select,[tabindex]')].filter((e) =>
    e.tabIndex >= 0 && e.getClientRects().length && getComputedStyle(e).visibility !== 'hidden')"""


class Access(test_viewer.Case):
    def test_the_tab_key_alone_reaches_every_control(self):
        for place in test_viewer.VIEWS:
            with self.subTest(place):
                page = self.page(place)
                page.run(f"{FOCUSABLE}.forEach((e, i) => {{ e.dataset.n = i; }})")
                expected = page.run(f"{FOCUSABLE}.filter((e) => e.id !== 'main').length")
                reached = set()
                for _ in range(expected + 5):
                    page.key("Tab")
                    reached.add(page.run("document.activeElement.dataset.n ?? null"))
                reached.discard(None)
                self.assertGreater(expected, 10)
                self.assertEqual(len(reached), expected, page.run(f"{FOCUSABLE}.map((e) => e.outerHTML.slice(0, 120))"))

    def test_axe_finds_no_violation_at_any_width_in_either_theme(self):
        axe = node_tools.install("axe") / "node_modules/axe-core/axe.min.js"
        source = axe.read_text(encoding="utf-8")
        for place in test_viewer.VIEWS:
            page = self.page(place)
            page.run(f"(() => {{ {source} }})(); 0")
            for width in test_viewer.WIDTHS:
                for dark in (False, True):
                    with self.subTest(f"{place} at {width}, {'dark' if dark else 'light'}"):
                        page.look(width=width, dark=dark)
                        page.run(test_viewer.FRAMES)
                        rules = ", runOnly: ['color-contrast']" if dark else ""  # all else is the same
                        found = page.run("axe.run(document, {resultTypes: ['violations']" + rules + "}).then(({violations}) =>"
                                         " violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(' ') + ': ' + n.failureSummary)]))")
                        self.assertEqual(found, [], json.dumps(found, indent=1))


if __name__ == "__main__":
    unittest.main()
