// Where a process of the stack writes its log: its standard output, which the supervisor has pointed at a file.
import { writeSync } from "node:fs";

/** What pino writes to. */
export interface LogStream {
  write(line: string): void;
}

/**
 * A log that cannot be written (a full disk, a reader that has gone) loses lines and never stops the work: pino's own stream would wait for
 * room without end, and with it the whole process. The first line that fits again says how many are missing.
 */
export function logStream(put: (line: string) => void = (line) => void writeSync(process.stdout.fd, line)): LogStream {
  let numLost = 0;
  return {
    write(line) {
      try {
        if (numLost > 0)
          put(
            `${JSON.stringify({ level: 50, time: Date.now(), msg: `${numLost} lines of this log were lost: it could not be written` })}\n`,
          );
        numLost = 0;
        put(line);
      } catch {
        numLost += 1;
      }
    },
  };
}
