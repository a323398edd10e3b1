// What a step of set-up is, and how its progress is shown.

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {true} [isForTests] the product works without it
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

/** How long a log stays silent about a step that is at work. */
const TELL_EVERY_MILLISECONDS = 30_000;
const LONGEST_LINE = 200;

/** One line per step, rewritten in place on a terminal. In a log, a line when it begins, one every 30 s, and one when it ends. */
export class Progress {
  /** @param {Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns">} [stream] */
  constructor(stream = process.stderr) {
    this.stream = stream;
    this.live = stream.isTTY === true;
    this.started = 0;
    this.head = "";
    this.what = "";
    /** @type {NodeJS.Timeout | undefined} */
    this.ticking = undefined;
  }

  /** @param {string} name @param {string} why */
  begin(name, why) {
    this.started = Date.now();
    this.head = `  ${name.padEnd(9)} `;
    this.what = why;
    this.stream.write(`${this.head}${why} …${this.live ? "" : "\n"}`);
    clearInterval(this.ticking);
    this.ticking = setInterval(() => this.tick(), TELL_EVERY_MILLISECONDS);
    this.ticking.unref();
  }

  /** @param {string} what */
  say(what) {
    this.what = what;
    if (this.live) this.rewrite();
  }

  /** What is still being done, and for how long so far. */
  tick() {
    if (this.live) this.rewrite();
    else this.stream.write(`${this.head}${this.what.slice(0, LONGEST_LINE)}, ${this.seconds()} so far\n`);
  }

  rewrite() {
    const width = (this.stream.columns ?? 100) - this.head.length - 8;
    this.stream.write(`\r\x1b[K${this.head}${this.what.slice(0, Math.max(width, 20))} ${this.seconds()}`);
  }

  /** @param {string} result */
  end(result) {
    clearInterval(this.ticking);
    this.stream.write(`${this.live ? "\r\x1b[K" : ""}${this.head}${result}  ${this.seconds()}\n`);
  }

  /** @param {string} line */
  note(line) {
    this.stream.write(`${line}\n`);
  }

  seconds() {
    return `${((Date.now() - this.started) / 1000).toFixed(1)} s`;
  }
}
