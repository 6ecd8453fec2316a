/* SPDX-License-Identifier: Apache-2.0
 * libtwonmnist: samples, batches and fresh pairs of 2NMNIST from twonmnist daemons.
 *
 * Errors: functions that can fail return 0 (or what they say) or a negative errno, and then
 * tnm_last_error() says in words what went wrong. Out-parameters are untouched on failure. The
 * codes used everywhere:
 *   -EINVAL     an argument, or the servers find the request wrong
 *   -ENOENT     no such split, sample or batch
 *   -ESTALE     the servers have other data than the revision that was opened
 *   -EACCES     the token is missing, wrong or expired, a server's certificate is not to be
 * trusted, or a server does not trust ours -EBADMSG    an answer was damaged, each time it was
 * asked for -EPROTO     an answer that no twonmnist daemon gives, or not to what was asked
 *   -ETIMEDOUT  no server answered in time
 *   -EHOSTUNREACH no server could be reached, or none could answer
 *   -EMSGSIZE   an answer longer than the option max_answer_mb
 *   -ECANCELED  tnm_cancel(), tnm_stream_cancel(), or the progress callback asked to stop
 *   -ECHILD     called in a forked child on what the parent opened: open anew in the child
 *   -ENOMEM
 *
 * Threads: a client may be used from any number of threads; so may a split. One stream, batch or
 * decoder at a time by one thread, except tnm_stream_cancel(). Children keep their client alive, so
 * things may be closed in any order. Closing and freeing accept NULL. Text that is returned is
 * UTF-8, and borrowed from the object it came from.
 *
 * Sources: the recordings are N-MNIST (Orchard et al., 10.3389/fnins.2015.00437), the mixtures
 * 2NMNIST (10.5281/zenodo.7847750). Sensor: 34 x 34 pixels, 2 polarities; labels: the digits 0 to
 * 9; times in microseconds. Programs take sizes from tnm_split_geometry(), not from here. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum { TNM_EVENT_BYTES = 5 };

/* The library's version, "major.minor.patch". */
const char *tnm_version(void);

/* Why the last call that failed in this thread did; "" if none did. Valid until another does. */
const char *tnm_last_error(void);

/* ---- Options: by name, as text ---- */

typedef struct tnm_options tnm_options;

int tnm_options_new(tnm_options **ret);
void tnm_options_free(tnm_options *options);

/* Set option `name`; tnm_options_name() and tnm_options_help() list them all: token, token_file,
 * ca_file, certificate_file, key_file, proxy, patience_s, call_patience_s, connect_timeout_ms,
 * stall_timeout_s, retries, … -EINVAL no such option, or a value outside its range. */
int tnm_options_set(tnm_options *options, const char *name, const char *value);

/* Name of option i, and one line on its meaning, range and default; NULL past the last. */
const char *tnm_options_name(size_t i);
const char *tnm_options_help(size_t i);

/* ---- Client: a set of servers with the same data ---- */

typedef struct tnm_client tnm_client;

/* Open a client of `n_urls` servers, `http://host:port`, `https://…` or `unix:/path/of/socket`. A
 * host with several addresses is as many servers, which may come and go; so is `http+srv://name`
 * (`https+srv://…`) of the SRV records of _http._tcp.name (_https._tcp.name), or of the name itself
 * where it begins with "_": each names a host, a port, and after whom it is asked. Of more than 15
 * beyond the URLs each client draws its own. Requests are spread over them; one that fails is left
 * alone for a while, and what it was asked for is asked for elsewhere. Where none is left a stream
 * waits for patience_s, any other call for call_patience_s. `options` may be NULL and is copied.
 * Starts one background thread; sends nothing yet. */
int tnm_open(const char *const *urls, size_t n_urls, const tnm_options *options, tnm_client **ret);

/* Let go of the client; its thread ends when the last split and stream are closed too. */
void tnm_close(tnm_client *client);

