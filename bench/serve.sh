#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Samples over HTTP: twonmnistd against nginx serving the same bytes as static files, in one run.
#
#   bench/serve.sh BUILD DATA [SECONDS]
#
# DATA holds splits (twonmnist-generate splits). Needs wrk, nginx and curl. Both servers get all cores
# but share them with wrk; each is measured three times, in turn, and the medians are compared.
set -eu -o pipefail
build=$(realpath "$1") data=$(realpath "$2") seconds=${3:-3}
work=$(mktemp -d)
chmod 755 "$work" # nginx's workers may be another user's
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

"$build/twonmnistd" --data "$data" --listen 127.0.0.1:0 2>"$work/log" &
until grep -q 'listening on' "$work/log"; do sleep 0.05; done
ours=http://$(sed -n 's/.*listening on //p' "$work/log")

count=500
mkdir -p "$work/files/v1/splits/train/samples"
for i in $(seq 0 $((count - 1))); do
    curl -sf "$ours/v1/splits/train/samples/$i.bin" -o "$work/files/v1/splits/train/samples/$i.bin"
done
port=$(/usr/bin/python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/nginx.conf" <<END
daemon off; worker_processes auto; pid $work/pid; error_log $work/error.log;
events { worker_connections 4096; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
       open_file_cache max=10000; server { listen 127.0.0.1:$port reuseport; root $work/files; } }
END
nginx -c "$work/nginx.conf" -e "$work/error.log" &
theirs=http://127.0.0.1:$port
curl -sf --retry 20 --retry-delay 1 --retry-connrefused "$theirs/v1/splits/train/samples/0.bin" -o /dev/null

cat >"$work/samples.lua" <<END
local i = 0
request = function()
    i = (i * 7919 + 12345) % $count
    return wrk.format("GET", "/v1/splits/train/samples/" .. i .. ".bin")
end
END

rate() { # URL CONNECTIONS
    wrk -t"$(($2 > 1 ? 2 : 1))" -c"$2" -d"${seconds}s" -s "$work/samples.lua" "$1" | awk '/Requests\/sec/ { print $2 }'
}
median() { printf '%s\n' "$@" | sort -n | sed -n 2p; }

printf '%11s %18s %18s %7s\n' connections 'twonmnistd req/s' 'nginx req/s' ratio
for connections in 1 32 256; do
    a=() b=()
    for _ in 1 2 3; do
        a+=("$(rate "$ours" $connections)")
        b+=("$(rate "$theirs" $connections)")
    done
    awk -v c=$connections -v a="$(median "${a[@]}")" -v b="$(median "${b[@]}")" \
        'BEGIN { printf "%11d %18.0f %18.0f %7.2f\n", c, a, b, a / b }'
done
