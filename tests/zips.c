/* SPDX-License-Identifier: Apache-2.0
 * Zip archives made for tests. */
#include "tests/zips.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void write_member(struct archive *archive, const struct zip_member *member)
{
    struct archive_entry *entry = archive_entry_new();
    size_t length = strlen(member->name);
    archive_entry_set_pathname(entry, member->name);
    archive_entry_set_perm(entry, 0644);
    if (member->link) {
        archive_entry_set_filetype(entry, AE_IFLNK);
        archive_entry_set_symlink(entry, member->link);
    } else {
        archive_entry_set_filetype(entry, member->name[length - 1] == '/' ? AE_IFDIR : AE_IFREG);
        archive_entry_set_size(entry, (la_int64_t)member->size);
    }
    if (archive_write_header(archive, entry) != ARCHIVE_OK)
        fail_msg("%s", archive_error_string(archive));
    assert_int_equal(archive_write_data(archive, member->bytes, member->size), member->size);
    archive_entry_free(entry);
}

void zip_write(const char *path, const struct zip_member *members, size_t n_members,
               const char *compression)
{
    struct archive *archive = archive_write_new();
    assert_int_equal(archive_write_set_format_zip(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_option(archive, "zip", "compression", compression),
                     ARCHIVE_OK);
    if (archive_write_open_filename(archive, path) != ARCHIVE_OK)
        fail_msg("%s", archive_error_string(archive));
    for (size_t i = 0; i < n_members; i++)
        write_member(archive, &members[i]);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}
