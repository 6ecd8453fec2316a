// SPDX-License-Identifier: Apache-2.0
// Batches, which are safetensors files: a length, a JSON header, then the tensors' bytes.
import {EVENT_BYTES, unpack} from "./events.js";

const ARRAYS = {
  U8: Uint8Array, I16: Int16Array, U16: Uint16Array, I32: Int32Array, I64: BigInt64Array,
  F32: Float32Array, F64: Float64Array,
};

/** {metadata, tensors: name -> {shape, values}} of a file. */
export function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const {__metadata__: metadata = {}, ...rows} = header;
  const tensors = {};
  for (const [name, {dtype, shape, data_offsets: [from, to]}] of Object.entries(rows)) {
    const own = bytes.slice(start + from, start + to); // aligned
    tensors[name] = {shape, values: new ARRAYS[dtype](own.buffer)};
  }
  return {metadata, tensors};
}

/** The samples of a batch of events: {index, labels, sources, events}. */
export function readBatch(bytes) {
  const {metadata, tensors} = readSafetensors(bytes);
  const {events, offsets, labels, indices, sources} = tensors;
  const n = indices.shape[0], digits = labels.shape[1];
  const samples = Array.from({length: n}, (_, i) => ({
    index: BigInt.asUintN(64, indices.values[i]),
    labels: [...labels.values.subarray(i * digits, (i + 1) * digits)]
      .flatMap((is, digit) => (is ? [digit] : [])),
    sources: [...sources.values.subarray(2 * i, 2 * i + 2)].filter((source) => source >= 0),
    events: unpack(events.values.subarray(Number(offsets.values[i]) * EVENT_BYTES,
      Number(offsets.values[i + 1]) * EVENT_BYTES)),
  }));
  return {metadata, samples};
}