/* Make every call of this client that is waiting now, in any thread, return -ECANCELED. */
void tnm_cancel(tnm_client *client);

/* Counts since opening. `retries` are the tries that failed and were made again. */
int tnm_counts(tnm_client *client, uint64_t *ret_answers, uint64_t *ret_bytes,
               uint64_t *ret_retries);

/* Called ten times a second in the thread of a call that waits, without any lock, whether or not
 * the counts have grown; not 0 makes that call return -ECANCELED. */
typedef int tnm_progress(void *user, uint64_t answers, uint64_t bytes, uint64_t retries);
int tnm_set_progress(tnm_client *client, tnm_progress *progress, void *user);

/* Called in the thread of a call that has waited for servers for 2 s, and every 10 s from then on,
 * and of a pull that waits for another one, or was sent damaged bytes by a server; without any
 * lock: "waiting for http://one:8642 (connection refused), 12 s of 300". The text is valid until it
 * returns. */
typedef void tnm_message(void *user, const char *text);
int tnm_set_message(tnm_client *client, tnm_message *message, void *user);

/* ---- Splits ---- */

/* GET /v1/splits as JSON text; free it with tnm_free(). */
int tnm_catalog_json(tnm_client *client, char **ret);

/* Frees text or bytes that a function handed over. */
void tnm_free(void *text);

/* GET whatever a server has at `path`, from its "/" on with its query, as the server's manual has
 * them: "/v1/splits/train/samples/3.png?strip=9". `type` is what the answer has to be: "image/png".
 * *ret has *ret_size bytes and a NUL behind them; free it with tnm_free(). -EINVAL no path, or what
 * the servers refuse; -EPROTO an answer of another type. */
int tnm_get(tnm_client *client, const char *path, const char *type, char **ret, size_t *ret_size);

/* Copy the file of a split or source split, `name` or `name@revision`, into `folder` (which is made
 * where its parent has none of the name) as NAME.safetensors, for a twonmnistd on this machine. Its
 * chunks come from all servers at once; each is checked as it arrives, asked for elsewhere where it
 * is not right, and asked for no more once it is: what a call has left behind that was cancelled,
 * killed or failed, in .NAME.REVISION.part, the next one goes on with. The file takes its place,
 * and that of another revision, when its bytes are those that its revision stands for, and are on
 * the disk. A file of the revision that is there already stays, and no server is asked where `name`
 * names it: its header and index are checked, and all its bytes where the flag says so. Calls for
 * the same file wait for each other. A chunk waits for servers for patience_s.
 *
 * 1: it was copied; 0: it was there. *ret, which may be NULL, changes as it goes, for the progress
 * callback to look at, and says after an error how far it went; `size` is sizeof *ret, as with
 * tnm_stream_stats(). -ENOTDIR there is no such folder; -ENOSPC, -EROFS and what else the system
 * says of files. */
enum { TNM_PULL_VERIFY = 1 };
typedef struct tnm_pulled {
    uint64_t size;     /* bytes of the file; 0 as long as that is not known */
    uint64_t found;    /* of them were there, and right */
    uint64_t fetched;  /* have come from servers */
    char revision[72]; /* 64 hex digits; "" as long as that is not known */
} tnm_pulled;
int tnm_pull(tnm_client *client, const char *name, const char *folder, unsigned flags,
             tnm_pulled *ret, size_t size);

typedef struct tnm_split tnm_split;

/* Open a split or source split, by `name` or `name@revision` (12 or more hex digits). From here on
 * its revision is pinned: a server with other data is refused, never mixed in. */
int tnm_split_open(tnm_client *client, const char *name, tnm_split **ret);
void tnm_split_close(tnm_split *split);

