/* SPDX-License-Identifier: Apache-2.0
 * What an administrator can set: one table feeds the struct, the parser, --help, the sample
 * configuration and the limits in /v1/splits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"

/* clang-format off */
/*    kind  name                         default               min      max            unit           help */
#define SETTINGS(X) \
    X(TEXT, data,                        "/var/lib/twonmnist", 0,       0,             "",            "folder with the splits to serve") \
    X(LIST, listen,                      "127.0.0.1:8642",     0,       0,             "",            "ADDR:PORT or unix:PATH to listen on; may be given several times") \
    X(BOOL, allow_anonymous,             "no",                 0,       0,             "",            "serve other machines too, though nobody is asked who he is") \
    X(TEXT, token_file,                  "",                   0,       0,             "",            "file of lines \"name sha256-hex [expires]\": who shows such a token is served, others are not") \
    X(TEXT, tls_certificate,             "",                   0,       0,             "",            "PEM file of the certificate and its chain; with it all but Unix sockets speak TLS") \
    X(TEXT, tls_key,                     "",                   0,       0,             "",            "PEM file of the certificate's private key") \
    X(TEXT, tls_client_ca,               "",                   0,       0,             "",            "PEM file of authorities; over TLS only clients with a certificate of theirs are served") \
    X(TEXT, admin_listen,                "off",                0,       0,             "",            "ADDR:PORT or unix:PATH that tells health and metrics to anybody, and nothing else; or off") \
    X(TEXT, access_log,                  "off",                0,       0,             "",            "a line for each request: off, stderr, journal, or the path of a file") \
    X(TEXT, access_log_format,           "json",               0,       0,             "",            "json, or common for the Common Log Format") \
    X(BOOL, viewer,                      "yes",                0,       0,             "",            "show the web page at /") \
    X(PATH, base_path,                   "",                   0,       0,             "",            "prefix of all paths where a proxy shows them: /a/b; requests may have it, documents do") \
    X(BOOL, trust_forwarded,             "no",                 0,       0,             "",            "take X-Forwarded-Prefix, -Host and -Proto from who connects: where a proxy alone can") \
    X(BOOL, allow_all_origins,           "yes",                0,       0,             "",            "let the pages of all web sites read answers in a browser (CORS)") \
    X(UINT, threads,                     "0",                  0,       256,           "",            "loops that serve; 0 is one for each core") \
    X(UINT, max_connections,             "4096",               1,       1000000,       "connections", "most connections at a time; fewer where descriptors are short") \
    X(UINT, max_connections_per_address, "0",                  0,       1000000,       "connections", "most of them from one client's address; 0 is no limit") \
    X(UINT, requests_per_second_per_address, "0",              0,       1000000,       "requests/s",  "most requests from one address, on the average of ten seconds; 0 is no limit") \
    X(UINT, bytes_per_second_per_address, "0",                 0,       1099511627776, "bytes/s",     "most bytes of answers to one address, on the average of ten seconds; 0 is no limit") \
    X(UINT, max_batch_size,              "1024",               1,       65536,         "samples",     "most samples one request may ask for") \
    X(UINT, max_answer_bytes,            "268435456",          1048576, 17179869184,   "bytes",       "largest answer that is made for one request") \
    X(UINT, max_pending_bytes,           "1073741824",         1048576, 1099511627776, "bytes",       "most memory for requests and answers under way") \
    X(UINT, max_pending_bytes_per_address, "536870912",        1048576, 1099511627776, "bytes",       "most of it for the clients at one address") \
    X(UINT, max_body_bytes,              "1048576",            1024,    16777216,      "bytes",       "largest body of a POST") \
    X(UINT, max_url_bytes,               "8192",               256,     12288,         "bytes",       "longest URL") \
    X(UINT, max_header_bytes,            "16384",              16384,   131072,        "bytes",       "memory of a connection for the headers of its request and of the answer") \
    X(UINT, queue_length,                "64",                 1,       65536,         "requests",    "heavy requests that may wait for a worker") \
    X(UINT, queue_cost_ms,               "10000",              1,       3600000,       "ms",          "work that may wait for the workers, as it is estimated") \
    X(UINT, idle_timeout_s,              "60",                 1,       86400,         "seconds",     "a connection without traffic is closed after it") \
    X(UINT, request_timeout_s,           "30",                 1,       86400,         "seconds",     "a request must have arrived whole within it") \
    X(UINT, least_rate,                  "65536",              0,       1073741824,    "bytes/s",     "a client that takes less of its answer over request_timeout_s is cut off; 0 is never") \
    X(UINT, stop_timeout_s,              "10",                 0,       3600,          "seconds",     "running requests may take this long to end at a stop") \
    X(UINT, watch_interval_s,            "2",                  0,       3600,          "seconds",     "how often to look for replaced splits; 0 is never") \
    X(UINT, scrub_interval_s,            "86400",              0,       31536000,      "seconds",     "how often to hold all data against its checksums, first once it is mapped; 0 is never") \
    X(UINT, scrub_rate,                  "134217728",          1048576, 17179869184,   "bytes/s",     "most of it that is read for that") \
    X(UINT, log_level,                   "2",                  0,       3,             "",            "0 errors, 1 and warnings, 2 and information, 3 and debugging")
/* clang-format on */

enum { SETTINGS_LIST_MAX = 16 };

/* Who says what a setting is: a later one goes before an earlier one. */
enum setting_source { SETTING_DEFAULT, SETTING_FILE, SETTING_OPTION };

struct setting_list {
    char *items[SETTINGS_LIST_MAX];
    unsigned n;
    enum setting_source source;
};

typedef uint64_t setting_UINT;
typedef bool setting_BOOL;
typedef char *setting_TEXT;
typedef char *setting_PATH;
typedef struct setting_list setting_LIST;

struct settings {
#define SETTINGS_FIELD(kind, name, ...) setting_##kind name;
    SETTINGS(SETTINGS_FIELD)
#undef SETTINGS_FIELD
};

/* All defaults. Errors: -ENOMEM. */
int settings_init(struct settings *ret);
void settings_free(struct settings *settings);

/* Set one by its name, in which '-' reads as '_'. A text may be empty where its default is. A list
 * grows by one item, or begins anew where the items before are of an earlier source. Errors:
 * -ENOENT no such setting; -EINVAL, -ERANGE the value (why says what is possible). */
int settings_set(struct settings *settings, enum setting_source source, const char *name,
                 const char *value, struct error *why);

/* Read `name = value` lines. '#' starts a comment, also behind a value; blanks around names and
 * values do not count; empty lines neither.
 * Errors: those of open() and read(); those of settings_set(), with file and line. */
int settings_read(struct settings *settings, const char *path, struct error *why);

/* Print the options for --help, a configuration file that shows every default, and the list in
 * doc/twonmnistd.conf.5 (mdoc(7)). */
void settings_print_help(FILE *out);
void settings_print_sample(FILE *out);
void settings_print_manual(FILE *out);

/* Call `each` for every setting that limits something. */
void settings_limits(const struct settings *settings,
                     void (*each)(const char *name, uint64_t value, void *user), void *user);
