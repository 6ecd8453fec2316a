/* SPDX-License-Identifier: Apache-2.0
 * The splits as a Croissant dataset. */
#include "server/croissant.h"

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json_memory.h"
#include "common/sha256.h"
#include "server/description.h"
#include "server/samples/rows.h"

enum { NAME_SIZE = WIRE_NAME_MAX + 80, URL_SIZE = 640 };

/* The context of the specification's appendix. */
static json_t *context(void)
{
    static const char *const terms[] = {"annotation",    "arrayShape",  "citeAs",
                                        "column",        "containedIn", "equivalentProperty",
                                        "excludes",      "extract",     "field",
                                        "fileProperty",  "fileObject",  "fileSet",
                                        "format",        "includes",    "isArray",
                                        "isLiveDataset", "jsonPath",    "key",
                                        "md5",           "parentField", "recordSet",
                                        "references",    "regex",       "readLines",
                                        "sdVersion",     "separator",   "source",
                                        "subField",      "transform",   "unArchive",
                                        "value"};
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}}",
        "@language", "en", "@vocab", "http://schema.org/", "sc", "http://schema.org/", "cr",
        "http://mlcommons.org/croissant/", "rai", "http://mlcommons.org/croissant/RAI/", "dct",
        "http://purl.org/dc/terms/", "conformsTo", "dct:conformsTo", "data", "@id", "cr:data",
        "@type", "@json", "examples", "@id", "cr:examples", "@type", "@json", "dataType", "@id",
        "cr:dataType", "@type", "@vocab");
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        char expanded[NAME_SIZE];
        snprintf(expanded, sizeof expanded, "cr:%s", terms[i]);
        json_object_set_new(object, terms[i], json_string(expanded));
    }
    return object;
}

/* "name", or "name/part". */
static json_t *id(const char *name, const char *part)
{
    char text[NAME_SIZE];
    snprintf(text, sizeof text, "%s%s%s", name, *part ? "/" : "", part);
    return json_pack("{s:s}", "@id", text);
}

static void table_name(const struct entry *entry, char ret[NAME_SIZE])
{
    snprintf(ret, NAME_SIZE, "%s.csv", entry->name);
}

/* ---- the files ---- */

/* Under the split's revision, so that what is there stays as it is. */
static json_t *file_object(const struct croissant *croissant, const struct entry *entry)
{
    const struct kept *table = &entry->texts[ENTRY_CSV];
    char name[NAME_SIZE], url[URL_SIZE], size[32];
    table_name(entry, name);
    snprintf(url, sizeof url, "%s/v1/splits/%s@%.*s/samples.csv", croissant->url, entry->name,
             WIRE_REVISION_MIN, entry->revision);
    snprintf(size, sizeof size, "%zu B", table->codings[KEPT_PLAIN].size);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "@type", "cr:FileObject", "@id",
                     name, "name", name, "description", "a row for each sample, without its events",
                     "contentUrl", url, "contentSize", size, "encodingFormat", "text/csv", "sha256",
                     table->sha256);
}

/* The split's own file, once a scrub has read all of it. */
static json_t *split_object(const struct croissant *croissant, const struct entry *entry)
{
    char name[NAME_SIZE], url[URL_SIZE], size[32];
    snprintf(name, sizeof name, "%s" SPLIT_SUFFIX, entry->name);
    snprintf(url, sizeof url, "%s/v1/splits/%s@%.*s" SPLIT_SUFFIX, croissant->url, entry->name,
             WIRE_REVISION_MIN, entry->revision);
    snprintf(size, sizeof size, "%" PRIu64 " B", split_size(entry->split));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "@type", "cr:FileObject", "@id",
                     name, "name", name, "description", "the split itself, with all events",
                     "contentUrl", url, "contentSize", size, "encodingFormat",
                     WIRE_SAFETENSORS_TYPE, "sha256", entry->holding->file_sha256);
}

/* ---- the records ---- */

static json_t *column_types(unsigned column)
{
    const char *type = rows_column_is_number(column) ? "sc:Integer" : "sc:Text";
    if (strcmp(rows_column(column), "labels") == 0)
        return json_pack("[s, s]", type, "cr:Label");
    return json_string(type);
}

