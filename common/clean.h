/* SPDX-License-Identifier: Apache-2.0
 * Makes text of others fit to be shown to a person on a terminal. */
#pragma once

/* Put one "?" in place of each character that could do more than be seen: control characters (C0,
 * DEL, C1: they move the cursor, change colours, answer for the keyboard), those that turn the
 * direction of writing or break the line, and bytes that are no UTF-8. In place; the text never
 * grows. Source: Unicode 15, Bidi_Control; RFC 3629. */
void clean_line(char *text);
