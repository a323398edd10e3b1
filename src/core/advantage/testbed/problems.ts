// The problems of the estimator testbed. Passing is drawn at the end, so that groups of mixed and of equal outcomes both occur.
import type { Choice, Decision } from "./decision-tree.ts";

export interface Problem {
  readonly name: string;
  /** What it shows, for a reader of the table. */
  readonly question: string;
  readonly root: Decision;
}

const choice = (action: string, reward: number, next: Decision | number, logit = 0): Choice => ({ action, reward, next, logit });
const turn = (observation: string, ...choices: readonly Choice[]): Decision => ({ observation, choices });
const forced = (observation: string, reward: number, next: Decision | number): Decision =>
  turn(observation, choice("message", reward, next));

/** Stop now, or take one more turn that always earns `reward`. */
const oneDecision = (reward: number, passes: { readonly stop: number; readonly goOn: number }): Decision =>
  turn("start", choice("stop", 0, passes.stop), choice("go_on", 0, forced("later", reward, passes.goOn)));

/** Stop or go on at every turn, `passes` by the turn of the stop; every turn after the first earns `reward`. */
function chain(reward: number, passes: readonly number[], turnIndex = 0): Decision {
  const own = turnIndex === 0 ? 0 : reward;
  const stop = choice("stop", own, passes[turnIndex] ?? 0);
  if (turnIndex === passes.length - 1) return turn(`turn ${turnIndex}`, stop);
  return turn(`turn ${turnIndex}`, stop, choice("go_on", own, chain(reward, passes, turnIndex + 1)));
}

const arms = (observation: string, rewards: readonly [number, number], next: (arm: 0 | 1) => Decision | number): Decision =>
  turn(observation, choice("put", rewards[0], next(0)), choice("get", rewards[1], next(1), 0.5));

export const PROBLEMS: readonly Problem[] = [
  {
    name: "one-decision-paid",
    question: "going on always earns 0.5 and changes no outcome",
    root: oneDecision(0.5, { stop: 0.5, goOn: 0.5 }),
  },
  {
    name: "one-decision-charged",
    question: "going on always costs 0.2 and changes no outcome",
    root: oneDecision(-0.2, { stop: 0.5, goOn: 0.5 }),
  },
  {
    name: "one-decision-worth-it",
    question: "going on earns 1 and passes less often (0.4 for 0.6): worth it by return, not by outcome",
    root: oneDecision(1, { stop: 0.6, goOn: 0.4 }),
  },
  {
    name: "one-decision-not-worth-it",
    question: "going on costs 0.5 and passes more often (0.6 for 0.4): worth it by outcome, not by return",
    root: oneDecision(-0.5, { stop: 0.4, goOn: 0.6 }),
  },
  {
    name: "small-price",
    question: "going on costs 0.05 and passes more often (0.7 for 0.4): worth it by return and by outcome",
    root: oneDecision(-0.05, { stop: 0.4, goOn: 0.7 }),
  },
  { name: "chain-paid", question: "stop or go on at every turn, each further turn earns 0.3", root: chain(0.3, [0.5, 0.5, 0.5, 0.5]) },
  { name: "chain-charged", question: "stop or go on at every turn, each further turn costs 0.1", root: chain(-0.1, [0.5, 0.5, 0.5, 0.5]) },
  { name: "chain-late-pass", question: "no turn rewards, going on passes more often", root: chain(0, [0.3, 0.5, 0.6, 0.65]) },
  {
    name: "patience",
    question: "no turn rewards; five more turns pass a little more often (0.6 for 0.5)",
    root: turn("start", choice("stop", 0, 0.5), choice("go_on", 0, idle(5, 0.6))),
  },
  {
    name: "early-pay",
    question: "the first turn earns 1 whatever is done, going on costs 0.1",
    root: turn("start", choice("stop", 1, 0.5), choice("go_on", 1, forced("later", -0.1, 0.5))),
  },
  {
    name: "bandit",
    question: "two turns, two arms each: the paid arm passes more often; fixed length",
    root: arms("first", [0.3, 0], (a) => arms(`second after ${a}`, [0.3, 0], (b) => [0.8, 0.5, 0.2][a + b] ?? 0)),
  },
  {
    name: "outcome-only",
    question: "two turns, two choices each, no turn rewards; only one path passes often",
    root: arms("first", [0, 0], (a) => arms(`second after ${a}`, [0, 0], (b) => (a === 1 && b === 0 ? 0.9 : 0.2))),
  },
  {
    name: "length-free",
    question: "two more turns earn nothing and change no outcome: nothing to learn",
    root: turn("start", choice("stop", 0, 0.5), choice("go_on", 0, forced("later", 0, forced("last", 0, 0.5)))),
  },
  {
    name: "idle-read",
    question: "a read that does not matter earns 0.3, then a right or a wrong write",
    root: turn("start", choice("message", 0, write("answered")), choice("get", 0.3, write("looked up"))),
  },
  {
    name: "idle-read-longer",
    question: "the same, where the read takes a turn more",
    root: turn("start", choice("put", 0, 0.8), choice("lose", 0, 0.2), choice("get", 0.3, write("looked up"))),
  },
];

/** So many turns without a decision. */
function idle(numTurns: number, passes: number): Decision {
  return forced(`turn ${numTurns} before the end`, 0, numTurns === 1 ? passes : idle(numTurns - 1, passes));
}

function write(observation: string): Decision {
  return turn(observation, choice("put", 0, 0.8), choice("lose", 0, 0.2));
}
