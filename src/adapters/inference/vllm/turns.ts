// Turns on one policy server that serves one set of whole weights at a time. Whoever needs other weights than it serves waits until
// those who use them are done for a while, and then it is his turn: campaigns alternate by stage, not by call, and nobody is left out.
//
// A turn is a lock of the system on the server's address, so that it also orders the processes of this machine. It is given back only
// when somebody waits: until then the server stays as it is, for the next stage of the same campaign.
import { statSync } from "node:fs";
import { CampaignError } from "#core/errors.ts";
import { type Lock, takeLock } from "../../../../infra/setup/lock.mjs";

export interface Candidate {
  /** What the server must be started with: two who need the same share a turn. */
  readonly need: string;
  /** What is done with it. While others wait, a turn goes on for what began in it, and not for more. */
  readonly purpose: string;
  /** What others are told: who has the server. */
  readonly holder: string;
  /** Told why there is no turn yet, in a sentence without its full stop. */
  onWait(message: string): void;
}

export interface TurnsOptions {
  readonly address: string;
  readonly lockPath: string;
  readonly python: string;
  /** Ends what runs at the address: the next turn begins with nothing there. */
  end(): Promise<void>;
  /** So long unused, a turn is over when somebody waits. Longer than the pauses of rollouts, shorter than a training. */
  readonly idleSeconds: number;
}

interface Turn {
  readonly need: string;
  readonly holder: string;
  readonly purposes: Set<string>;
  readonly lock: Lock;
  /** When somebody last came to the door, as the turn began: whoever comes later waits for its end. */
  readonly doorTime: number;
  inUse: number;
  lastUsed: number;
}

interface Waiter extends Candidate {
  readonly enter: PromiseWithResolvers<Lock>;
}

const LOOK_MILLISECONDS = 500;

export class Turns {
  private readonly options: TurnsOptions;
  private turn: Turn | null = null;
  private waiting: Waiter[] = [];
  private isTaking = false;
  private taking: AbortController | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(options: TurnsOptions) {
    this.options = options;
  }

  /**
   * Resolves when it is this candidate's turn, with the lock that its server must hold, too.
   * throws  the signal's reason; service.start-failed where nothing can be locked
   */
  async enter(candidate: Candidate, signal: AbortSignal): Promise<Lock> {
    signal.throwIfAborted();
    const { turn } = this;
    if (turn !== null && this.mayJoin(turn, candidate)) return this.join(turn, candidate);
    const waiter: Waiter = { ...candidate, enter: Promise.withResolvers<Lock>() };
    const giveUp = () => {
      this.waiting = this.waiting.filter((other) => other !== waiter);
      waiter.enter.reject(signal.reason);
      if (this.waiting.length === 0) this.taking?.abort(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.waiting.push(waiter);
    if (turn !== null) candidate.onWait(this.heldBy(turn.holder));
    void this.next();
    try {
      return await waiter.enter.promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Does something with the server, during which the turn does not end. What comes after a turn is nobody's use. */
  async use<Result>(need: string, work: () => Promise<Result>): Promise<Result> {
    const { turn } = this;
    if (turn?.need !== need) return work();
    turn.inUse += 1;
    try {
      return await work();
    } finally {
      turn.inUse -= 1;
      turn.lastUsed = performance.now();
    }
  }

  /** Ends the turn, whoever uses it. */
  async stop(): Promise<void> {
    const { turn } = this;
    this.turn = null;
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    await this.options.end();
    turn?.lock.giveBack();
  }

  private mayJoin(turn: Turn, { need, purpose }: Candidate): boolean {
    const doOthersWait = this.waiting.some((waiter) => waiter.need !== need) || this.doOtherProcessesWait(turn);
    return turn.need === need && (turn.purposes.has(purpose) || !doOthersWait);
  }

  private join(turn: Turn, { purpose }: Candidate): Lock {
    turn.purposes.add(purpose);
    turn.lastUsed = performance.now();
    return turn.lock;
  }

  /** Begins the turn of whoever has waited longest, when there is none. */
  private async next(): Promise<void> {
    const [first] = this.waiting;
    if (this.turn !== null || this.isTaking || first === undefined) return;
    this.isTaking = true;
    this.taking = new AbortController();
    const { signal } = this.taking;
    try {
      await this.take(first, signal);
    } catch (error) {
      // Nobody waited any more: who has come since tries for himself.
      if (!signal.aborted) for (const waiter of this.waiting.splice(0)) waiter.enter.reject(this.cannotLock(error));
    } finally {
      this.isTaking = false;
      this.taking = null;
    }
    void this.next();
  }

  /** One of the waiting processes after the other stands at the door, so that who has just left comes after those who wait. */
  private async take(first: Waiter, signal: AbortSignal): Promise<void> {
    const { lockPath, python } = this.options;
    const notifyAll = (message: string) => {
      for (const waiter of this.waiting) waiter.onWait(message);
    };
    const common = { python, holder: first.holder, signal };
    const door = await takeLock(doorPath(lockPath), {
      ...common,
      onWait: (other) => notifyAll(`${this.heldBy("others")}; ${other} is next`),
    });
    try {
      const doorTime = doorTimeOf(lockPath); // nobody else writes there while we stand at it
      this.begin(first, await takeLock(lockPath, { ...common, onWait: (holder) => notifyAll(this.heldBy(holder)) }), doorTime);
    } finally {
      door.giveBack();
    }
  }

  private begin({ need, holder }: Candidate, lock: Lock, doorTime: number): void {
    const turn: Turn = { need, holder, lock, doorTime, purposes: new Set(), inUse: 0, lastUsed: performance.now() };
    this.turn = turn;
    const entering = this.waiting.filter((waiter) => waiter.need === need);
    this.waiting = this.waiting.filter((waiter) => waiter.need !== need);
    for (const waiter of entering) waiter.enter.resolve(this.join(turn, waiter));
    for (const waiter of this.waiting) waiter.onWait(this.heldBy(holder));
    this.timer = setInterval(() => void this.look(turn), LOOK_MILLISECONDS);
    this.timer.unref();
  }

  /** Ends a turn that is over, when somebody waits for his. */
  private async look(turn: Turn): Promise<void> {
    if (this.turn !== turn || turn.inUse > 0) return;
    const [first] = this.waiting;
    // Who wants other weights for himself has done with those before.
    const isDone = first?.holder === turn.holder || performance.now() - turn.lastUsed >= this.options.idleSeconds * 1000;
    if (!isDone || (first === undefined && !this.doOtherProcessesWait(turn))) return;
    this.isTaking = true;
    try {
      await this.stop();
    } finally {
      this.isTaking = false;
    }
    void this.next();
  }

  /** Whoever stands at the door has written his name there. */
  private doOtherProcessesWait({ doorTime }: Turn): boolean {
    return doorTimeOf(this.options.lockPath) > doorTime;
  }

  private cannotLock(cause: unknown): CampaignError {
    const message = `no turn can be taken on the policy server at ${this.options.address}`;
    return new CampaignError("service.start-failed", message, {
      cause,
      next: `see that ${this.options.lockPath} can be written and locked`,
    });
  }

  private heldBy(holder: string): string {
    return `waiting for the policy server at ${this.options.address}, held by ${holder}`;
  }
}

const doorPath = (lockPath: string): string => `${lockPath}.next`;

function doorTimeOf(lockPath: string): number {
  return statSync(doorPath(lockPath), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
