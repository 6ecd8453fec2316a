#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One training for each of ten seeds:  sbatch slurm-array.sh
#SBATCH --job-name=twonmnist
#SBATCH --array=0-9
#SBATCH --ntasks=1
#SBATCH --requeue
#SBATCH --output=twonmnist-%a.log
set -eu

# The daemon of the node (etc/slurm-prolog.sh), or else the servers.
socket=${TWONMNIST_SOCKET:-/run/twonmnistd.socket}
if [ -S "$socket" ]; then
    server=unix:$socket
else
    server=${TWONMNIST_SERVER:-http://data.example.org:8642}
fi

# A job that was taken off its node goes on from its last checkpoint, at the very batch that was next.
seed=$SLURM_ARRAY_TASK_ID
checkpoint=seed-$seed.pt
# shellcheck disable=SC2046,SC2086 # several servers have blanks between them
exec ${TWONMNIST_TRAIN:-python3 train.py} --seed "$seed" --checkpoint "$checkpoint" \
    $([ ! -e "$checkpoint" ] || echo --resume "$checkpoint") $server
