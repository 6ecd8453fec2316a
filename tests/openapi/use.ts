// SPDX-License-Identifier: Apache-2.0
// A batch by the types that are made of /openapi.json: what it does not tell of does not compile.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

declare const process: { argv: string[] };
declare const console: { log(text: string): void };

const client = createClient<paths>({
  baseUrl: process.argv[2],
  querySerializer: { array: { style: "form", explode: false } }, // as the document says
});

const list = await client.GET("/v1/splits/{split}/samples.csv", {
  params: { path: { split: "train" }, query: { kind: "pair", sort: "-events" } },
  parseAs: "text",
});
const batch = await client.GET(
  "/v1/splits/{split}/epochs/{order_seed}/{epoch}/batches/{k}.safetensors",
  {
    params: {
      path: { split: "train", order_seed: 1, epoch: 0, k: 0 },
      query: { size: 4, as: "sparse", any: [3, 8] },
    },
    parseAs: "arrayBuffer",
  },
);
const refused = await client.GET("/v1/splits/{split}.json", { params: { path: { split: "none" } } });

console.log(
  JSON.stringify({
    rows: (list.data ?? "").split("\r\n").length - 2,
    bytes: (batch.data as unknown as ArrayBuffer).byteLength,
    url: batch.response.url,
    code: refused.error?.code,
  }),
);