static json_t *column_field(const struct entry *entry, unsigned column)
{
    const char *name = rows_column(column);
    char table[NAME_SIZE];
    table_name(entry, table);
    json_t *source =
        json_pack("{s:o, s:{s:s}}", "fileObject", id(table, ""), "extract", "column", name);
    json_t *field = id(entry->name, name);
    json_object_set_new(field, "@type", json_string("cr:Field"));
    json_object_set_new(field, "name", json_string(name));
    json_object_set_new(field, "description", json_string(rows_column_help(column)));
    json_object_set_new(field, "dataType", column_types(column));
    if (rows_column_is_list(column)) {
        json_object_set_new(field, "isArray", json_true());
        json_object_set_new(field, "arrayShape", json_string("-1"));
        json_object_set_new(source, "transform", json_pack("{s:s}", "separator", " "));
    }
    json_object_set_new(field, "source", source);
    if (entry->source && !entry_is_damaged(entry->source) && strcmp(name, "sources") == 0)
        json_object_set_new(field, "references", id(entry->source->name, "index"));
    return field;
}

/* The same in all records. */
static json_t *split_field(const struct entry *entry)
{
    json_t *field = id(entry->name, "split");
    json_object_set_new(field, "@type", json_string("cr:Field"));
    json_object_set_new(field, "name", json_string("split"));
    json_object_set_new(field, "description", json_string("the split that the sample is in"));
    json_object_set_new(field, "dataType", json_string("sc:Text"));
    json_object_set_new(field, "value", json_string(entry->name));
    json_object_set_new(field, "references", id("splits", "name"));
    return field;
}

static json_t *record_set(const struct entry *entry)
{
    char help[URL_SIZE];
    json_t *fields = json_array();
    for (unsigned column = 0; rows_column(column); column++)
        json_array_append_new(fields, column_field(entry, column));
    json_array_append_new(fields, split_field(entry));
    snprintf(help, sizeof help, "%" PRIu64 " %s", split_n_samples(entry->split),
             entry->is_source ? "recordings of one digit each" : "samples of one or two digits");
    json_t *set = id(entry->name, "");
    json_object_set_new(set, "@type", json_string("cr:RecordSet"));
    json_object_set_new(set, "name", json_string(entry->name));
    json_object_set_new(set, "description", json_string(help));
    json_object_set_new(set, "key", id(entry->name, "index"));
    json_object_set_new(set, "field", fields);
    return set;
}

static json_t *split_row(const struct entry *entry)
{
    bool is_test = strcmp(split_meta(entry->split, "split"), "test") == 0;
    return json_pack("{s:s, s:s}", "splits/name", entry->name, "splits/url",
                     is_test ? "cr:TestSplit" : "cr:TrainingSplit");
}

static json_t *split_set(json_t *rows)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:[{s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}], s:o}", "@type",
        "cr:RecordSet", "@id", "splits", "name", "splits", "dataType", "cr:Split", "key",
        id("splits", "name"), "field", "@type", "cr:Field", "@id", "splits/name", "name", "name",
        "dataType", "sc:Text", "@type", "cr:Field", "@id", "splits/url", "name", "url", "dataType",
        "cr:Split", "data", rows);
}

/* ---- the dataset ---- */

static void add_once(json_t *list, const char *text)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (strcmp(json_string_value(item), text) == 0) return;
    if (*text)
        json_array_append_new(list, json_string(text));
}

static void add_licence(json_t *list, const struct entry *entry)
{
    char url[NAME_SIZE];
    const char *licence = split_meta(entry->split, "licence");
    snprintf(url, sizeof url, "https://spdx.org/licenses/%.60s.html", licence);
    add_once(list, *licence ? url : "");
}

/* Other data, another version. */
static void version_of(const json_t *revisions, char ret[NAME_SIZE])
{
    char digest[SHA256_HEX + 1], all[CATALOG_MAX_SPLITS * SHA256_HEX];
    size_t i, n = 0;
    json_t *revision;
    json_array_foreach(revisions, i, revision)
    {
        memcpy(all + n, json_string_value(revision), SHA256_HEX);
        n += SHA256_HEX;
    }
    sha256_hex_of(all, n, digest);
    snprintf(ret, NAME_SIZE, "1.0.0+%.12s", digest);
}

