// How far an audit is: in place on a terminal, a line every half minute in a log.
const LOG_EVERY_SECONDS = 30;

/** To be called after every replay. */
export function createProgress(): (numDone: number, numReplays: number) => void {
  let lastAt = performance.now();
  return (numDone, numReplays) => {
    const text = `replay ${numDone} of ${numReplays}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
    else if (performance.now() - lastAt > LOG_EVERY_SECONDS * 1000) {
      lastAt = performance.now();
      console.error(text);
    }
  };
}
