/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/wish: what is asked for, which samples have to come, and what is taken for them.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/failure.h"
#include "client/wish.h"
#include "common/crc32c.h"
#include "common/order.h"
#include "tests/fake_requests.h"
#include "tests/scarce.h"

enum { N = 31 };

static const struct form plain = {.order = TNM_ORDER_STORED};
static tnm_split split;
static uint32_t order[N];

static int setup(void **state)
{
    (void)state;
    split = (tnm_split){.name = "train", .n_samples = N, .geometry = GEOMETRY_NMNIST};
    memcpy(split.revision, fake_revision, sizeof fake_revision);
    order_epoch(7, 2, N, order);
    return 0;
}

/* The path behind "/v1/<what>/train@<revision>". */
static const char *tail_of(const struct wish *wish, const char *what)
{
    char head[128];
    int n = snprintf(head, sizeof head, "/v1/%s/train@%s", what, fake_revision);
    assert_memory_equal(wish->path, head, (size_t)n);
    return wish->path + n;
}

/* ---- What is asked for ---- */

static void few_samples_are_asked_for_in_the_url(void **state)
{
    (void)state;
    static const uint64_t indices[] = {5, 0, 5, 30};
    struct wish wish;
    assert_int_equal(wish_samples(&split, plain, indices, 4, &wish), 0);
    assert_string_equal(tail_of(&wish, "splits"), "/batch.safetensors?indices=5,0,5,30");
    assert_null(wish.post);
    assert_string_equal(wish.what, "4 samples of train");
    assert_int_equal(wish.n, 4);
    assert_memory_equal(wish.indices, indices, sizeof indices);
    struct request_ask ask = wish_ask(&wish);
    assert_string_equal(ask.type, "application/x-safetensors");
    assert_ptr_equal(ask.path, wish.path);
    assert_null(ask.post);
    wish_clear(&wish);
    assert_null(wish.path);
}

static void many_samples_or_none_are_asked_for_in_a_body(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 64, 65};
    uint64_t indices[65];
    for (size_t i = 0; i < 65; i++)
        indices[i] = i % N;
    for (size_t i = 0; i < 3; i++) {
        struct wish wish;
        assert_int_equal(wish_samples(&split, plain, indices, counts[i], &wish), 0);
        assert_int_equal(wish.n, counts[i]);
        const char *tail = tail_of(&wish, "splits");
        if (counts[i] == 64) {
            assert_null(wish.post);
            assert_non_null(strstr(tail, "?indices=0,1,2,"));
        } else {
            assert_string_equal(tail, "/batch.safetensors");
            const char *start = counts[i] ? "{\"indices\": [0,1,2," : "{\"indices\": []}";
            assert_memory_equal(wish.post, start, strlen(start));
            assert_ptr_equal(wish_ask(&wish).post, wish.post);
        }
        wish_clear(&wish);
    }
}

/* Of rules that are known to be right. */
static struct rule rule_of(const char *name, const char *value, const char *more,
                           const char *more_value, bool filters)
{
    tnm_rule *rule;
    struct rule checked = rule_none;
    struct error why;
    assert_int_equal(tnm_rule_new(&rule), 0);
    assert_int_equal(tnm_rule_set(rule, name, value), 0);
    if (more)
        assert_int_equal(tnm_rule_set(rule, more, more_value), 0);
    assert_int_equal((filters ? rule_check_filters : rule_check)(rule, &checked, &why), 0);
    tnm_rule_free(rule);
    return checked;
}