const char *tnm_split_name(const tnm_split *split);     /* without revision */
const char *tnm_split_revision(const tnm_split *split); /* SHA-256 of the header, 64 hex digits */
const char *tnm_split_json(const tnm_split *split);     /* all that the server says of it */
uint64_t tnm_split_n_samples(const tnm_split *split);
uint64_t tnm_split_n_events(const tnm_split *split);
uint64_t tnm_split_n_pairs(const tnm_split *split); /* samples of two digits */
int tnm_split_is_source(const tnm_split *split);    /* 1: recordings of one digit each */

/* What the split's sensor saw, and how many labels a sample has. */
typedef struct tnm_geometry {
    uint32_t width, height; /* pixels, 1 to 256: x is below width, y below height */
    uint32_t n_labels;      /* 1 to 256 */
} tnm_geometry;
void tnm_split_geometry(const tnm_split *split, tnm_geometry *ret);

/* A string of the description ("origin", "order", "plan", "licence", "citation", "generator",
 * "source", …); NULL where there is none. */
const char *tnm_split_text(const tnm_split *split, const char *key);

/* All labels, multi-hot, [n_samples][n_labels] of u8, into `out` of `size` bytes. */
int tnm_split_labels(tnm_split *split, uint8_t *out, size_t size);

/* The form in which samples are asked for from now on, also by streams opened later: `order` of
 * events, and times rounded to multiples of `timestep_us` (0: as recorded; up to 1,000,000). */
enum tnm_order { TNM_ORDER_STORED, TNM_ORDER_TIME, TNM_ORDER_PUBLISHED };
int tnm_split_set_form(tnm_split *split, int order, uint32_t timestep_us);

/* ---- Rules: which events of a sample count, and what frames they become ---- */

/* Parameters by the names that they have in the daemon's URLs, with values as text. Filters:
 * stabilize, t0, t1, denoise, polarity; how events find their frame: slice, and what goes with each
 * value of it (timestep, bins, stride, …). Without any: all events, in frames by a timestep of 1000
 * us, 300 of them. */
typedef struct tnm_rule tnm_rule;

int tnm_rule_new(tnm_rule **ret);
void tnm_rule_free(tnm_rule *rule);

/* Set parameter `name`, in any order; NULL: as if it had never been set. -EINVAL no such parameter,
 * or a value outside its range. */
int tnm_rule_set(tnm_rule *rule, const char *name, const char *value);

/* Name of parameter i, and one line on its meaning, range and default; NULL past the last. */
const char *tnm_rule_name(size_t i);
const char *tnm_rule_help(size_t i);

/* The rule as a query, "slice=window&timestep=10000&…" (of slice=timestep without it), in which
 * equal rules are equal; free it with tnm_free(). -EINVAL parameters that do not go together. */
int tnm_rule_query(const tnm_rule *rule, char **ret);

/* Have the servers keep of each sample only what the rule's filters keep, from now on, also in
 * streams opened later; NULL: all again. -EINVAL the rule has more than filters. */
int tnm_split_set_filters(tnm_split *split, const tnm_rule *rule);

/* ---- Views: a part of a split, by what its samples show ---- */

typedef struct tnm_view tnm_view;

/* Open the view that `words` say, as in a URL: "kind=pair&any=3,8&folds=10&fold=0&part=held". ""
 * is all of the split. Words, each at most once: kind (single, pair), any, all, none (labels with
 * commas between them), folds (2 to 1,000) with part (held, rest) and fold (0), per_class, and
 * fold_seed (0) for the last two; the server's manual says what they mean. Which samples these are
 * is found out here, from all labels, which are asked for once for each split that is open.
 * -EINVAL words that are none, or keep no sample: tnm_last_error() says which left none. */
int tnm_view_open(tnm_split *split, const char *words, tnm_view **ret);
void tnm_view_close(tnm_view *view);

const char *tnm_view_words(const tnm_view *view); /* in one way, all that hold */
uint64_t tnm_view_n_samples(const tnm_view *view);
const uint64_t *tnm_view_positions(const tnm_view *view); /* in the split, ascending; borrowed */
/* SHA-256 of these as little-endian u64, 64 hex digits. */
const char *tnm_view_sha256(const tnm_view *view);

