#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run fuzz targets one after the other, in a build for fuzzing: run.sh SOURCE SECONDS PROGRAM...
# Starts from the source's corpora; new inputs go to corpus/<target>/, findings to findings/.
source=$1 seconds=$2
shift 2
export ASAN_OPTIONS="allocator_may_return_null=1:detect_stack_use_after_return=1:$ASAN_OPTIONS"
status=0
for program in "$@"; do
    target=$(basename "$program" _fuzz)
    mkdir -p "corpus/$target" findings
    case $target in
    answers | blob | safetensors | split) words=-dict=$source/tests/fuzz/header.dict ;;
    connection | request) words=-dict=$source/tests/fuzz/request.dict ;;
    *) words= ;;
    esac
    echo "== $target: $seconds s"
    "./$program" -max_total_time="$seconds" -timeout=100 -rss_limit_mb=2048 -print_final_stats=1 \
        -verbosity=0 -artifact_prefix="findings/$target-" ${words:+"$words"} \
        "corpus/$target" "$source/tests/corpus/$target" || {
        echo "== $target: a finding; see findings/$target-*" >&2
        status=1
    }
done
exit $status