static void the_form_is_part_of_the_url(void **state)
{
    (void)state;
    const struct rule first = rule_of("t1", "100000", NULL, NULL, true);
    const struct rule none = rule_none;
    const struct rule frames = rule_of("slice", "time", "bins", "5", false);
    const struct rule steady = rule_of("slice", "time", "stabilize", "yes", false);
    const struct {
        struct form form;
        const char *query;
    } cases[] = {
        {{TNM_ORDER_STORED, 0, none, NULL}, ""},
        {{TNM_ORDER_TIME, 0, none, NULL}, "&order=time"},
        {{TNM_ORDER_PUBLISHED, 1000, none, NULL}, "&order=published&timestep=1000"},
        {{TNM_ORDER_STORED, 1000000, none, NULL}, "&timestep=1000000"},
        {{TNM_ORDER_TIME, 5, first, NULL}, "&order=time&timestep=5&t1=100000"},
        {{TNM_ORDER_STORED, 0, none, &frames}, "&as=sparse&slice=time&bins=5"},
        {{TNM_ORDER_TIME, 0, first, &frames}, "&order=time&as=sparse&t1=100000&slice=time&bins=5"},
        {{TNM_ORDER_STORED, 0, none, &steady}, "&as=sparse&stabilize=yes&slice=time&bins=300"},
    };
    static const uint64_t parts[] = {1, 2};
    const struct wish_share share = {.size = 4, .world = 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wish wishes[4];
        assert_int_equal(wish_samples(&split, cases[i].form, parts, 2, &wishes[0]), 0);
        assert_int_equal(wish_mix(&split, cases[i].form, parts, 2, &wishes[1]), 0);
        assert_int_equal(wish_pairs(&split, cases[i].form, 1, &share, 0, &wishes[2]), 0);
        assert_int_equal(
            wish_epoch(&split, NULL, cases[i].form, 7, 2, order, &share, 0, &wishes[3]), 0);
        for (int k = 0; k < 4; k++) {
            size_t length = strlen(wishes[k].path), tail = strlen(cases[i].query);
            assert_string_equal(wishes[k].path + length - tail, cases[i].query);
            assert_true(tail > 0 || !strstr(wishes[k].path, "&order"));
            wish_clear(&wishes[k]);
        }
    }
}

static void a_mix_names_its_parts(void **state)
{
    (void)state;
    static const uint64_t parts[] = {3, 1, 2};
    struct wish wish;
    assert_int_equal(wish_mix(&split, plain, parts, 3, &wish), 0);
    assert_string_equal(tail_of(&wish, "mix"), "/3,1,2.safetensors");
    assert_string_equal(wish.what, "a mix of 3 recordings of train");
    assert_int_equal(wish.kind, WISH_MIX);
    assert_string_equal(wish_ask(&wish).type, "application/x-safetensors");
    wish_clear(&wish);
}

/* ---- Which samples ---- */

/* The shares of all ranks, one by one in turn, are the global batch: count what is in it. */
static uint64_t check_batch(const struct wish_share *share, uint64_t k, uint64_t first)
{
    static const char *const lasts[] = {"short", "drop", "pad"};
    struct wish wishes[5];
    uint64_t n = 0;
    for (uint32_t rank = 0; rank < share->world; rank++) {
        struct wish_share own = *share;
        char tail[128];
        own.rank = rank;
        assert_int_equal(wish_epoch(&split, NULL, plain, 7, 2, order, &own, k, &wishes[rank]), 0);
        snprintf(tail, sizeof tail,
                 "/epochs/7/2/batches/%" PRIu64 ".safetensors?size=%" PRIu64
                 "&rank=%u&world=%u&last=%s",
                 k, share->size, rank, share->world, lasts[share->last]);
        assert_string_equal(tail_of(&wishes[rank], "splits"), tail);
        assert_int_equal(wishes[rank].number, k);
        n += wishes[rank].n;
    }
    for (uint64_t i = 0; i < n; i++) /* batch[rank::world] */
        assert_int_equal(wishes[i % share->world].indices[i / share->world],
                         order[(first + i) % N]);
    for (uint32_t rank = 0; rank < share->world; rank++)
        wish_clear(&wishes[rank]);
    return n;
}

static void the_shares_of_all_ranks_are_the_epoch(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= N + 2; size++)
        for (uint32_t world = 1; world <= 5; world++)
            for (int last = TNM_LAST_SHORT; last <= TNM_LAST_PAD; last++) {
                const struct wish_share share = {.size = size, .world = world, .last = last};
                uint64_t n = 0, n_batches = tnm_epoch_n_batches(&split, size, last);
                for (uint64_t k = 0; k < n_batches; k++) {
                    uint64_t in_batch = check_batch(&share, k, n);
                    assert_true(in_batch == size || (last == TNM_LAST_SHORT && n + in_batch == N));
                    n += in_batch;
                }
                assert_int_equal(n_batches,
                                 last == TNM_LAST_DROP ? N / size : (N + size - 1) / size);
                assert_true(last == TNM_LAST_DROP ? n <= N && n + size > N : n >= N);
            }
}

