/* SPDX-License-Identifier: Apache-2.0
 * The web page and the files that it is made of; and, for programs, where the paths are. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "server/document.h"
#include "server/handlers.h"
#include "server/problem.h"
#include "server/route.h"
#include "server/samples/text.h"
#include "server/viewer.h"

enum { NAME_SIZE = 64, ENTRY_BYTES = 512 };

/* Nothing comes from elsewhere, nothing goes elsewhere, and no other page shows this one. */
static const struct {
    const char *name, *value;
} headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
};

static const struct viewer_file *find_file(const char *stem, size_t n, enum format format)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%.*s.%s", (int)n, stem, format_rows[format].extension);
    for (unsigned i = 0; i < n_viewer_files; i++)
        if (strcmp(viewer_files[i].name, name) == 0)
            return &viewer_files[i];
    return NULL;
}

/* The file that is asked for, or NULL. */
static const struct viewer_file *file_of(const struct request *request)
{
    if (request->format == FORMAT_HTML)
        return find_file("index", strlen("index"), FORMAT_HTML);
    const char *stem = strrchr(request->path, '/') + 1;
    return find_file(stem, strcspn(stem, "."), request->format);
}

static void take(struct request *request, const struct viewer_file *file)
{
    request->tag = file->tag;
    document_offer_gzip(request);
}

static bool check_file(struct request *request, struct reply *reply)
{
    const struct viewer_file *file = file_of(request);
    if (!service_settings(request->service)->viewer)
        problem(request, reply, PROBLEM_NO_SUCH_PATH,
                "this server shows no web page; the paths start at /v1/splits");
    else if (!file)
        problem(request, reply, PROBLEM_NO_SUCH_PATH, "the web page has no such file");
    else
        take(request, file);
    return reply->status == 0;
}

/* Whether it is asked for at base_path itself: what the page and the list name relative to their
 * own address is below a slash behind that. */
static bool lacks_slash(const struct request *request, const char *base)
{
    size_t n = strlen(base);
    return n > 0 && strncmp(request->url, base, n) == 0 &&
           (request->url[n] == '\0' || request->url[n] == '?');
}

static void lead_to_slash(const char *base, struct reply *reply)
{
    reply->status = 308;
    reply_set_header(reply, "Location", "%s/", strrchr(base, '/') + 1);
    reply_add_header(reply, "Cache-Control", "no-cache");
}

bool check_root(struct request *request, struct reply *reply)
{
    const char *base = service_settings(request->service)->base_path;
    if (lacks_slash(request, base)) {
        lead_to_slash(base, reply);
        return false;
    }
    return request->format != FORMAT_HTML || check_file(request, reply);
}

bool check_viewer(struct request *request, struct reply *reply)
{
    return check_file(request, reply);
}

void handle_viewer(struct request *request, struct reply *reply)
{
    const struct viewer_file *file = file_of(request);
    struct error why;
    int r = request->coded ? reply_borrow(reply, file->gzip, file->gzip_size, &why)
                           : reply_borrow(reply, file->plain, file->plain_size, &why);
    if (r < 0) {
        problem_error(request, reply, r, &why);
        return;
    }
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        reply_add_header(reply, headers[i].name, headers[i].value);
}

/* Relative to the path that it is asked at, which may have a prefix before it. */
static void add_entries(struct text *text)
{
    text_add(text, "{\"name\":\"twonmnistd\",\"version\":\"" PACKAGE_VERSION "\",\"paths\":[");
    for (unsigned i = 0; i < n_routes; i++)
        text_format(text, "%s\n{\"path\":\".%s\",\"help\":\"%s\"}", i ? "," : "", routes[i].pattern,
                    routes[i].help);
    text_add(text, "]}\n");
}

static void answer_entries(struct request *request, struct reply *reply)
{
    struct error why;
    struct text text;
    int r = text_open(&text, reply, (uint64_t)(n_routes + 1) * ENTRY_BYTES, &why);
    if (r == 0) {
        add_entries(&text);
        r = text_close(&text, reply, &why);
    }
    if (r < 0)
        problem_error(request, reply, r, &why);
}

void handle_root(struct request *request, struct reply *reply)
{
    if (request->format == FORMAT_HTML)
        handle_viewer(request, reply);
    else
        answer_entries(request, reply);
}
