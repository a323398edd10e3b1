// What a domain (airline, retail) gives to the synthesis: its policy as a function, wishes worth trying, and words for them.

import type { Random } from "#core/random-source.ts";
import type { Wish as AgendaWish } from "#simulators/agenda.ts";
import type { DatabaseReader, Decision, Purpose } from "./decision.ts";
import type { Alternatives } from "./evidence.ts";

/** What the user says about one wish, as parts of an instruction and as lines of a script. */
export interface WishWords {
  /** "You want to …", without the beginning and the full stop. */
  readonly want: string;
  /** Sentences in the second person: facts the user can give. */
  readonly known: readonly string[];
  readonly unknown: readonly string[];
  /** How the user decides where a choice is left. */
  readonly conduct: readonly string[];
  /** The same for the scripted user: `words` and `details` in the first person. */
  readonly agenda: AgendaWish;
}

/** Who the user is, and how they can be told apart by the agent. */
export interface Identity {
  readonly firstName: string;
  readonly lastName: string;
  /** "your user id is …", "your e-mail address is …" */
  readonly proof: string;
  /** What the scripted user answers to who they are. */
  readonly spokenId: string;
}

export interface Domain<Wish> {
  /** tau2's name of it. */
  readonly name: string;
  identify(userId: string): Identity | null;
  /** The policy. Throws Undecidable where there is no right decision. */
  decide(wish: Wish, reader: DatabaseReader): Decision;
  readonly alternatives: Alternatives;
  /**
   * Wishes of a user in random order, of which those are worth trying that end in `purpose` on `numReads` reads. None is promised to.
   * The sequence is lazy and may be long.
   */
  propose(userId: string, request: { readonly purpose: Purpose; readonly numReads: number }, random: Random): Iterable<Wish>;
  kindOf(wish: Wish): string;
  words(wish: Wish, identity: Identity, random: Random): WishWords;
  /** True when one decision could change what is right about the other. */
  isEntangled(left: { wish: Wish; decision: Decision }, right: { wish: Wish; decision: Decision }): boolean;
}
