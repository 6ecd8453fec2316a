#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Print the files as C, each as it is and as gzip, with a tag of its content: embed.sh FILE...
set -eu

bytes() {
    od -An -v -tu1 | sed -e 's/  */,/g' -e 's/^,//' -e 's/$/,/'
}

array() {
    echo "static const unsigned char $1[] = {"
    bytes
    echo "};"
}

cat <<END
/* Made by viewer/embed.sh of the files in viewer/. */
#include "server/viewer.h"

END
i=0 rows=
for file in "$@"; do
    array "plain_$i" <"$file"
    gzip -9n <"$file" | array "gzip_$i"
    tag=$(sha256sum <"$file" | cut -c1-16)
    rows="$rows    {\"${file##*/}\", \"$tag\", plain_$i, gzip_$i, sizeof plain_$i, sizeof gzip_$i},
"
    i=$((i + 1))
done
cat <<END

const struct viewer_file viewer_files[] = {
$rows};
const unsigned n_viewer_files = sizeof viewer_files / sizeof *viewer_files;
END
