// The one place where stores, journals, records and histories are made. What a record lies in is said by its address.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CampaignError } from "#core/errors.ts";
import type { CollectableStore, Journals } from "#core/ports.ts";
import { LocalTurnJournal } from "../artifact-store/journal.ts";
import { LocalArtifactStore } from "../artifact-store/local.ts";
import type { History } from "../history/history.ts";
import { CampaignRecord } from "./campaign-record.ts";
import { type Change, type ChangesOptions, followChanges } from "./changes.ts";

export interface OpenedStore {
  readonly store: CollectableStore;
  readonly journals: Journals;
}

export interface OpenedRecord extends OpenedStore {
  readonly record: CampaignRecord;
  readonly history: {
    /** SQL over the record as it is now. */
    open(): Promise<History>;
    /** The names that were written after a cursor, and those that will be, look by look. */
    changes(options: ChangesOptions): AsyncIterable<readonly Change[]>;
  };
}

/** Opens what lies at an address of its scheme. Throws config.invalid when the address is not one. */
export type OpenStore = (address: string) => OpenedStore;

/** By scheme, with its colon. */
export const STORES: Readonly<Record<string, OpenStore>> = { "file:": openFolder };

/**
 * The record at `file:///folder`, or at a path. Nothing is made before something is written. `stores`: what else there is to open.
 * Throws config.invalid for an address that nothing opens.
 */
export function openRecord(address: string, stores: Readonly<Record<string, OpenStore>> = STORES): OpenedRecord {
  const { store, journals } = storeAt(address, stores);
  const record = new CampaignRecord(store);
  return {
    store,
    journals,
    record,
    history: {
      // DuckDB is loaded by whoever asks in SQL, not by every reader of a manifest.
      open: async () => (await import("../history/history.ts")).openHistory(record),
      changes: (options) => followChanges(store, options),
    },
  };
}

/** Not of a path, which may have a colon after its first slash. */
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

function storeAt(address: string, stores: Readonly<Record<string, OpenStore>>): OpenedStore {
  const scheme = SCHEME.exec(address)?.[0].toLowerCase();
  if (scheme === undefined) return openLocal(address);
  const open = Object.hasOwn(stores, scheme) ? stores[scheme] : undefined;
  if (open !== undefined) return open(address);
  const known = Object.keys(stores).join(", ");
  throw new CampaignError("config.invalid", `no store for records at "${scheme}"; there is ${known} and a plain path`, {
    next: 'give "file:///folder" or a path ("./" before one with a colon); docs/extending/store.md says how to add a store',
  });
}

function openFolder(address: string): OpenedStore {
  const url = URL.canParse(address) && /^file:\//i.test(address) ? new URL(address) : null;
  if (url === null || url.host !== "" || url.search !== "" || url.hash !== "") {
    throw new CampaignError("config.invalid", `not the address of a folder of this machine: ${JSON.stringify(address)}`, {
      next: "write file:///absolute/folder, with %3F for ? and %23 for #, or the path as it is",
    });
  }
  return openLocal(pathOf(url));
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new CampaignError("config.invalid", `not a path: ${url.href}`, { cause, next: "write / as it is, not as %2F" });
  }
}

function openLocal(path: string): OpenedStore {
  if (path.trim() === "") throw new CampaignError("config.invalid", "the address of the record is empty", { next: "give a folder" });
  const root = resolve(path);
  return { store: new LocalArtifactStore(root), journals: { open: (name) => new LocalTurnJournal(root, name) } };
}
