// The turn journals of a record in local files: JSON lines, only ever appended.
//
// Appends are not flushed to the disk: they survive the death of any process; after a power cut the journal may be shorter, which
// only means that a few turns are made again.
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CampaignError } from "#core/errors.ts";
import { isErrno } from "./durable-file.ts";
import { ChainedJournal, type JournalLines } from "./journal-chain.ts";
import { checkJournalName } from "./names.ts";

/** A journal file below the record's root. The folder is made with the first entry. `name`: below a `turns/` folder. */
export class LocalTurnJournal extends ChainedJournal {
  constructor(root: string, name: string) {
    super(linesOf(join(root, checkJournalName(name))));
  }
}

function linesOf(path: string): JournalLines {
  return {
    read: () => readFile(path, "utf8").catch(textOfNone(path)),
    append: (text) => appendWithFolder(path, text),
  };
}

function textOfNone(path: string): (error: unknown) => "" {
  return (error) => {
    if (isErrno(error, "ENOENT")) return "";
    throw new CampaignError("store.unavailable", `cannot read ${path}`, { cause: error });
  };
}

/** The folder is made when it turns out to be missing: asking for it each time cost more than the append itself. */
async function appendWithFolder(path: string, text: string): Promise<void> {
  try {
    await appendFile(path, text).catch(async (error: unknown) => {
      if (!isErrno(error, "ENOENT")) throw error;
      await mkdir(dirname(path), { recursive: true });
      await appendFile(path, text);
    });
  } catch (error) {
    throw new CampaignError("store.unavailable", `cannot write ${path}`, { cause: error });
  }
}