/* What can be counted of it, as the server says it, as JSON text; free it with tnm_free(). */
int tnm_view_json(tnm_view *view, char **ret);

/* ---- Batches ---- */

/* Whole samples, each checked against its CRC-32C. The caller owns what a call hands over. */
typedef struct tnm_batch tnm_batch;

/* The samples at `indices`, in that order. -ENOENT an index past the end. */
int tnm_samples(tnm_split *split, const uint64_t *indices, size_t n_indices, tnm_batch **ret);

/* What the last global batch of an epoch holds: what is left; nothing, it is left out; or it is
 * filled up from the beginning of the order. */
enum tnm_last { TNM_LAST_SHORT, TNM_LAST_DROP, TNM_LAST_PAD };

/* Rank `rank`'s share of global batch `k` of `size` samples in the epoch's order,
 * RandomState([seed, epoch]).permutation(n): batch[rank::world]. */
int tnm_epoch_batch(tnm_split *split, uint32_t seed, uint32_t epoch, uint64_t k, uint64_t size,
                    uint32_t rank, uint32_t world, int last, tnm_batch **ret);

/* Global batches in an epoch; 0 where `size` is 0. */
uint64_t tnm_epoch_n_batches(const tnm_split *split, uint64_t size, int last);

/* The same of a view: its order is that of its positions, by
 * RandomState([seed, epoch]).permutation(len(view)). */
int tnm_view_batch(tnm_view *view, uint32_t seed, uint32_t epoch, uint64_t k, uint64_t size,
                   uint32_t rank, uint32_t world, int last, tnm_batch **ret);
uint64_t tnm_view_n_batches(const tnm_view *view, uint64_t size, int last);

/* Fresh pair `index` of the endless set `seed` over a source split; and pairs k·size … of it. */
int tnm_pair(tnm_split *source, uint64_t seed, uint64_t index, tnm_batch **ret);
int tnm_pair_batch(tnm_split *source, uint64_t seed, uint64_t k, uint64_t size, uint32_t rank,
                   uint32_t world, tnm_batch **ret);

/* Recordings of `n_parts` different digits (1 to 10), mixed now into one sample. */
int tnm_mix(tnm_split *source, const uint64_t *parts, size_t n_parts, tnm_batch **ret);

void tnm_batch_free(tnm_batch *batch);

uint64_t tnm_batch_number(const tnm_batch *batch); /* k; 0 from tnm_samples() and tnm_mix() */
const char *tnm_batch_server(const tnm_batch *batch);
uint64_t tnm_batch_n_samples(const tnm_batch *batch);
uint64_t tnm_batch_n_events(const tnm_batch *batch);
uint32_t tnm_batch_n_labels(const tnm_batch *batch); /* of each sample */

/* Borrowed from the batch: little-endian, as the daemon sent them. Without events (NULL, 0 of them)
 * where it was sent as places: see tnm_stream_set_decoder(). */
const uint8_t *tnm_batch_events(const tnm_batch *batch);     /* [n_events][5]: x, y, p:1 t:23 */
const uint64_t *tnm_batch_offsets(const tnm_batch *batch);   /* [n_samples + 1], events */
const uint8_t *tnm_batch_labels(const tnm_batch *batch);     /* [n_samples][n_labels], multi-hot */
const uint64_t *tnm_batch_indices(const tnm_batch *batch);   /* [n_samples] */
const int32_t *tnm_batch_sources(const tnm_batch *batch);    /* [n_samples][2], -1: none */
const uint64_t *tnm_batch_checksums(const tnm_batch *batch); /* [n_samples], CRC-32C */

/* The batch as the safetensors file that the daemon sent. */
const void *tnm_batch_blob(const tnm_batch *batch, size_t *ret_size);

