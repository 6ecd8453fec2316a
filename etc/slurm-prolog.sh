#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# For Prolog= of slurm.conf (copy it to /etc/slurm/prolog.d/): before a job begins on a node, the splits are
# there whole, and a daemon serves them on a Unix socket. Where there is one already, nothing is done; where
# there can be none, the job begins all the same, and asks the servers itself (etc/slurm-array.sh).
#
# What is set in /etc/twonmnist/slurm.conf, as NAME=value:
#   TWONMNIST_SERVER      servers to pull from, blanks between them
#   TWONMNIST_SPLITS      splits to pull, NAME or NAME@REVISION (default: nmnist-train nmnist-test train test)
#   TWONMNIST_DATA        the folder (default: /var/lib/twonmnist)
#   TWONMNIST_SOCKET      where the daemon listens (default: /run/twonmnistd.socket)
#   TWONMNIST_TOKEN_FILE  a token for the servers
set -u
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
CONFIG=${TWONMNIST_SLURM_CONF:-/etc/twonmnist/slurm.conf}
# shellcheck source=/dev/null
[ ! -r "$CONFIG" ] || . "$CONFIG"
data=${TWONMNIST_DATA:-/var/lib/twonmnist}
socket=${TWONMNIST_SOCKET:-/run/twonmnistd.socket}

say() {
    logger -t twonmnist-prolog -- "$*" 2>/dev/null || echo "twonmnist-prolog: $*" >&2
}

is_served() {
    [ -S "$socket" ] && twonmnist info --server "unix:$socket" >/dev/null 2>&1
}

pull() {
    set -- ${TWONMNIST_TOKEN_FILE:+--token-file "$TWONMNIST_TOKEN_FILE"}
    for server in ${TWONMNIST_SERVER:?no server to pull from}; do
        set -- "$@" --server "$server"
    done
    for split in ${TWONMNIST_SPLITS:-nmnist-train nmnist-test train test}; do
        twonmnist pull "$split" "$data" "$@" || return 1
    done
}

# Several jobs may begin on a node at once; one of them does it.
mkdir -p "$data" && exec 9>"$data/.prolog.lock" && flock 9 || exit 0
is_served && exit 0
if ! (pull) 2>"$data/.prolog.log"; then
    say "the splits were not pulled: $(tail -n 1 "$data/.prolog.log")"
    exit 0
fi
if systemctl start twonmnistd.socket 2>/dev/null; then
    exit 0
fi
# No systemd: a daemon of our own, which outlives the job. The job does not begin before it is there.
setsid twonmnistd --data "$data" --listen "unix:$socket" </dev/null >"$data/.daemon.log" 2>&1 9>&- &
tries=0
until is_served || [ $tries -ge 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
exit 0
