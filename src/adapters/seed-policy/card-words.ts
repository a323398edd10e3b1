// What a model card says of the environment that its policy was taught in.
import type { SeedRecipe } from "#contracts/seed-recipe.ts";

interface CardWords {
  readonly title: string;
  /** "trained from scratch to …" */
  readonly purpose: string;
  readonly campaign: string;
  readonly format: string;
  readonly demonstrations: string;
  readonly rollouts: string;
  /** What is held out. */
  readonly subjects: string;
  readonly limits: string;
}

type Environment = SeedRecipe["environment"];

export function cardWords(environment: Environment): CardWords {
  return environment.type === "synthetic-airline" ? airlineWords(environment.seed) : codeWords(environment);
}

const airlineWords = (seed: number): CardWords => ({
  title: "Embedded airline policy",
  purpose: "be an airline's agent in the synthetic airline",
  campaign: "the quickstart campaign",
  format: `It reads and writes the prompt format compact/1: no system prompt, tool results as short views, ids as handles such as @r1 that the harness puts back
before a tool runs. It is of no use outside this format.`,
  demonstrations: `Demonstrations are conversations of a scripted expert with the scripted user in the real environment, about users of the SFT split (airline seed
${seed}); none is shown twice. Training and held-out users never occur in them. With the slip rate's probability, per wish, the expert does one thing wrong:
it refuses what is allowed or allows what is not, takes the first reservation for the one that was meant, miscounts paid bags, guesses the payment method, takes the
other flight, forgets the other passengers.`,
  rollouts: "scripted users, at most 30 turns",
  subjects: "users",
  limits: `Expert, user and tasks come from one generator: unseen users and reservations, not unseen language. It cannot book, change passengers or compute prices, and passes
hardly any of tau-bench's own tasks beyond those that need no change.`,
});

const codeWords = ({ seed, families, difficulties }: Extract<Environment, { type: "code-reasoning" }>): CardWords => ({
  title: "Embedded code-reasoning policy",
  purpose: "answer questions by programs",
  campaign: "the campaign configs/campaigns/code-reasoning.yaml",
  format: `It reads and writes the prompt format code-compact/1: no system prompt, of an error its kind and last line, dates and numbers of two or more digits as handles such as
@1 that the harness puts back before a cell runs. So it never reads the digits of a number, nor computes with them: it chooses which numbers go where in which program. It
is of no use outside this format.`,
  demonstrations: `Demonstrations are conversations of a scripted expert in the real environment, its cells run in the sandbox, about generated questions (seed ${seed}; families ${families.join(", ")};
difficulties ${difficulties.join(", ")}) of the training split. Held-out questions never occur in them. Questions that a campaign trains on may occur, and a family that has few questions repeats
them. With the slip rate's probability, per question, the expert does one thing wrong: it writes a program with a wrong or missing step; it writes one that raises, and then the
right one or a number of the question as its answer; it answers with such a number without a program, or after the right program.`,
  rollouts: "at most 6 turns",
  subjects: "questions",
  limits: `Expert and questions come from one generator: unseen numbers and combinations, not unseen language, families or difficulties. It cannot read a number, so it knows no answer
without a program. It was measured on no benchmark.`,
});