/* ---- Decoding ---- */

/* What packed events become. A decoder is constant once made, and may be shared by threads. */
typedef struct tnm_decoder tnm_decoder;

/* Four columns one behind the other: t u32 [N], x u8 [N], y u8 [N], p u8 [N]. */
int tnm_decoder_columns(tnm_decoder **ret);

/* N items of `item_size` (1 to 64) bytes; field x, y, t, p (in this order) lies `at[i]` bytes into
 * the item as a little-endian integer of `width[i]` 1, 2, 4 or 8 bytes (t: 4 or 8). What no field
 * covers is 0. The daemon's .npy is at {0, 1, 2, 6}, width {1, 1, 4, 1}, 7 bytes. */
int tnm_decoder_structured(uint32_t item_size, const uint32_t at[4], const uint32_t width[4],
                           tnm_decoder **ret);

/* Dense tensors of u8 or float [n_samples][bins][2][height][width] (TNM_BTCHW), [n_samples][2]
 * [height][width][bins] (TNM_BCHWT) or [bins][n_samples][2][height][width] (TNM_TBCHW); channel 1
 * is ON. Width and height are those of `geometry`, the split's. Bin of an event: t / timestep_us,
 * half to even or floor; events past the last bin are dropped. Where events meet: 1, or how many up
 * to 255. timestep_us: 1 to 1,000,000; bins: 1 to 4096. */
enum tnm_binning { TNM_BIN_ROUND, TNM_BIN_FLOOR };
enum tnm_overlap { TNM_OVERLAP_OR, TNM_OVERLAP_SUM };
enum tnm_axes { TNM_BTCHW, TNM_BCHWT, TNM_TBCHW };
enum tnm_dtype { TNM_U8, TNM_F32, TNM_U16, TNM_F64 };
int tnm_decoder_frames(const tnm_geometry *geometry, uint32_t timestep_us, uint32_t bins,
                       int binning, int overlap, int axes, int dtype, tnm_decoder **ret);

/* Dense tensors by a rule, which is copied: the same with C channels, 1 where polarities are
 * merged, and as many frames as the sample of the batch that has most; the others are filled up
 * with zeros. Counts stop at 255 (TNM_U8) or 65,535. A voxel grid has one channel, and is TNM_F32
 * or TNM_F64; nothing else is TNM_F64. -EINVAL parameters that do not go together. */
int tnm_decoder_rule(const tnm_geometry *geometry, const tnm_rule *rule, int axes, int dtype,
                     tnm_decoder **ret);

/* The same frames without their zeros: counts i32 [n_samples][n_frames], and behind them places i16
 * [their sum]: for each frame in order those that are set, (channel * height + y) * width + x,
 * ascending, as often as there are events where those count. Of at most 32,768 places in a frame,
 * and of no voxel grid. */
int tnm_decoder_sparse(const tnm_geometry *geometry, const tnm_rule *rule, tnm_decoder **ret);

void tnm_decoder_free(tnm_decoder *decoder);

/* Bytes that a batch of so many samples and events becomes; SIZE_MAX where that overflows, or where
 * each sample has its own number of frames: then tnm_decoder_measure() tells. */
size_t tnm_decoder_size(const tnm_decoder *decoder, uint64_t n_samples, uint64_t n_events);

/* What this batch becomes: bytes, for a sparse one at most; frames of its longest sample, 0 where
 * it does not become frames; and of each, into n_frames [n_samples], which may be NULL. Errors:
 * those of tnm_decode(). */
int tnm_decoder_measure(const tnm_decoder *decoder, const tnm_batch *batch, size_t *ret_size,
                        uint32_t *ret_longest, int32_t *n_frames);

/* Decode a whole batch into `out`, aligned for what it becomes. -ENOBUFS `size` is less than
 * tnm_decoder_measure() says; -EINVAL it is to become frames of another geometry than its own, or a
 * rule can make none of a sample (no events, not in order of time, more than 4096 frames), which is
 * named, or it came as places by another rule. */
