/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a configuration file. Whatever it says, every number stays in its range, and a file
 * that is refused is refused with its line. */
#include <errno.h>
#include <string.h>

#include "server/address.h"
#include "server/base_path.h"
#include "server/settings.h"
#include "tests/fuzz/fuzz.h"

static void check_UINT(uint64_t value, uint64_t min, uint64_t max)
{
    FUZZ_CHECK(value >= min && value <= max);
}

static void check_BOOL(bool value, uint64_t min, uint64_t max)
{
    FUZZ_CHECK(value == true || value == false);
    (void)min;
    (void)max;
}

static void check_TEXT(const char *value, uint64_t min, uint64_t max)
{
    FUZZ_CHECK(value && !strchr(value, '\n') && !strchr(value, '#'));
    (void)min;
    (void)max;
}

static void check_PATH(const char *value, uint64_t min, uint64_t max)
{
    check_TEXT(value, min, max);
    FUZZ_CHECK(!*value || base_path_is_valid(value, strlen(value)));
}

static void check_LIST(struct setting_list list, uint64_t min, uint64_t max)
{
    FUZZ_CHECK(list.n <= SETTINGS_LIST_MAX);
    for (unsigned i = 0; i < list.n; i++) {
        struct error why = {""};
        check_TEXT(list.items[i], min, max);
        int r = address_check(list.items[i], &why);
        FUZZ_CHECK(r == 0 || (r == -EINVAL && why.text[0]));
    }
}

static void check_all(const struct settings *settings)
{
#define CHECK(kind, name, standard, min, max, ...) check_##kind(settings->name, min, max);
    SETTINGS(CHECK)
#undef CHECK
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct settings settings;
    struct error why = {""};
    FUZZ_CHECK(settings_init(&settings) == 0);
    int r = settings_read(&settings, fuzz_file(bytes, size), &why);
    FUZZ_CHECK(r == 0 || r == -EINVAL || r == -ERANGE || r == -ENOENT);
    FUZZ_CHECK(r == 0 || strstr(why.text, ": line "));
    check_all(&settings);
    settings_free(&settings);
    return 0;
}
