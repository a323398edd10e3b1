import type { Draft } from "../../database.ts";
import { str } from "../../python/format.ts";
import { getItem, has } from "../../python/operations.ts";
import { dict, type PyDict, type PyValue } from "../../python/values.ts";
import { findRecord } from "../../record-access.ts";
import { airlineTool } from "./airline-tool.ts";

const CERTIFICATE_IDS = ["certificate_3221322", "certificate_3221323", "certificate_3221324"];

/** Adds a certificate under the first free of three ids. With none free the original returns None. The amount is not checked. */
export const sendCertificate = airlineTool(
  "send_certificate",
  ["user_id", "amount"],
  (draft: Draft, userId: PyValue, amount: PyValue) => {
    const user = findRecord(draft, "users", userId);
    if (user === undefined) return "Error: user not found";
    const methods = getItem(user.fields, "payment_methods") as PyDict;
    const id = CERTIFICATE_IDS.find((candidate) => !has(methods, candidate));
    if (id === undefined) return null;
    const certificate = dict(["source", "certificate"], ["amount", amount], ["id", id]);
    draft.put("users", String(userId), user.fields.with("payment_methods", methods.with(id, certificate)));
    return `Certificate ${id} added to user ${String(userId)} with amount ${str(amount)}.`;
  },
  { isWrite: true },
);