int tnm_decode(const tnm_decoder *decoder, const tnm_batch *batch, void *out, size_t size);

/* A batch of events of one's own, packed, which are copied: those of sample i are offsets[i] to
 * offsets[i + 1], [n_samples + 1]. It has no labels, sources or checksums. -EINVAL offsets that go
 * back, or a pixel outside the sensor. */
int tnm_batch_of_events(const tnm_geometry *geometry, const uint8_t *events,
                        const uint64_t *offsets, size_t n_samples, tnm_batch **ret);

/* ---- Streams: batches in order, fetched ahead ---- */

typedef struct tnm_stream tnm_stream;

enum { TNM_MAX_DEPTH = 1024 };

/* The batches of one epoch, as tnm_epoch_batch() gives them; `depth` (1 to TNM_MAX_DEPTH) of them
 * are under way or waiting at most. */
int tnm_epoch_open(tnm_split *split, uint32_t seed, uint32_t epoch, uint64_t size, uint32_t rank,
                   uint32_t world, int last, unsigned depth, tnm_stream **ret);

/* The batches of a part of a split: of the samples at `indices`, [n_indices], which are copied; or
 * of all its samples, where `indices` is NULL. As given: in their order (stored order where it is
 * NULL), in each epoch the same. Shuffled: in the order RandomState([seed, epoch]).permutation(n)
 * of their places. All else is as with tnm_epoch_open(); with NULL and TNM_SHUFFLED it is that.
 * Cursors hold for the same part alone. -ENOENT an index past the end. */
enum tnm_shuffle { TNM_AS_GIVEN, TNM_SHUFFLED };
int tnm_part_open(tnm_split *split, const uint64_t *indices, size_t n_indices, int shuffle,
                  uint32_t seed, uint32_t epoch, uint64_t size, uint32_t rank, uint32_t world,
                  int last, unsigned depth, tnm_stream **ret);

/* The batches of an epoch of a view, as tnm_view_batch() gives them. Cursors hold for the same view
 * alone, and say which that is. */
int tnm_view_epoch_open(tnm_view *view, uint32_t seed, uint32_t epoch, uint64_t size, uint32_t rank,
                        uint32_t world, int last, unsigned depth, tnm_stream **ret);

/* Fresh pairs for ever, from pair index `start`, a multiple of `size`. */
int tnm_pairs_open(tnm_split *source, uint64_t seed, uint64_t start, uint64_t size, uint32_t rank,
                   uint32_t world, unsigned depth, tnm_stream **ret);

/* Stops what is under way. Batches that were handed over stay valid. */
void tnm_stream_close(tnm_stream *stream);

/* Wait for the next batch: 1 and *ret, or 0 at the end of the epoch. After an error the stream
 * stays where it is: a further call asks for the same batch again. */
int tnm_stream_next(tnm_stream *stream, tnm_batch **ret);

/* What a stream has done since it was opened, through seeks and epochs. Times in microseconds.
 * Where waited_us is the larger part of waited_us + consumer_us the data are the bottleneck: of it
 * waited_network_us went by before the answer had arrived, and the rest was decoding; else it is
 * what the caller does with the batches. */
typedef struct tnm_stats {
    uint64_t batches, samples;  /* handed over */
    uint64_t waited_us;         /* by the caller, in tnm_stream_next() */
    uint64_t waited_network_us; /* of that: for answers */
    uint64_t consumer_us;       /* of the caller, from a batch to its next call */
    uint64_t network_us;        /* in which one or more requests were under way */
    uint64_t decoding_us;       /* of all threads together */
    uint64_t bytes;             /* that have arrived, heads of answers and bad ones included */
    uint64_t requests;          /* sent: with those of the next three lines */
    uint64_t retries;           /* after failures */
    uint64_t hedges;            /* to another server, since one was slow */
    uint64_t failures;          /* bad answers, or none */
} tnm_stats;