static void a_rank_may_have_nothing_of_a_short_batch(void **state)
{
    (void)state;
    const struct wish_share share = {.size = 10, .rank = 2, .world = 5, .last = TNM_LAST_SHORT};
    struct wish wish;
    assert_int_equal(wish_epoch(&split, NULL, plain, 7, 2, order, &share, 3, &wish),
                     0); /* of one */
    assert_int_equal(wish.n, 0);
    assert_non_null(wish.indices);
    wish_clear(&wish);
}

static void pairs_are_counted_on_for_ever(void **state)
{
    (void)state;
    static const struct {
        uint64_t k;
        struct wish_share share;
        uint64_t n, first, second;
    } cases[] = {
        {0, {.size = 4, .rank = 0, .world = 1}, 4, 0, 1},
        {5, {.size = 4, .rank = 1, .world = 2}, 2, 21, 23},
        {5, {.size = 5, .rank = 1, .world = 2}, 2, 26, 28},
        {UINT64_C(1) << 60,
         {.size = 8, .rank = 3, .world = 4},
         2,
         (UINT64_C(1) << 63) + 3,
         (UINT64_C(1) << 63) + 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wish wish;
        char tail[128];
        assert_int_equal(wish_pairs(&split, plain, 9, &cases[i].share, cases[i].k, &wish), 0);
        assert_int_equal(wish.n, cases[i].n);
        assert_int_equal(wish.indices[0], cases[i].first);
        assert_int_equal(wish.indices[1], cases[i].second);
        snprintf(tail, sizeof tail,
                 "/9/batches/%" PRIu64 ".safetensors?size=%" PRIu64 "&rank=%u&world=%u", cases[i].k,
                 cases[i].share.size, cases[i].share.rank, cases[i].share.world);
        assert_string_equal(tail_of(&wish, "pairs"), tail);
        wish_clear(&wish);
    }
}

static void shares_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct wish_share share;
        const char *words;
    } wrong[] = {
        {{.size = 0, .world = 1}, "a batch of 0 samples"},
        {{.size = (uint64_t)INT32_MAX + 1, .world = 1}, "a batch of 2147483648 samples"},
        {{.size = 1, .world = 0}, "rank 0 of a world of 0"},
        {{.size = 1, .world = UINT16_MAX + 1}, "world of 65536"},
        {{.size = 1, .rank = 2, .world = 2}, "rank 2 of a world of 2"},
        {{.size = 1, .world = 1, .last = -1}, "last is -1"},
        {{.size = 1, .world = 1, .last = 3}, "last is 3"},
    };
    const struct wish_share largest = {
        .size = INT32_MAX, .rank = UINT16_MAX - 1, .world = UINT16_MAX, .last = TNM_LAST_PAD};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(wish_check_share(&wrong[i].share), -EINVAL);
        assert_non_null(strstr(tnm_last_error(), wrong[i].words));
    }
    assert_int_equal(wish_check_share(&largest), 0);
}

/* ---- What is taken for them ---- */

static const uint64_t asked[] = {5, 3};

/* What the check says of the answer; it is gone then. */
static int check(struct wish *wish, struct answer *answer, struct error *why)
{
    struct request_ask ask = wish_ask(wish);
    int r = ask.check(ask.user, answer, why);
    body_clear(&answer->body);
    return r;
}

static void a_batch_of_the_samples_that_were_asked_for_is_taken(void **state)
{
    (void)state;
    struct wish wish;
    struct answer answer = {.status = 200};
    struct error why;
    assert_int_equal(wish_samples(&split, plain, asked, 2, &wish), 0);
    wish.number = 4;
    fake_batch(&answer, asked, 2);
    size_t size = answer.body.size, ret_size;
    const uint8_t *bytes = answer.body.bytes;
    assert_int_equal(check(&wish, &answer, &why), 0);
    assert_int_equal(tnm_batch_number(wish.batch), 4);
    assert_int_equal(tnm_batch_n_samples(wish.batch), 2);
    assert_int_equal(tnm_batch_n_events(wish.batch), 2);
    assert_ptr_equal(tnm_batch_blob(wish.batch, &ret_size), bytes); /* taken, not copied */
    assert_int_equal(ret_size, size);
    wish_clear(&wish);
}

