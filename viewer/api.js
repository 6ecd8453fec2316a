// SPDX-License-Identifier: Apache-2.0
// What is asked of the daemon: URLs relative to the page, a token where one is wanted, and the digest
// of each blob.
import {crc32c, statedCrc} from "./crc32c.js";
import {queryText} from "./place.js";

const TOKEN = "twonmnist-token";
let splits = null; // the list of them, as it was promised
let askForToken = async () => null;

/** How to ask a person for a token: given what is wrong, gives it, or null. */
export function onTokenWanted(ask) {
  askForToken = ask;
}

/** The whole URL of a path like "v1/splits". */
export function urlOf(path, query = {}) {
  const text = queryText(query);
  return new URL(path + (text ? `?${text}` : ""), document.baseURI.split("#")[0]).href;
}

function headers() {
  const token = sessionStorage.getItem(TOKEN);
  return token ? {Authorization: `Bearer ${token}`} : {};
}

async function problemOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  if (problem.code === "no-such-revision") splits = null; // it was replaced: ask anew what there is
  return problem.detail ?? `${answer.status} ${answer.statusText}`;
}

let asking = null; // one dialog, however many requests want it

async function wantToken(why) {
  asking ??= askForToken(why).finally(() => { asking = null; });
  const token = await asking;
  if (!token) throw new Error(why);
  sessionStorage.setItem(TOKEN, token);
}

async function request(url, signal) {
  for (;;) {
    const answer = await fetch(url, {signal, headers: headers()});
    if (answer.ok) return answer;
    const why = await problemOf(answer);
    if (answer.status !== 401) throw new Error(why);
    await wantToken(why);
  }
}

export async function getJson(path, query, signal) {
  return (await request(urlOf(path, query), signal)).json();
}

/** The bytes at a path; an error where they are not those of their digest, which is that of no bytes
 * that were packed on their way. */
export async function getBytes(path, query, signal) {
  const answer = await request(urlOf(path, query), signal);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (answer.headers.get("Content-Encoding")) return bytes;
  const stated = statedCrc(answer.headers.get("Repr-Digest"));
  if (stated === null) throw new Error(`${path} came without its CRC-32C, so that nobody knows whether it is whole`);
  if (stated !== crc32c(bytes)) throw new Error(`${path} arrived damaged: its CRC-32C is not the one that the server states`);
  return bytes;
}

/** A blob for the person to keep, in a file that is named after what it is. */
export async function download(path, query = {}) {
  const link = document.createElement("a"), [, stem, ending] = /^v1\/(.*)(\.\w+)$/.exec(path);
  link.href = URL.createObjectURL(new Blob([await getBytes(path, query)]));
  link.download = [...stem.split(/[/,]/), ...Object.entries(query).flat()].join("-") + ending;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** The list of splits, asked for once: name -> its row. */
export async function getSplits() {
  splits ??= getJson("v1/splits").catch((error) => { splits = null; throw error; });
  const {splits: rows, limits, version} = await splits;
  return {rows, limits, version, byName: new Map(rows.map((row) => [row.name, row]))};
}

/** "train@1f3a9c…": never another revision than the one that was listed. */
export async function pinned(name) {
  const row = (await getSplits()).byName.get(name);
  if (!row) throw new Error(`There is no split "${name}" here.`);
  return `${name}@${row.revision.slice(0, 12)}`;
}