/* `size` is sizeof *ret: a later library may know more than its caller, or less, which is 0. */
int tnm_stream_stats(const tnm_stream *stream, tnm_stats *ret, size_t size);

/* Batches of the whole stream; UINT64_MAX for pairs. */
uint64_t tnm_stream_n_batches(const tnm_stream *stream);

/* Where the stream is: a short text, that of the batch tnm_stream_next() gives next. With a size
 * too small for it (TNM_CURSOR_SIZE is enough) -ENOBUFS. */
enum { TNM_CURSOR_SIZE = 512 };
int tnm_stream_tell(const tnm_stream *stream, char *ret, size_t size);

/* Go on from a cursor, of this or another process, of any rank and world: the next batch is exactly
 * the one that was next. -ESTALE it belongs to other data; -EINVAL it is no cursor, or one of
 * another kind of stream, global batch size, rule for the last batch or form of the samples (order,
 * timestep, filters). Seed and epoch become the cursor's. */
int tnm_stream_seek(tnm_stream *stream, const char *cursor);

/* Leave out `skip` batches, and from there on hand over every `step`th (1 or more) only, as one of
 * `step` processes that take turns; nothing else is fetched. A step stays through seeks; a new one
 * replaces it. */
int tnm_stream_stride(tnm_stream *stream, uint64_t skip, uint64_t step);

/* Where the stream is: its seed; its epoch (0 for pairs); the number of the batch that
 * tnm_stream_next() gives next, or tnm_stream_n_batches() at the end. */
uint64_t tnm_stream_seed(const tnm_stream *stream);
uint32_t tnm_stream_epoch(const tnm_stream *stream);
uint64_t tnm_stream_position(const tnm_stream *stream);

/* Go on with the first batch of another epoch; -EINVAL for pairs. */
int tnm_stream_set_epoch(tnm_stream *stream, uint32_t epoch);

/* Decode batches in the background when they are next, so that the caller's and one more are all
 * that is decoded at once (or as many as have 64 MB together); a caller that keeps more has them
 * decoded as it asks for them. Set it before the first tnm_stream_next() or after a seek. The
 * decoder stays the caller's and outlives the stream. NULL: packed events only.
 *
 * What a decoder of tnm_decoder_rule() or tnm_decoder_sparse() is to make is asked for as places
 * where that is less to send over a network (option `wire`), and comes out the same. */
int tnm_stream_set_decoder(tnm_stream *stream, const tnm_decoder *decoder);

/* Lend a buffer to decode into; the first batch for which it is large enough takes it, and it is
 * the caller's again when that batch was freed, or the stream closed. Without one the batch
 * allocates its own. */
int tnm_stream_lend(tnm_stream *stream, void *buffer, size_t size);

/* What the stream's decoder made of the batch; NULL and 0 without one. */
const void *tnm_batch_decoded(const tnm_batch *batch, size_t *ret_size);

/* Where that is frames: those of each sample [n_samples], and of the longest; else NULL. */
const int32_t *tnm_batch_n_frames(const tnm_batch *batch, uint32_t *ret_longest);

/* Where it is sparse: its parts; else NULL. And the same as a matrix of [n_samples * n_frames] rows
 * and a column for each place, in the form of compressed rows: `crow` [rows + 1], `col` [places]. A
 * place that was counted stands there as often as it was. */
const int32_t *tnm_batch_counts(const tnm_batch *batch);
const int16_t *tnm_batch_places(const tnm_batch *batch, uint64_t *ret_n_places);
int tnm_batch_csr(const tnm_batch *batch, int32_t *crow, int32_t *col);

/* Make a tnm_stream_next() that waits, and all further ones, return -ECANCELED until a seek. */
void tnm_stream_cancel(tnm_stream *stream);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
