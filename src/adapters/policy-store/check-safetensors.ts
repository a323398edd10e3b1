// Whether a safetensors file is whole: a header that can be read, and exactly the bytes that it announces.
import { type FileHandle, open } from "node:fs/promises";
import { CampaignError } from "#core/errors.ts";

const MAX_HEADER_BYTES = 100_000_000;

/** Reads the header only. Throws contract.invalid for a file that was cut, or is something else. */
export async function checkSafetensors(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const expected = await announcedSize(file, size);
    if (expected !== size) throw new Error(`it has ${size} bytes where its header announces ${expected}`);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CampaignError("contract.invalid", `${path} is corrupt: ${message}`, { cause, next: "fetch or train the checkpoint again" });
  } finally {
    await file.close();
  }
}

async function announcedSize(file: FileHandle, size: number): Promise<number> {
  const length = Number((await readBytes(file, 0, 8)).readBigUInt64LE());
  if (length > Math.min(size - 8, MAX_HEADER_BYTES)) throw new Error("its header is cut off");
  const header = JSON.parse((await readBytes(file, 8, length)).toString("utf8")) as Record<string, { data_offsets?: [number, number] }>;
  return 8 + length + Math.max(0, ...Object.values(header).map(({ data_offsets }) => data_offsets?.[1] ?? 0));
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new Error(`it ends after ${position + bytesRead} bytes`);
  return buffer;
}
