/** What an expert writes for one question, and what somebody writes who does one thing wrong. */
export interface Attempts {
  readonly right: string;
  /** Programs that run, and say something else, for most numbers at least. */
  readonly wrong: readonly string[];
  /** Programs that raise. */
  readonly broken: readonly string[];
}

/** The program without the last closing bracket: a SyntaxError. */
export function withoutLastBracket(program: string): string {
  const at = program.lastIndexOf(")");
  return program.slice(0, at) + program.slice(at + 1);
}

/** The list without each of its elements, one after the other. */
export function leavingOneOut<T>(items: readonly T[]): T[][] {
  return items.map((_, left) => items.filter((__, index) => index !== left));
}
