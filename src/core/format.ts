// How numbers are written, the same in the terminal, in Markdown and on a page.
import type { TierValue } from "#contracts/reward-table.ts";

export interface Interval {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

const ABSENT = "–";

/** A share as `52.5 %`. */
export function formatPercent(share: number | null | undefined): string {
  return share === null || share === undefined ? ABSENT : `${(share * 100).toFixed(1)} %`;
}

/** A share with its interval: `52.5 % [47.0, 58.1]`. */
export function formatInterval(estimate: Interval | null | undefined): string {
  if (estimate === null || estimate === undefined) return ABSENT;
  return formatPercent(estimate.value) + bounds(estimate, (value) => (value * 100).toFixed(1));
}

/** A difference of shares in percentage points: `+4.5 pp [-1.0, +9.8]`. */
export function formatDifference(estimate: Interval | null | undefined): string {
  if (estimate === null || estimate === undefined) return ABSENT;
  const points = (value: number) => formatSigned(value * 100, 1);
  return `${points(estimate.value)} pp${bounds(estimate, points)}`;
}

/** A share in percentage points, without a sign: `4.5 pp`. */
export function formatPoints(share: number | null | undefined): string {
  return share === null || share === undefined ? ABSENT : `${(share * 100).toFixed(1)} pp`;
}

/** A p-value with two significant digits; below 0.001 only that it is. */
export function formatPValue(value: number | null | undefined): string {
  if (value === null || value === undefined) return ABSENT;
  return value < 0.001 ? "< 0.001" : String(Number(value.toPrecision(2)));
}

function bounds({ low, high }: Interval, format: (value: number) => string): string {
  return low === null || high === null ? "" : ` [${format(low)}, ${format(high)}]`;
}

/** A number with this many digits behind the point: `0.523`. */
export function formatDecimal(value: number | null | undefined, numDigits: number): string {
  return value === null || value === undefined ? ABSENT : value.toFixed(numDigits);
}

/** As `formatDecimal`, with the sign of a gain: `+0.523`. A rounded zero has none. */
export function formatSigned(value: number | null | undefined, numDigits: number): string {
  const text = formatDecimal(value, numDigits);
  if (Number(text) === 0) return text.replace("-", "");
  return (value ?? 0) > 0 ? `+${text}` : text;
}

/** A count with its thousands apart: `1,234,567`. */
export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined ? ABSENT : count.toLocaleString("en-US");
}

/** A number with at most `numDigits` significant digits and no trailing zeros; whole numbers in full. */
export function formatNumber(value: number | null | undefined, numDigits = 4): string {
  if (value === null || value === undefined) return ABSENT;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(numDigits)));
}

/** US dollars as `12.30`, small amounts with two significant digits: `0.0041`. */
export function formatUsd(usd: number | null): string {
  if (usd === null) return ABSENT;
  return usd === 0 || usd >= 0.1 ? usd.toFixed(2) : String(Number(usd.toPrecision(2)));
}

/** Seconds as `850 ms`, `9.3 s`, `3 min 05 s` or `2 h 07 min`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return ABSENT;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** An instant in the reader's own time zone: `2026-03-04 17:05`. */
export function formatTime(instant: string | null | undefined): string {
  if (instant === null || instant === undefined) return ABSENT;
  const time = new Date(instant);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** Bytes as `940 B`, `3.2 kB`, `1.5 MB` (powers of 1000). */
export function formatBytes(numBytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = numBytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** What a report says where it has no figure. */
const NOT_AVAILABLE = "n/a";

/** A figure of a report: `+0.123`, whole numbers in full; `n/a` where there is none. */
export function formatFigure(value: number | null): string {
  if (value === null) return NOT_AVAILABLE;
  return Number.isInteger(value) ? String(value) : `${value > 0 ? "+" : ""}${value.toFixed(3)}`;
}

/** The interval of a figure: `[+0.045, +0.201]`. */
export function formatFigureBounds({ low, high }: { readonly low: number; readonly high: number }): string {
  return `[${formatFigure(low)}, ${formatFigure(high)}]`;
}

interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** A figure with its interval: `+0.123 [+0.045, +0.201]`. */
export function formatFinding(finding: Estimate | undefined): string {
  if (finding === undefined || finding.value === null) return NOT_AVAILABLE;
  const { value, low, high } = finding;
  return low === null || high === null ? formatFigure(value) : `${formatFigure(value)} ${formatFigureBounds({ low, high })}`;
}

/** A share that a report has with its interval or not at all: `52.5 % [47.0, 58.1]`. */
export function formatRate({ value, low, high }: Estimate): string {
  return value === null || low === null || high === null ? NOT_AVAILABLE : formatInterval({ value, low, high });
}

/** The reward of a tier. */
export function formatTierValue(value: TierValue): string {
  return value === "soft" ? "0.5 to 0.99" : formatFigure(value);
}
