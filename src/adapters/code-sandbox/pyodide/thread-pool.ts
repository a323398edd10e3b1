// At most so many of what is dear to start. Who comes when all are taken waits, and the first to come is the first to go.

export interface Member {
  isDead(): boolean;
  kill(): Promise<void>;
}

export interface ThreadPool<M extends Member> {
  /** A free member, a new one, or the next that is given back. Rejects with the signal's reason. */
  acquire(signal: AbortSignal): Promise<M>;
  /** Gives a member back; a dead one makes room for a new one. */
  release(member: M): Promise<void>;
  /** Whether whoever comes next has to wait. */
  isTaken(): boolean;
  /** Whether somebody waits. */
  isWanted(): boolean;
  /** Kills all of them. Who waits is refused. */
  close(): Promise<void>;
}

export function threadPool<M extends Member>(size: number, start: () => Promise<M>): ThreadPool<M> {
  const idle: M[] = [];
  const members = new Set<M>();
  const waiting: (() => void)[] = [];
  let [numStarted, isClosed] = [0, false];

  const room = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", give);
        resolve();
      };
      const give = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      waiting.push(go);
      signal.addEventListener("abort", give, { once: true });
    });

  const begin = async (): Promise<M> => {
    numStarted += 1;
    try {
      const member = await start();
      members.add(member);
      if (isClosed) await member.kill();
      return member;
    } catch (error) {
      numStarted -= 1;
      waiting.shift()?.();
      throw error;
    }
  };

  const acquire = async (signal: AbortSignal): Promise<M> => {
    for (;;) {
      signal.throwIfAborted();
      if (isClosed) throw new Error("the runtime is closed");
      const free = idle.pop();
      if (free !== undefined) return free;
      if (numStarted < size) return begin();
      await room(signal);
    }
  };

  return {
    acquire,
    release: async (member) => {
      if (member.isDead()) {
        members.delete(member);
        numStarted -= 1;
      } else {
        idle.push(member);
      }
      waiting.shift()?.();
    },
    isTaken: () => idle.length === 0 && numStarted >= size,
    isWanted: () => waiting.length > 0,
    close: async () => {
      isClosed = true;
      for (const go of waiting.splice(0)) go();
      await Promise.all([...members].map((member) => member.kill()));
    },
  };
}
