/* SPDX-License-Identifier: Apache-2.0
 * Who may ask: bearer tokens, of which the file holds only SHA-256 hashes. */
#include "server/tokens.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/lines.h"
#include "common/sha256.h"

static const char name_bytes[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
static const char token_bytes[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~+/";
static const char blanks[] = " \t";

struct token {
    char hash[SHA256_HEX];
    char name[TOKENS_NAME_SIZE];
    time_t expires; /* the first second in which it does not count any more; 0: none */
};

/* What a file held. */
struct list {
    unsigned n;
    struct token items[];
};

struct tokens {
    const char *path;
    pthread_rwlock_t lock;
    struct list *list;
};

/* ---- one line ---- */

static int check_name(const char *name, struct error *why)
{
    size_t n = strlen(name), good = strspn(name, name_bytes);
    if (good < n)
        return error_set(why, -EINVAL,
                         "the name \"%s\" has the byte 0x%02x; it may have letters, digits, . _ -",
                         name, (unsigned char)name[good]);
    if (n == 0 || n >= TOKENS_NAME_SIZE)
        return error_set(why, -EINVAL, "the name has %zu characters, not 1 to %d", n,
                         TOKENS_NAME_SIZE - 1);
    return 0;
}

static int read_hash(const char *text, char ret[SHA256_HEX], struct error *why)
{
    size_t n = strlen(text), good = strspn(text, "0123456789abcdefABCDEF");
    if (n != SHA256_HEX || good < n)
        return error_set(why, -EINVAL,
                         "the hash has %zu characters, of which the first %zu are hexadecimal "
                         "digits; a SHA-256 has %d of them",
                         n, good, SHA256_HEX);
    for (size_t i = 0; i < n; i++)
        ret[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a' : text[i]);
    return 0;
}

/* Whether the text has the shape, in which '0' is any digit; strptime() takes much else, too. */
static bool has_shape(const char *text, const char *shape)
{
    size_t i = 0;
    for (; shape[i]; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return text[i] == '\0';
}

static int read_expiry(const char *text, time_t *ret, struct error *why)
{
    enum { DAY_S = 86400 };
    struct tm date = {0};
    bool day = has_shape(text, "0000-00-00");
    const char *end = NULL;
    if (day || has_shape(text, "0000-00-00T00:00:00Z"))
        end = strptime(text, day ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", &date);
    int day_of_month = date.tm_mday;
    time_t time = end ? timegm(&date) : -1;
    if (!end || *end || time <= 0 || date.tm_mday != day_of_month)
        return error_set(why, -EINVAL,
                         "\"%s\" is no time of expiry, as 2027-01-31 or 2027-01-31T12:00:00Z",
                         text);
    *ret = day ? time + DAY_S : time;
    return 0;
}

/* *ret is untouched where the line has no token. Returns how many it has, 0 or 1. */
static int read_token(char *line, struct token *ret, struct error *why)
{
    struct token token = {0};
    char *rest;
    line[strcspn(line, "#\r\n")] = '\0';
    const char *name = strtok_r(line, blanks, &rest);
    if (!name)
        return 0;
    const char *hash = strtok_r(NULL, blanks, &rest), *expires = strtok_r(NULL, blanks, &rest);
    if (!hash || strtok_r(NULL, blanks, &rest))
        return error_set(why, -EINVAL, "it is not \"name sha256-hex [expires]\"");
    int r = check_name(name, why);
    if (r == 0)
        r = read_hash(hash, token.hash, why);
    if (r == 0 && expires)
        r = read_expiry(expires, &token.expires, why);
    if (r < 0)
        return r;
    snprintf(token.name, sizeof token.name, "%s", name);
    *ret = token;
    return 1;
}

/* ---- the file ---- */

static int check_new(const struct list *list, const struct token *token, struct error *why)
{
    for (unsigned i = 0; i < list->n; i++)
        if (memcmp(list->items[i].hash, token->hash, SHA256_HEX) == 0)
            return error_set(why, -EINVAL, "%s has this hash already", list->items[i].name);
    return 0;
}

static int take_line(void *user, char *line, struct error *why)
{
    struct list **list = user;
    struct token token;
    int r = read_token(line, &token, why);
    if (r <= 0)
        return r;
    r = check_new(*list, &token, why);
    if (r < 0)
        return r;
    if ((*list)->n == TOKENS_MAX)
        return error_set(why, -ERANGE, "there are more than %d tokens", TOKENS_MAX);
    size_t size = sizeof **list + ((*list)->n + 1) * sizeof token;
    struct list *longer = realloc(*list, size);
    if (!longer)
        return error_set(why, -ENOMEM, "no memory for a token");
    longer->items[longer->n++] = token;
    *list = longer;
    return 0;
}

static int read_file(const char *path, struct list **ret, struct error *why)
{
    struct list *list = calloc(1, sizeof *list);
    int r = list ? lines_read(path, take_line, &list, why) : error_set(why, -ENOMEM, "no memory");
    if (r < 0)
        free(list);
    else
        *ret = list;
    return r < 0 ? error_prefix(why, r, "token_file") : 0;
}

int tokens_open(const char *path, struct tokens **ret, struct error *why)
{
    struct list *list;
    int r = read_file(path, &list, why);
    if (r < 0)
        return r;
    struct tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens) {
        free(list);
        return error_set(why, -ENOMEM, "no memory for the tokens");
    }
    tokens->path = path;
    tokens->list = list;
    pthread_rwlock_init(&tokens->lock, NULL);
    *ret = tokens;
    return 0;
}

void tokens_close(struct tokens *tokens)
{
    if (!tokens)
        return;
    pthread_rwlock_destroy(&tokens->lock);
    free(tokens->list);
    free(tokens);
}

int tokens_reload(struct tokens *tokens, struct error *why)
{
    struct list *list;
    int r = read_file(tokens->path, &list, why);
    if (r < 0)
        return r;
    pthread_rwlock_wrlock(&tokens->lock);
    struct list *old = tokens->list;
    tokens->list = list;
    pthread_rwlock_unlock(&tokens->lock);
    free(old);
    return 0;
}

unsigned tokens_count(struct tokens *tokens)
{
    pthread_rwlock_rdlock(&tokens->lock);
    unsigned n = tokens->list->n;
    pthread_rwlock_unlock(&tokens->lock);
    return n;
}

/* ---- what a request shows ---- */

/* The token of `Bearer token` (RFC 6750, 2.1), its padding included. */
static enum token_verdict find_token(const char *authorization, const char **ret, size_t *ret_size)
{
    static const char scheme[] = "Bearer";
    enum { N_SCHEME = sizeof scheme - 1 };
    if (!authorization || strncasecmp(authorization, scheme, N_SCHEME) != 0 ||
        (authorization[N_SCHEME] && !strchr(blanks, authorization[N_SCHEME])))
        return TOKEN_MISSING;
    const char *token = authorization + N_SCHEME;
    token += strspn(token, blanks);
    size_t n = strspn(token, token_bytes);
    size_t size = n + strspn(token + n, "=");
    if (n == 0 || token[size + strspn(token + size, blanks)])
        return TOKEN_MALFORMED;
    *ret = token;
    *ret_size = size;
    return TOKEN_GOOD;
}

/* The number of the token with this hash, or `n`: every byte of every line is looked at. */
static unsigned find_hash(const struct list *list, const char hash[SHA256_HEX])
{
    unsigned found = list->n;
    for (unsigned i = 0; i < list->n; i++) {
        unsigned difference = 0;
        for (unsigned b = 0; b < SHA256_HEX; b++)
            difference |= (unsigned char)(hash[b] ^ list->items[i].hash[b]);
        unsigned is_other = (difference + 0xff) >> 8; /* 0 or 1 */
        found = is_other * found + (1 - is_other) * i;
    }
    return found;
}

enum token_verdict tokens_judge(struct tokens *tokens, const char *authorization, time_t now,
                                char ret_name[TOKENS_NAME_SIZE])
{
    const char *token;
    size_t size;
    char hash[SHA256_HEX + 1];
    enum token_verdict verdict = find_token(authorization, &token, &size);
    if (verdict != TOKEN_GOOD)
        return verdict;
    sha256_hex_of(token, size, hash);
    pthread_rwlock_rdlock(&tokens->lock);
    const struct list *list = tokens->list;
    unsigned i = find_hash(list, hash);
    if (i == list->n) {
        verdict = TOKEN_UNKNOWN;
    } else {
        time_t expires = list->items[i].expires;
        memcpy(ret_name, list->items[i].name, TOKENS_NAME_SIZE);
        verdict = expires && now >= expires ? TOKEN_EXPIRED : TOKEN_GOOD;
    }
    pthread_rwlock_unlock(&tokens->lock);
    return verdict;
}

/* ---- a new one ---- */

static int check_token(const char *token, struct error *why)
{
    size_t n = strspn(token, token_bytes);
    size_t size = n + strspn(token + n, "=");
    if (token[size])
        return error_set(why, -EINVAL,
                         "byte %zu of the token is 0x%02x; it may have letters, digits, "
                         "- . _ ~ + / and = at its end",
                         size, (unsigned char)token[size]);
    if (n == 0 || size < TOKENS_LENGTH_MIN || size > TOKENS_LENGTH_MAX)
        return error_set(why, -EINVAL, "the token has %zu characters, not %d to %d", size,
                         TOKENS_LENGTH_MIN, TOKENS_LENGTH_MAX);
    return 0;
}

int tokens_print_line(const char *token, const char *name, FILE *out, struct error *why)
{
    char hash[SHA256_HEX + 1], own_name[TOKENS_NAME_SIZE];
    int r = check_token(token, why);
    if (r == 0 && name)
        r = check_name(name, why);
    if (r < 0)
        return r;
    sha256_hex_of(token, strlen(token), hash);
    snprintf(own_name, sizeof own_name, "token-%.8s", hash);
    fprintf(out, "%s %s\n", name ? name : own_name, hash);
    return 0;
}
