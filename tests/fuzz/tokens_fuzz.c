/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: an Authorization header, and a file of tokens. Whatever they say: a file that is
 * refused is refused with its line; nobody is let in by a token whose hash is not in the file, and
 * a name that comes back is one of its lines'. */
#include <errno.h>
#include <string.h>

#include "common/sha256.h"
#include "server/tokens.h"
#include "tests/fuzz/fuzz.h"

static const char name_bytes[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

/* The token of a header that was taken. */
static void check_known(const char *header, const char *file, const char *name)
{
    char hash[SHA256_HEX + 1];
    const char *token = header + strlen("Bearer");
    token += strspn(token, " \t");
    sha256_hex_of(token, strcspn(token, " \t"), hash);
    FUZZ_CHECK(strcasestr(file, hash));
    FUZZ_CHECK(*name && strspn(name, name_bytes) == strlen(name) && strstr(file, name));
}

static void check_header(struct tokens *tokens, const char *header, const char *file)
{
    char name[TOKENS_NAME_SIZE] = "\n";
    enum token_verdict verdict = tokens_judge(tokens, header, 1800000000, name);
    if (verdict == TOKEN_GOOD || verdict == TOKEN_EXPIRED)
        check_known(header, file, name);
    else
        FUZZ_CHECK(strcmp(name, "\n") == 0);
    FUZZ_CHECK(strncasecmp(header, "Bearer", 6) == 0 || verdict == TOKEN_MISSING);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {.at = bytes, .left = size};
    char *header = input_line(&input);
    const char *path = fuzz_file(input.at, input.left);
    struct tokens *tokens = NULL;
    struct error why = {""};
    int r = tokens_open(path, &tokens, &why);
    FUZZ_CHECK(r == 0 || r == -EINVAL || r == -ERANGE);
    FUZZ_CHECK(r == 0 ? tokens != NULL : strstr(why.text, ": line ") != NULL);
    if (r == 0) {
        char *file = input_text(&input);
        FUZZ_CHECK(tokens_count(tokens) <= TOKENS_MAX);
        check_header(tokens, header, file);
        free(file);
    }
    tokens_close(tokens);
    free(header);
    return 0;
}
