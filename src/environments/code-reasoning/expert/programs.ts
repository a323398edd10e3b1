import { type Attempts, leavingOneOut } from "./attempts.ts";

/** The function that the question describes, as its task has it, and that function with one step otherwise. */
export function programAttempts(solution: string): Attempts {
  const lines = solution.split("\n");
  const [head = "", ...rest] = lines;
  const [steps, result] = [rest.slice(0, -1), rest.at(-1) ?? ""];
  const write = (some: readonly string[], last = result) => [head, ...some, last].join("\n");
  const otherNumber = steps.map((_, at) => steps.map((step, index) => (index === at ? step.replace(/[2-7]/, nextDigit) : step)));
  const reversed = steps.length > 1 ? [[...steps].reverse()] : [];
  const wrong = [...otherNumber, ...leavingOneOut(steps), ...reversed].map((some) => write(some));
  return {
    right: solution,
    wrong: [...wrong, write(steps, result.replace("return ", "print(").concat(")"))].filter((program) => program !== solution),
    broken: [solution.replace(":", ""), solution.replace("    return", "   return")],
  };
}

const nextDigit = (digit: string): string => String(Number(digit) + 1);
