# SPDX-License-Identifier: Apache-2.0
# A cache in memory, before three daemons:
#     varnishd -a :8642 -f /etc/varnish/twonmnist.vcl -s malloc,8g -p vsl_mask=-ReqHeader,-BereqHeader
# The last of these keeps tokens out of its log, in memory and in a file.
# tests/test_cluster.py runs this file as it stands.
vcl 4.1;

import directors;
import std;

probe ready {
    .url = "/readyz";
    .interval = 1s;
    .timeout = 1s;
    .window = 3;
    .threshold = 2;
    .initial = 2;
}

# One that hangs is left before a client's stall_timeout_s (15 s) has passed.
backend one {
    .host = "10.0.0.11";
    .port = "8642";
    .connect_timeout = 1s;
    .first_byte_timeout = 4s;
    .between_bytes_timeout = 4s;
    .probe = ready;
}
backend two {
    .host = "10.0.0.12";
    .port = "8642";
    .connect_timeout = 1s;
    .first_byte_timeout = 4s;
    .between_bytes_timeout = 4s;
    .probe = ready;
}
backend three {
    .host = "10.0.0.13";
    .port = "8642";
    .connect_timeout = 1s;
    .first_byte_timeout = 4s;
    .between_bytes_timeout = 4s;
    .probe = ready;
}

sub vcl_init {
    new replicas = directors.shard();
    replicas.add_backend(one);
    replicas.add_backend(two);
    replicas.add_backend(three);
    replicas.reconfigure();
}

sub vcl_recv {
    if (req.url == "/metrics") {
        return (synth(404));
    }
    # Whole files, a part of them (Range), and long lists of indices are not kept.
    if ((req.method != "GET" && req.method != "HEAD") || req.url ~ "^/v1/(splits|sources)/[^/]+\.safetensors") {
        std.cache_req_body(1MB); # as max_body_bytes: so that it can be sent to another one, too
        return (pass);
    }
    # A client that was given a damaged answer says "no-cache", and what is kept is replaced.
    if (req.http.Cache-Control ~ "no-cache") {
        set req.hash_always_miss = true;
    }
    # What is too old is given only where nobody can be asked.
    if (std.healthy(replicas.backend())) {
        set req.grace = 0s;
    }
    return (hash);
}

# Nobody gets what another one's token brought here.
sub vcl_hash {
    hash_data(req.url);
    hash_data(req.http.Authorization);
    return (lookup);
}

sub vcl_backend_fetch {
    # The same URL to the same daemon, and to the next ones where that failed.
    set bereq.backend = replicas.backend(by=URL, alt=bereq.retries);
    # Repr-Digest is of what the daemon sent: nothing is to be packed or unpacked on its way.
    unset bereq.http.Accept-Encoding;
}

sub vcl_backend_response {
    # Another revision, or trouble of this daemon alone.
    if ((beresp.status == 404 || beresp.status >= 500) && bereq.retries < 2) {
        return (retry);
    }
    # What splits there are may be a second old, and older while no daemon answers.
    if (beresp.status == 200 && bereq.url ~ "^/v1/(splits|sources)(/[^/@.]+)?(\.json)?$" && !bereq.uncacheable) {
        set beresp.ttl = 1s;
        set beresp.grace = 1d;
        return (deliver);
    }
    set beresp.grace = 1d;
}

sub vcl_backend_error {
    if (bereq.retries < 2) {
        return (retry);
    }
    set beresp.http.Retry-After = "1";
    return (deliver);
}
