/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: an answer of a name server becomes SRV records, which become servers. */
#include <string.h>

#include "client/servers.h"
#include "tests/fuzz/fuzz.h"

static void check_records(const struct srv_records *found)
{
    FUZZ_CHECK(found->n > 0 && found->n <= SRV_MAX);
    for (size_t i = 0; i < found->n; i++) {
        const struct srv_record *record = &found->list[i];
        size_t length = strnlen(record->target, SRV_TARGET_MAX);
        FUZZ_CHECK(record->port > 0 && length > 0 && length < SRV_TARGET_MAX);
        FUZZ_CHECK(strspn(record->target, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == length);
        FUZZ_CHECK(i == 0 || record[-1].priority <= record->priority);
    }
}

static void check_servers(const struct srv_records *found)
{
    static const char *const url = "http+srv://name/at";
    struct servers *servers;
    struct error why;
    FUZZ_CHECK(servers_new(&url, 1, &servers, &why) == 0);
    FUZZ_CHECK(servers_set_records(servers, 0, found, 0));
    FUZZ_CHECK(!servers_set_records(servers, 0, found, 0));
    size_t most = found->n < servers->n_most ? found->n : servers->n_most;
    FUZZ_CHECK(servers_count(servers) == most);
    servers_free(servers);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct srv_records found;
    struct error why = {.text = ""};
    if (srv_read(bytes, size, &found, &why) < 0) {
        FUZZ_CHECK(why.text[0]);
        return 0;
    }
    check_records(&found);
    check_servers(&found);
    return 0;
}
