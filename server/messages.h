/* SPDX-License-Identifier: Apache-2.0
 * Messages that programs look for in the journal, by what stands in MESSAGE_ID for ever
 * (journalctl MESSAGE_ID=...). */
#pragma once

/* clang-format off */
/*    message        id                                  help */
#define MESSAGES(X) \
    X(STARTED,      "e794354f59fb43529fe19688dd11f1a2", "the daemon listens (ADDRESS)") \
    X(STOPPING,     "55e982cb6dd04565916518189a28a113", "it was told to stop") \
    X(STOPPED,      "13b108696efd4b7093671c7ad45e2e5b", "it has stopped") \
    X(LOADED,       "9b9d60099ef0458ba0567cae2b116396", "a split is served (SPLIT, REVISION)") \
    X(PASSED_OVER,  "ee707166631241ca9ab6e925a20ce54d", "a file of the folder is not served (SPLIT)") \
    X(RELOADED,     "bf27f9291a1e4238ab42957d2dfcf81f", "the folder was opened anew") \
    X(NOT_RELOADED, "e3fca00124514751b3952c1f650c9dd4", "it could not be opened anew; what was served is served on") \
    X(DAMAGED,      "1f7f9705d7724bf88aae45e7e312738f", "a split's file is damaged, and is not served any more (SPLIT, REVISION)") \
    X(REFUSED,      "aea0268004fa4eefa628274b2668e340", "clients have to wait, or are turned away (ADDRESS, where it is one)") \
    X(ACCESS,       "b1c6a5ef9e0347f888ff8fc2da1f71f6", "a line of the access log")
/* clang-format on */

enum message {
    MESSAGE_NONE,
#define MESSAGES_ENUM(message, ...) MESSAGE_##message,
    MESSAGES(MESSAGES_ENUM)
#undef MESSAGES_ENUM
};