static json_t *creators(void)
{
    static const char *const names[] = {"Jurado",   "Dunn",  "Shapero", "Orchard",
                                        "Jayawant", "Cohen", "Thakor"};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s}", "@type", "sc:Person", "name", names[i]));
    return list;
}

static const char cite_as[] =
    "@inproceedings{jurado2023spikemoid, author = {Jurado and Dunn and Shapero}, title = "
    "{Spikemoid}, booktitle = {International Joint Conference on Neural Networks (IJCNN)}, year = "
    "{2023}, doi = {10.1109/IJCNN54540.2023.10191787}}\n"
    "@article{orchard2015converting, author = {Orchard and Jayawant and Cohen and Thakor}, title = "
    "{Converting static image datasets to spiking neuromorphic datasets using saccades}, journal = "
    "{Frontiers in Neuroscience}, volume = {9}, pages = {437}, year = {2015}, doi = "
    "{10.3389/fnins.2015.00437}}";

static const char description[] =
    "2NMNIST: event-camera recordings of handwritten digits (N-MNIST), alone and superimposed in "
    "pairs, for networks that tell which digits are shown. The tables have a row for each sample; "
    "its events, and batches of them, come from the same server: see openapi.json there.";

struct parts {
    json_t *files, *sets, *rows, *licences, *citations, *revisions;
};

static void add_entry(const struct croissant *croissant, size_t i, const struct parts *parts)
{
    const struct entry *entry = croissant->catalog->entries[i];
    json_array_append_new(parts->files, file_object(croissant, entry));
    if (croissant->is_verified[i])
        json_array_append_new(parts->files, split_object(croissant, entry));
    json_array_append_new(parts->sets, record_set(entry));
    json_array_append_new(parts->rows, split_row(entry));
    json_array_append_new(parts->revisions, json_string(entry->revision));
    add_licence(parts->licences, entry);
    add_once(parts->citations, split_meta(entry->split, "citation"));
}

static json_t *document(const struct croissant *croissant, const struct parts *parts)
{
    char url[URL_SIZE], version[NAME_SIZE];
    snprintf(url, sizeof url, "%s/", croissant->url);
    version_of(parts->revisions, version);
    json_array_insert_new(parts->sets, 0, split_set(parts->rows));
    json_decref(parts->revisions);
    return json_pack(
        "{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:[s, s, s, s], s:[s, s], "
        "s:o, s:o}",
        "@context", context(), "@type", "sc:Dataset", "conformsTo",
        "http://mlcommons.org/croissant/1.1", "name", "2NMNIST", "description", description, "url",
        url, "version", version, "datePublished", "2023", "citeAs", cite_as, "creator", creators(),
        "license", parts->licences, "citation", parts->citations, "keywords", "event camera",
        "neuromorphic", "spiking neural networks", "multi-label classification", "sameAs",
        "https://doi.org/10.5281/zenodo.7847750", "https://doi.org/10.17632/468j46mzdv.1",
        "distribution", parts->files, "recordSet", parts->sets);
}

/* The table of an entry. Errors: -ENOMEM; -EBADMSG it is damaged. */
static int keep_table(struct entry *entry, struct error *why)
{
    if (entry_is_damaged(entry))
        return error_set(why, -EBADMSG, "split %s is damaged", entry->name);
    return description_keep(entry, ENTRY_CSV, why);
}

int croissant_write(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    const struct croissant *croissant = user;
    bool is_there[CATALOG_MAX_SPLITS] = {false};
    for (size_t i = 0; i < croissant->catalog->n_entries; i++) {
        int r = keep_table(croissant->catalog->entries[i], why);
        if (r < 0 && r != -EBADMSG)
            return r;
        is_there[i] = r == 0;
    }
    json_memory_begin();
    const struct parts parts = {json_array(), json_array(), json_array(),
                                json_array(), json_array(), json_array()};
    for (size_t i = 0; i < croissant->catalog->n_entries; i++)
        if (is_there[i])
            add_entry(croissant, i, &parts);
    return description_write(document(croissant, &parts), ret, ret_size, why);
}
