// Where the tests find tau-bench's data: TURNWISE_TAU_BENCH, else beside the repository.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const BESIDE = fileURLToPath(new URL("../../../../shared/tau-bench", import.meta.url));
export const TAU_BENCH = resolve(process.env["TURNWISE_TAU_BENCH"] ?? BESIDE);

/** Null when the data is at hand, else why not: for describe.skipIf and its name. */
export const MISSING = existsSync(join(TAU_BENCH, "airline", "flights.json")) ? null : `no tau-bench data at ${TAU_BENCH}`;
export const because = MISSING === null ? "" : ` (skipped: ${MISSING}; set TURNWISE_TAU_BENCH)`;
