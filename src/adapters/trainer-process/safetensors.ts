// The safetensors format, written deterministically: equal tensors and metadata give equal bytes.
// Layout: u64 little-endian length of the header, header JSON padded with spaces to 8 bytes, then the tensors' bytes.
import { canonicalJson } from "#core/canonical-json.ts";
import type { TrainingBatch } from "#core/training/build-batch.ts";

const DTYPES = { Int32Array: "I32", Uint8Array: "U8", Float32Array: "F32", BigInt64Array: "I64" } as const;
export type TensorData = Int32Array | Uint8Array | Float32Array | BigInt64Array;

/** File bytes of one-dimensional tensors. Wide types come first, then names in order, so that every tensor is aligned to its type. */
export function encodeSafetensors(tensors: Readonly<Record<string, TensorData>>, metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(tensors).sort(byWidthThenName);
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, data] of entries) {
    const dtype = DTYPES[data.constructor.name as keyof typeof DTYPES];
    header[name] = { dtype, shape: [data.length], data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  return assemble(
    new TextEncoder().encode(canonicalJson(header)),
    entries.map(([, data]) => data),
    offset,
  );
}

function byWidthThenName([nameA, a]: [string, TensorData], [nameB, b]: [string, TensorData]): number {
  return b.BYTES_PER_ELEMENT - a.BYTES_PER_ELEMENT || (nameA < nameB ? -1 : 1);
}

function assemble(header: Uint8Array, tensors: readonly TensorData[], numTensorBytes: number): Uint8Array {
  const padded = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + numTensorBytes).fill(0x20, 8, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(header, 8);
  let offset = 8 + padded;
  for (const data of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/** The batch file: tensors by their contract names, the header as canonical JSON in `__metadata__.header`. Its sha256 is the batch id. */
export function encodeBatch(batch: TrainingBatch): Uint8Array {
  return encodeSafetensors(
    {
      token_ids: batch.tokenIds_N,
      loss_mask: batch.lossMask_N,
      sampling_logprobs: batch.samplingLogprobs_N,
      advantages: batch.advantages_N,
      turn_ids: batch.turnIds_N,
      row_offsets: batch.rowOffsets_R,
    },
    { header: canonicalJson(batch.header) },
  );
}
