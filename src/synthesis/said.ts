// A wish in both persons: parts of an instruction in the second, lines of a script in the first.
import type { Random } from "#core/random-source.ts";

/** What is wanted, as said to the actor ("cancel your trip …") and by the user ("cancel my trip …"), with what else they know. */
export interface Said {
  readonly want: string;
  readonly known?: readonly string[];
  readonly conduct?: readonly string[];
}

/** `your` or `my`: everything else is the same in both persons. */
export type Person = "your" | "my";
export const you = (person: Person): string => (person === "your" ? "you" : "I");
export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** The instruction's part of a wish, and the script's lines: the wish, and the wish with all that belongs to it. `variant` 0 to 2 chooses the wording. */
export function sayBoth(say: (person: Person, variant: number) => Said, random: Random) {
  const variant = random.int(0, 2);
  const { want, known = [], conduct = [] } = say("your", variant);
  const mine = say("my", variant);
  const words = `I want to ${mine.want}.`;
  return { told: { want, known, conduct }, words, details: [words, ...(mine.known ?? []), ...(mine.conduct ?? [])].join(" ") };
}
