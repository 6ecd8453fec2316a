/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a refusal as the client reads it: status, Content-Type, Retry-After and body become
 * one line for people and a verdict. */
#include <errno.h>
#include <string.h>

#include "client/failure.h"
#include "client/problem.h"
#include "client/retry.h"
#include "client/twonmnist.h"
#include "tests/fuzz/fuzz.h"

static void set_header(struct answer *answer, enum answer_header header, struct input *input)
{
    char *line = input_line(input);
    snprintf(answer->headers[header], HEADER_MAX, "%s", line);
    free(line);
}

/* As it is shown to a person. */
static void check_text(const char *text)
{
    failure_set(-EINVAL, "%s", text);
    FUZZ_CHECK(strlen(tnm_last_error()) <= strlen(text));
    for (const char *at = tnm_last_error(); *at; at++)
        FUZZ_CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
}

static void check_verdict(const struct answer *answer, const char *code)
{
    int error = 0;
    enum retry_verdict verdict = retry_judge(answer->status, code, &error);
    FUZZ_CHECK((verdict == RETRY_GOOD) == (error == 0) && error <= 0);
    FUZZ_CHECK((verdict == RETRY_GOOD) == (answer->status == 200));
}

/* An answer: "status\nContent-Type\nRetry-After\nbody". */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct answer answer = {0};
    struct problem problem;
    uint64_t wait_ms;
    char *status = input_line(&input);
    answer.status = strtol(status, NULL, 10);
    free(status);
    set_header(&answer, HEADER_CONTENT_TYPE, &input);
    set_header(&answer, HEADER_RETRY_AFTER, &input);
    answer.body.bytes = input_bytes(&input, input.left, &answer.body.size);
    problem_read(&answer, &problem);
    FUZZ_CHECK((problem.text[0] == '\0') <= (answer.status == 200 || answer.body.size > 0));
    check_text(problem.text);
    check_verdict(&answer, problem.code);
    retry_after_ms(answer.headers[HEADER_RETRY_AFTER], 1700000000, &wait_ms);
    free(answer.body.bytes);
    return 0;
}