static void another_batch_is_refused_and_a_better_one_still_taken(void **state)
{
    (void)state;
    static const uint64_t other[] = {3, 5};
    struct wish wish;
    struct answer answer = {.status = 200};
    struct error why = {""};
    assert_int_equal(wish_samples(&split, plain, asked, 2, &wish), 0);
    fake_batch(&answer, other, 2);
    assert_int_equal(check(&wish, &answer, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "is 3 instead of 5"));
    assert_null(wish.batch);
    fake_batch(&answer, asked, 1);
    assert_int_equal(check(&wish, &answer, &why), -EBADMSG);
    for (int i = 0; i < 2; i++) { /* the second time in place of the first */
        fake_batch(&answer, asked, 2);
        assert_int_equal(check(&wish, &answer, &why), 0);
    }
    split.revision[63] ^= 1;
    fake_batch(&answer, asked, 2);
    assert_int_equal(check(&wish, &answer, &why), -ESTALE);
    wish_clear(&wish);
}

static const uint8_t threes_and_eights[N_DIGITS] = {[3] = 1, [8] = 1};
static const int32_t five_and_three[] = {5, 3};

static struct answer mix_answer(const struct wish *wish)
{
    struct answer answer = {.status = 200};
    fake_mix(&answer, wish->path, five_and_three, threes_and_eights);
    return answer;
}

static void a_mix_is_a_batch_of_one_sample(void **state)
{
    (void)state;
    struct wish wish;
    struct error why;
    size_t size, ret_size;
    assert_int_equal(wish_mix(&split, plain, asked, 2, &wish), 0);
    struct answer answer = mix_answer(&wish);
    const uint8_t *bytes = answer.body.bytes;
    size = answer.body.size;
    uint32_t crc = crc32c(0, bytes + size - 10, 10);
    if (check(&wish, &answer, &why) < 0)
        fail_msg("%s", why.text);
    const tnm_batch *batch = wish.batch;
    assert_int_equal(tnm_batch_n_samples(batch), 1);
    assert_int_equal(tnm_batch_n_events(batch), 2);
    assert_int_equal(tnm_batch_offsets(batch)[0], 0);
    assert_int_equal(tnm_batch_offsets(batch)[1], 2);
    assert_int_equal(tnm_batch_sources(batch)[0], 5);
    assert_int_equal(tnm_batch_sources(batch)[1], 3);
    assert_int_equal(tnm_batch_checksums(batch)[0], crc);
    assert_memory_equal(tnm_batch_labels(batch), threes_and_eights, N_DIGITS);
    assert_ptr_equal(tnm_batch_blob(batch, &ret_size), bytes);
    assert_int_equal(ret_size, size);
    wish_clear(&wish);
}

