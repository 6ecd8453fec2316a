/* SPDX-License-Identifier: Apache-2.0
 * twonmnistd: serves 2NMNIST splits over HTTP.
 *
 * Its life: settings (defaults, then --config, then the command line) -> listening sockets, its own
 * or those that systemd passes -> splits mapped and checked -> HTTP -> READY=1. SIGHUP, or a
 * replaced split, opens the folder anew beside what is served. SIGTERM stops accepting, lets
 * running requests end, then closes HTTP, splits and loops in this order. */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "server/app.h"
#include "server/log.h"
#include "server/settings.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

static void print_help(void)
{
    printf("Usage: twonmnistd [--config FILE] [--SETTING VALUE]...\n"
           "Serve the 2NMNIST splits of a folder over HTTP.\n"
           "\n"
           "  --config FILE                       read settings from FILE; the command line goes "
           "first\n"
           "  --sample-config                     print a configuration file with all defaults\n"
           "  --help                              print this\n"
           "  --version                           print the version\n"
           "\n"
           "Settings, here and as \"name = value\" in the file:\n");
    settings_print_help(stdout);
    printf("\nSignals: SIGHUP reloads the splits, SIGTERM and SIGINT stop.\n"
           "Manual: man twonmnistd\n");
}

/* The option's value: behind '=', or the next argument. Moves *i to the last argument used. */
static const char *option_value(int argc, char **argv, int *i)
{
    char *equals = strchr(argv[*i], '=');
    if (equals) {
        *equals = '\0';
        return equals + 1;
    }
    return *i + 1 < argc ? argv[++*i] : NULL;
}

typedef int use_option(struct settings *settings, const char *name, const char *value,
                       struct error *why);

static int read_config(struct settings *settings, const char *name, const char *value,
                       struct error *why)
{
    return strcmp(name, "config") == 0 ? settings_read(settings, value, why) : 0;
}

static int set_option(struct settings *settings, const char *name, const char *value,
                      struct error *why)
{
    return strcmp(name, "config") == 0 ? 0 : settings_set(settings, name, value, why);
}

/* Walk over all options; changes no argument that a second walk needs. */
static int each_option(int argc, char **argv, struct settings *settings, use_option *use,
                       struct error *why)
{
    for (int i = 1; i < argc; i++) {
        char *argument = argv[i], *equals = strchr(argument, '=');
        if (strncmp(argument, "--", 2) != 0)
            return error_set(why, -EINVAL, "\"%s\" is not an option", argument);
        const char *value = option_value(argc, argv, &i);
        int r = value ? use(settings, argument + 2, value, why)
                      : error_set(why, -EINVAL, "%s takes a value", argument);
        if (equals)
            *equals = '=';
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_settings(int argc, char **argv, struct settings *settings, struct error *why)
{
    int r = each_option(argc, argv, settings, read_config, why);
    if (r < 0)
        return r;
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--listen", strlen("--listen")) == 0)
            settings_clear_lists(settings);
    return each_option(argc, argv, settings, set_option, why);
}

/* Options that only print. */
static bool print_what_is_asked(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            print_help();
        else if (strcmp(argv[i], "--version") == 0)
            printf("twonmnistd %s\n", PACKAGE_VERSION);
        else if (strcmp(argv[i], "--sample-config") == 0)
            settings_print_sample(stdout);
        else
            continue;
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    if (print_what_is_asked(argc, argv))
        return EXIT_OK;
    struct settings settings;
    struct error why = {0};
    if (settings_init(&settings) < 0) {
        log_error("no memory for the settings");
        return EXIT_FAILED;
    }
    int exit_code = EXIT_OK;
    if (read_settings(argc, argv, &settings, &why) < 0) {
        log_error("%s (see --help)", why.text);
        exit_code = EXIT_USAGE;
    } else {
        log_set_level((enum log_level)settings.log_level);
        if (app_run(&settings, &why) < 0) {
            log_error("%s", why.text);
            exit_code = EXIT_FAILED;
        }
    }
    settings_free(&settings);
    return exit_code;
}
