// node write-names.ts ROOT NAME…: another process that writes manifests, each after a blob that it names.
import { openRecord } from "#adapters/record/open-record.ts";

const [root = "", ...names] = process.argv.slice(2);
const { store } = openRecord(root);
for (const name of names) await store.putOnce(name, { report: await store.putBlob(Buffer.from(name), "Text/1") });
