// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files, as far as frames come in them.

const ARRAYS = {
  "|u1": Uint8Array, "|b1": Uint8Array, "<u2": Uint16Array, "<i2": Int16Array, "<i4": Int32Array,
  "<f4": Float32Array, "<f8": Float64Array, "<u8": BigUint64Array,
};

/** {shape, values} of a file in C order. */
export function readNpy(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6] > 1, start = long ? 12 : 10;
  const end = start + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, end));
  const type = /'descr': '([^']+)'/.exec(header)?.[1];
  const shape = /'shape': \(([^)]*)\)/.exec(header)?.[1].split(",").filter((n) => n.trim()).map(Number);
  if (!ARRAYS[type] || !shape) throw new Error(`no array that is known here: ${header}`);
  return {shape, values: new ARRAYS[type](bytes.slice(end).buffer)};
}
