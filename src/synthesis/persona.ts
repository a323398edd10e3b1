// Who the user is beside their wishes: manners that an LLM user plays, in words of our own.
import type { Random } from "#core/random-source.ts";

const MANNERS = [
  "You are in a hurry and write short messages.",
  "You are friendly and like to explain why you want things.",
  "You are a little impatient and dislike being asked twice.",
  "You are calm, and formal in the way you write.",
  "You are not used to such services and need things said in plain words.",
  "You are careful and want to hear what will be done before you agree.",
  "You are tired after a long day and make few words.",
  "You are cheerful and make small talk now and then.",
] as const;

const OPENNESS = [
  "You tell details only when you are asked for them.",
  "You come out with one wish after the other, not with all of them together.",
  "You mention everything that you want in your first message, details only on request.",
  "You answer each question with what was asked and no more.",
] as const;

const PERSISTENCE = {
  insists: [
    "When something is refused, you ask once whether an exception can be made; after that you accept the answer.",
    "You object to a refusal one time and then let it go.",
    "If the agent declines, you say that you find this hard to believe, once, and accept it when it is repeated.",
  ],
  accepts: [
    "When something is refused, you accept it.",
    "You take no for an answer.",
    "If the agent declines something, you do not argue.",
  ],
} as const;

/** In the place of what is refused nothing else is done: otherwise there would be several right endings. */
const NO_SUBSTITUTE = [
  "In the place of what is refused you want nothing else: no other change, no new booking, no hand-over to somebody else.",
  "You want nothing else instead of what is refused, neither another change nor a detour that leads to the same.",
] as const;

const MODESTY = "You want nothing beyond this and accept no other offers.";

export interface Persona {
  readonly manner: string;
  readonly insists: boolean;
  /** How to behave, sentence by sentence. */
  readonly conduct: readonly string[];
}

const INSISTS = 0.4;

export function drawPersona(random: Random): Persona {
  const insists = random.chance(INSISTS);
  return {
    manner: random.pick(MANNERS),
    insists,
    conduct: [random.pick(OPENNESS), random.pick(PERSISTENCE[insists ? "insists" : "accepts"]), random.pick(NO_SUBSTITUTE), MODESTY],
  };
}
