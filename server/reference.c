/* SPDX-License-Identifier: Apache-2.0
 * What the tables say, for people. */
#include "server/reference.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "server/messages.h"
#include "server/metrics.h"
#include "server/problem.h"
#include "server/route.h"
#include "server/settings.h"

static void print_formats(FILE *out, const struct route *route)
{
    unsigned formats = route_formats(route);
    const char *before = "; formats ";
    for (enum format format = 0; format < N_FORMATS; format++)
        if (formats & FORMAT_BIT(format)) {
            fprintf(out, "%s%s", before, format_rows[format].extension);
            before = ", ";
        }
}

static void print_params(FILE *out, const struct route *route)
{
    const char *before = "; parameters ";
    for (enum param param = 0; param < N_PARAMS; param++)
        if (route->params & PARAM_BIT(param)) {
            fprintf(out, "%s%s", before, param_rows[param].name);
            before = ", ";
        }
}

static void print_paths(FILE *out)
{
    fputs(".Sh PATHS\n"
          "GET and HEAD go everywhere.\n"
          "The extension of a path chooses the format;\n"
          "without one,\n"
          ".Li Accept\n"
          "does.\n"
          ".Pp\n"
          ".Bl -tag -width Ds -compact\n",
          out);
    for (unsigned i = 0; i < n_routes; i++) {
        const struct route *route = &routes[i];
        fprintf(out, ".It Pa %s\n%s", route->pattern, route->help);
        print_formats(out, route);
        print_params(out, route);
        fprintf(out, "%s\n", route->methods & METHOD_BIT(METHOD_POST) ? "; POST, too" : "");
    }
    fputs(".El\n", out);
}

static void print_variable(FILE *out, const struct variable_row *row)
{
    fprintf(out, ".It Li {%s}\n%s", row->name, row->help);
    if (row->kind == VARIABLE_NUMBER || row->kind == VARIABLE_NUMBERS)
        fprintf(out, "; 0 to %" PRIu64, row->max);
    fputs("\n", out);
}

static void print_param(FILE *out, const struct param_row *row)
{
    fprintf(out, ".It Li %s=\n%s; ", row->name, row->help);
    if (row->kind == PARAM_CHOICE) {
        for (unsigned i = 0; row->choices[i]; i++)
            fprintf(out, "%s%s", i ? ", " : "", row->choices[i]);
        fprintf(out, "; default %s\n", row->without ? row->without : row->choices[row->standard]);
    } else if (row->kind == PARAM_REAL) {
        fputs("0 to below 1; default 0\n", out);
    } else if (row->kind == PARAM_NAME) {
        fprintf(out, "default %s\n", row->without);
    } else if (row->kind == PARAM_NUMBERS || row->kind == PARAM_LABELS) {
        fprintf(out, "each %" PRIu64 " to %" PRIu64 "\n", row->min, row->max);
    } else if (row->without) {
        fprintf(out, "%" PRIu64 " to %" PRIu64 "; default %s\n", row->min, row->max, row->without);
    } else {
        fprintf(out, "%" PRIu64 " to %" PRIu64 "; default %" PRIu64 "\n", row->min, row->max,
                row->standard);
    }
}

static void print_parameters(FILE *out)
{
    fputs(".Sh PARAMETERS\n"
          "In paths:\n"
          ".Pp\n"
          ".Bl -tag -width Ds -compact\n",
          out);
    for (enum variable variable = 0; variable < N_VARIABLES; variable++)
        print_variable(out, &variable_rows[variable]);
    fputs(".El\n"
          ".Pp\n"
          "In queries, each at most once; one that a path does not take is an error:\n"
          ".Pp\n"
          ".Bl -tag -width Ds -compact\n",
          out);
    for (enum param param = 0; param < N_PARAMS; param++)
        print_param(out, &param_rows[param]);
    fputs(".El\n", out);
}

static void print_problems(FILE *out)
{
    fputs(".Sh PROBLEMS\n"
          "What is wrong is answered as\n"
          ".Li application/problem+json\n"
          "(RFC 9457) with a\n"
          ".Li detail\n"
          "for people and a stable\n"
          ".Li code :\n"
          ".Pp\n"
          ".Bl -tag -width Ds -compact\n",
          out);
#define PRINT_PROBLEM(kind, status, code, title, ...) \
    fprintf(out, ".It Li %s\n%d: %s\n", code, status, title);
    WIRE_PROBLEMS(PRINT_PROBLEM)
#undef PRINT_PROBLEM
    fputs(".El\n", out);
}

static void print_metrics(FILE *out)
{
    fputs(".Sh METRICS\n"
          "What\n"
          ".Pa /metrics\n"
          "tells, in the text format of Prometheus; with labels in braces:\n"
          ".Pp\n"
          ".Bl -tag -width Ds -compact\n",
          out);
    for (enum metric metric = 0; metric < N_METRICS; metric++) {
        const struct metric_row *row = &metric_rows[metric];
        fprintf(out, *row->labels ? ".It Li %s{%s}\n" : ".It Li %s%s\n", row->name, row->labels);
        fprintf(out, "%s; %s\n", metric_type_names[row->type], row->help);
    }
    fputs(".El\n", out);
}

static void print_messages(FILE *out)
{
    fputs(".Sh MESSAGES\n"
          "What programs find in the journal by its\n"
          ".Li MESSAGE_ID :\n"
          ".Pp\n"
          ".Bl -tag -width Ds -compact\n",
          out);
#define PRINT_MESSAGE(message, id, help) fprintf(out, ".It Li %s\n%s\n", id, help);
    MESSAGES(PRINT_MESSAGE)
#undef PRINT_MESSAGE
    fputs(".El\n", out);
}

int reference_print(const char *part, FILE *out, struct error *why)
{
    if (part && strcmp(part, "settings") != 0)
        return error_set(why, -EINVAL, "--reference: \"%.80s\" is not settings", part);
    if (part) {
        settings_print_manual(out);
        return 0;
    }
    print_paths(out);
    print_parameters(out);
    print_problems(out);
    print_metrics(out);
    print_messages(out);
    return 0;
}
