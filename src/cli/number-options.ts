// Options that are numbers: every one has its limits, in its help text and in the message of a number beyond them.

import { Option } from "commander";
import { CampaignError } from "#core/errors.ts";
import { formatCount } from "#core/format.ts";
import { shorten } from "#core/text.ts";

export interface Limits {
  readonly min: number;
  /** Where the answer would still come in memory and in time; what is more is a typing error. */
  readonly max: number;
}

interface NumberOption extends Limits {
  readonly default?: number;
}

/** Resamples of every bootstrap: as many as a percentile can use, and as memory holds. */
export const RESAMPLES: Limits = { min: 100, max: 100_000 };

/** Of a seed that is a number. */
export const SEED: Limits = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** Simulated buffers of each kind: a day's work. */
export const NUM_BUFFERS: Limits = { min: 1, max: 100_000 };

/** A whole number. Throws config.invalid for any other text. */
export function wholeNumberOption(flags: string, description: string, limits: NumberOption): Option {
  return numeric(flags, description, limits, (flag) => (text) => readNumber(flag, text, limits, "whole number"));
}

/** A number, limits included. Throws config.invalid for any other text. */
export function numberOption(flags: string, description: string, limits: NumberOption): Option {
  return numeric(flags, description, limits, (flag) => (text) => readNumber(flag, text, limits, "number"));
}

/** Whole numbers with commas between them. Throws config.invalid for any other text and for more than a hundred. */
export function wholeNumbersOption(flags: string, description: string, limits: Limits & { readonly default: readonly number[] }): Option {
  const parse = (flag: string) => (text: string) => {
    const parts = text.split(",");
    if (parts.length > MAX_NUMBERS) throw wrong(flag, `at most ${MAX_NUMBERS} numbers`, text);
    return parts.map((part) => readNumber(flag, part.trim(), limits, "whole number"));
  };
  const { default: numbers, ...range } = limits;
  return numeric(flags, description, range, parse).default(numbers, numbers.join(","));
}

const MAX_NUMBERS = 100;
const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function numeric(flags: string, description: string, limits: NumberOption, parser: (flag: string) => (text: string) => unknown): Option {
  const option = new Option(flags, `${description} (${say(limits.min)} to ${say(limits.max)})`);
  if (limits.default !== undefined) option.default(limits.default);
  return option.argParser(parser(option.long ?? flags));
}

function readNumber(flag: string, text: string, { min, max }: Limits, what: "number" | "whole number"): number {
  const value = PLAIN.test(text) ? Number(text) : Number.NaN;
  const isOfKind = what === "number" ? Number.isFinite(value) : Number.isSafeInteger(value);
  if (isOfKind && value >= min && value <= max) return value;
  throw wrong(flag, `a ${what} from ${say(min)} to ${say(max)}`, text);
}

function wrong(flag: string, wanted: string, text: string): CampaignError {
  return new CampaignError("config.invalid", `${flag}: wanted ${wanted}, got ${JSON.stringify(shorten(text, 60))}`, {
    next: `give ${flag} another value; --help lists what every option takes`,
  });
}

/** `100,000`; the largest seed in full would be no help to anybody. */
const say = (limit: number): string => (limit === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : formatCount(limit));
