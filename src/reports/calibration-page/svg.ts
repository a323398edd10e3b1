// The little drawing that the plots need: elements as text, a linear scale, readable ticks. No script, no network, no fonts to load.
// Observable Plot would bring 62 packages and a DOM for 80 lines less: docs/decisions/2026-11-30-plots-tables-and-locks-of-our-own.md.

export type Attributes = Readonly<Record<string, string | number>>;

export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const list = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escapeText(String(typeof value === "number" ? round(value) : value))}"`,
  );
  return `<${name}${list.join("")}>${children.join("")}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escapeText(content));
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return element("line", { x1, y1, x2, y2, class: className });
}

/** A drawing with a title that screen readers say. */
export function svg(width: number, height: number, title: string, ...children: readonly string[]): string {
  const attributes = { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title };
  return element("svg", attributes, element("title", {}, escapeText(title)), ...children);
}

export interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
}

/** From [low, high] to [start, end]; about `numTicks` round ticks inside. An empty range is widened. */
export function linearScale(low: number, high: number, start: number, end: number, numTicks = 5): Scale {
  const [from, to] = high - low > 1e-12 ? [low, high] : [low - 1, high + 1];
  const place = (value: number) => start + ((value - from) / (to - from)) * (end - start);
  return Object.assign(place, { ticks: roundTicks(from, to, numTicks) });
}

function roundTicks(low: number, high: number, numTicks: number): number[] {
  const raw = (high - low) / Math.max(1, numTicks);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