static void a_mix_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        int32_t sources[2];
        uint8_t labels[N_DIGITS];
        const char *words;
    } cases[] = {
        {{5, 3}, {[3] = 1}, "the mix shows 1 digits"},
        {{5, 3}, {[3] = 1, [4] = 1, [5] = 1}, "the mix shows 3 digits"},
        {{3, 5}, {[3] = 1, [8] = 1}, "its recording 0 is 3 instead of 5"},
        {{5, -1}, {[3] = 1, [8] = 1}, "its recording 1 is -1 instead of 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wish wish;
        struct error why = {""};
        struct answer answer = {.status = 200};
        assert_int_equal(wish_mix(&split, plain, asked, 2, &wish), 0);
        fake_mix(&answer, wish.path, cases[i].sources, cases[i].labels);
        assert_int_equal(check(&wish, &answer, &why), -EBADMSG);
        if (!strstr(why.text, cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", why.text, cases[i].words);
        assert_null(wish.batch);
        wish_clear(&wish);
    }
}

static void a_mix_that_was_damaged_or_is_another_is_refused(void **state)
{
    (void)state;
    struct wish wish, other;
    struct error why = {""};
    assert_int_equal(wish_mix(&split, plain, asked, 2, &wish), 0);
    struct answer answer = mix_answer(&wish);
    size_t size = answer.body.size;
    for (size_t back = 1; back <= 5 * 8 + 2 * 10; back++) { /* events, labels, sources, ... */
        body_clear(&answer.body);
        answer = mix_answer(&wish);
        answer.body.bytes[size - back] ^= 1;
        assert_int_equal(check(&wish, &answer, &why), -EBADMSG);
    }
    answer = mix_answer(&wish);
    answer.headers[HEADER_DIGEST][0] = 0;
    assert_int_equal(check(&wish, &answer, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "no Repr-Digest"));
    assert_int_equal(wish_mix(&split, plain, (const uint64_t[]){3, 5}, 2, &other), 0);
    answer = mix_answer(&other);
    assert_int_equal(check(&wish, &answer, &why), -EPROTO);
    assert_null(wish.batch);
    wish_clear(&other);
    wish_clear(&wish);
}

/* ---- Memory ---- */

static const struct wish_share some = {.size = 4, .world = 2};

static int make_one(struct wish *wish, int which)
{
    static uint64_t many[100];
    switch (which) {
    case 0:
        return wish_samples(&split, plain, asked, 2, wish);
    case 1:
        return wish_samples(&split, plain, many, 100, wish);
    case 2:
        return wish_epoch(&split, NULL, plain, 7, 2, order, &some, 0, wish);
    case 3:
        return wish_pairs(&split, plain, 7, &some, 0, wish);
    default:
        return wish_mix(&split, plain, asked, 2, wish);
    }
}

static int make(void *user, struct error *why)
{
    struct wish wish = {.number = 77};
    int r = make_one(&wish, *(const int *)user);
    assert_true(r == 0 || wish.number == 77);
    wish_clear(&wish);
    return error_set(why, r, "no memory");
}

static void a_wish_is_whole_or_none(void **state)
{
    (void)state;
    static const unsigned n_allocations[] = {4, 5, 3, 3, 4};
    for (int which = 0; which < 5; which++)
        assert_int_equal(scarce_try(make, &which), n_allocations[which]);
}

struct taking {
    struct wish wish;
    struct answer answer;
};

static int take(void *user, struct error *why)
{
    struct taking *taking = user;
    struct request_ask ask = wish_ask(&taking->wish);
    const void *bytes = taking->answer.body.bytes;
    int r = ask.check(ask.user, &taking->answer, why);
    assert_ptr_equal(taking->answer.body.bytes,
                     r < 0 ? bytes : NULL); /* taken only if all is well */
    assert_int_equal(taking->wish.batch == NULL, r < 0);
    return r;
}

static void an_answer_is_taken_whole_or_left(void **state)
{
    (void)state;
    struct taking taking = {.answer = {.status = 200}};
    assert_int_equal(wish_samples(&split, plain, asked, 2, &taking.wish), 0);
    fake_batch(&taking.answer, asked, 2);
    assert_true(scarce_try(take, &taking) >= 1);
    wish_clear(&taking.wish);
    assert_int_equal(wish_mix(&split, plain, asked, 2, &taking.wish), 0);
    taking.answer = mix_answer(&taking.wish);
    assert_true(scarce_try(take, &taking) >= 1);
    wish_clear(&taking.wish);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(few_samples_are_asked_for_in_the_url, setup),
        cmocka_unit_test_setup(many_samples_or_none_are_asked_for_in_a_body, setup),
        cmocka_unit_test_setup(the_form_is_part_of_the_url, setup),
        cmocka_unit_test_setup(a_mix_names_its_parts, setup),
        cmocka_unit_test_setup(the_shares_of_all_ranks_are_the_epoch, setup),
        cmocka_unit_test_setup(a_rank_may_have_nothing_of_a_short_batch, setup),
        cmocka_unit_test_setup(pairs_are_counted_on_for_ever, setup),
        cmocka_unit_test_setup(shares_that_are_none_are_refused, setup),
        cmocka_unit_test_setup(a_batch_of_the_samples_that_were_asked_for_is_taken, setup),
        cmocka_unit_test_setup(another_batch_is_refused_and_a_better_one_still_taken, setup),
        cmocka_unit_test_setup(a_mix_is_a_batch_of_one_sample, setup),
        cmocka_unit_test_setup(a_mix_that_cannot_be_is_refused, setup),
        cmocka_unit_test_setup(a_mix_that_was_damaged_or_is_another_is_refused, setup),
        cmocka_unit_test_setup(a_wish_is_whole_or_none, setup),
        cmocka_unit_test_setup(an_answer_is_taken_whole_or_left, setup),
    };
    return cmocka_run_group_tests_name("wish", tests, NULL, NULL);
}
