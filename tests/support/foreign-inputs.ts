// Small inputs with the shapes of public files and bug reports, where they lie beside the benchmark's data.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TAU_BENCH } from "./public-rollouts.ts";

export const FOREIGN_INPUTS = join(TAU_BENCH, "../foreign-inputs");
export const hasForeignInputs = existsSync(FOREIGN_INPUTS);

export const readForeignInput = (name: string): string => readFileSync(join(FOREIGN_INPUTS, name), "utf8");
