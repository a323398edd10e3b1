// What a step of set-up is, and how its progress is shown.

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {() => string | null | Promise<string | null>} missing why the step must run, or null when its result is whole; milliseconds
 * @property {(say: (what: string) => void) => Promise<string>} make does the work and answers what is there now
 */

/** A step that could not be done: what was tried, what came of it, and what a person can do. */
export class SetupError extends Error {
  /** @param {string} message @param {{ tried: readonly string[], next: string }} details */
  constructor(message, details) {
    super(message);
    this.name = "SetupError";
    this.tried = details.tried;
    this.next = details.next;
  }
}

/** One line per step: rewritten in place on a terminal, begun and finished in a log. */
export class Progress {
  /** @param {NodeJS.WriteStream} [stream] */
  constructor(stream = process.stderr) {
    this.stream = stream;
    this.live = stream.isTTY === true;
    this.started = 0;
    this.head = "";
  }

  /** @param {string} name @param {string} why */
  begin(name, why) {
    this.started = Date.now();
    this.head = `  ${name.padEnd(9)} `;
    this.stream.write(this.live ? `${this.head}${why} …` : `${this.head}${why}; `);
  }

  /** @param {string} what */
  say(what) {
    if (!this.live) return;
    const width = (this.stream.columns ?? 100) - this.head.length - 8;
    this.stream.write(`\r\x1b[K${this.head}${what.slice(0, Math.max(width, 20))} ${this.seconds()}`);
  }

  /** @param {string} result */
  end(result) {
    this.stream.write(`${this.live ? `\r\x1b[K${this.head}` : ""}${result}  ${this.seconds()}\n`);
  }

  /** @param {string} line */
  note(line) {
    this.stream.write(`${line}\n`);
  }

  seconds() {
    return `${((Date.now() - this.started) / 1000).toFixed(1)} s`;
  }
}
