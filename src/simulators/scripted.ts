// The scripted user: follows an agenda, answers what it is asked, says yes to a proposal, insists at most once on a refused wish, and
// ends with ###STOP###. A pure function of task, conversation and seed: what it says to message n depends on messages 1 to n only.
import type { Task } from "#contracts/task.ts";
import type { SimulatorView, UserSimulator } from "#core/ports.ts";
import { randomFrom } from "#core/random-source.ts";
import { deriveSeed } from "#core/rng.ts";
import { type Heard, hear, type Topic } from "#core/rollout/hear.ts";
import { Agenda, type Wish } from "./agenda.ts";
import { deriveAgenda } from "./derive-agenda.ts";
import { agree, answer, giveUp, goodbye, insist, next, opening, repeat } from "./phrases.ts";

/** Raise it when the user's behaviour changes: rollouts of different versions are not comparable. */
const VERSION = "scripted/1";
/** Messages that bring the wish no further, after which the user hangs up. */
const MAX_ANNOYANCE = 4;
const NO_USAGE = { promptTokens: 0, completionTokens: 0, calls: 0 } as const;

/** Where the user stands between two messages. */
interface Mood {
  readonly wishIndex: number;
  readonly hasInsisted: boolean;
  /** What was asked about this wish so far. */
  readonly answered: readonly Topic[];
  /** Messages about this wish that were not understood, or asked only what was answered before. */
  readonly annoyance: number;
}
type Act = { readonly type: "answer" | "agree" | "insist" | "next" | "repeat" | "goodbye" | "give-up"; readonly heard: Heard };

export const scriptedSimulator: UserSimulator = {
  id: VERSION,
  hash: deriveSeed(VERSION),
  reply: (task, conversation, { seed }) => Promise.resolve({ content: scriptedReply(task, conversation, seed), usage: NO_USAGE }),
};

/** The user's next message, or the first one when the conversation is empty. */
export function scriptedReply(task: Task, { firstUserMessage, exchanges }: SimulatorView, seed: string): string {
  const agenda = agendaOf(task);
  const random = randomFrom(seed, "user", exchanges.length);
  if (firstUserMessage === null) return opening(agenda, agenda.wishes[0] as Wish, random);
  let mood: Mood = { wishIndex: 0, hasInsisted: false, answered: [], annoyance: 0 };
  let act: Act = { type: "repeat", heard: hear("") };
  for (const { agent } of exchanges) {
    act = react(hear(agent), mood, agenda);
    mood = moodAfter(act, mood);
  }
  const wish = agenda.wishes[Math.min(mood.wishIndex, agenda.wishes.length - 1)] as Wish;
  return say(act, wish, agenda, random);
}

/** The task's own agenda, or one derived from its golden actions and instruction. */
export function agendaOf(task: Task): Agenda {
  return task.agenda === null ? deriveAgenda(task) : Agenda.parse(task.agenda);
}

function react(heard: Heard, { wishIndex, hasInsisted, annoyance }: Mood, agenda: Agenda): Act {
  const current = agenda.wishes[wishIndex] as Wish;
  const isLast = wishIndex === agenda.wishes.length - 1;
  if (annoyance >= MAX_ANNOYANCE) return { type: "give-up", heard };
  if (heard.asks.includes("user-id")) return { type: "answer", heard };
  if (heard.isRefusal && current.insists && !hasInsisted) return { type: "insist", heard };
  if (heard.isRefusal || heard.isDone) return { type: isLast ? "goodbye" : "next", heard };
  if (heard.asks.length > 0) return { type: "answer", heard };
  if (heard.wantsConfirmation) return { type: "agree", heard };
  return { type: "repeat", heard };
}

function moodAfter(act: Act, mood: Mood): Mood {
  if (act.type === "next") return { wishIndex: mood.wishIndex + 1, hasInsisted: false, answered: [], annoyance: 0 };
  if (act.type === "insist") return { ...mood, hasInsisted: true };
  const isNews = act.type === "agree" || (act.type === "answer" && act.heard.asks.some((topic) => !mood.answered.includes(topic)));
  return { ...mood, answered: [...mood.answered, ...act.heard.asks], annoyance: isNews ? mood.annoyance : mood.annoyance + 1 };
}

function say({ type, heard }: Act, wish: Wish, agenda: Agenda, random: ReturnType<typeof randomFrom>): string {
  switch (type) {
    case "answer":
      return [...(heard.wantsConfirmation ? [agree(random)] : []), ...heard.asks.map((topic) => answer(topic, wish, agenda, random))].join(
        " ",
      );
    case "agree":
      return agree(random);
    case "insist":
      return insist(random);
    case "next":
      return next(wish, random);
    case "repeat":
      return repeat(wish, random);
    case "goodbye":
      return goodbye(random);
    case "give-up":
      return giveUp();
  }
}
