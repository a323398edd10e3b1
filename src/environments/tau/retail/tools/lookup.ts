// The retail tools that only look.
import type { Draft } from "../../database.ts";
import { equals, getItem } from "../../python/operations.ts";
import { lower } from "../../python/text.ts";
import type { PyValue } from "../../python/values.ts";
import { findRecord, recordFields } from "../../record-access.ts";
import type { RetailDatabase } from "../database.ts";
import { retailTool } from "./retail-tool.ts";

const detailsOf = (what: "order" | "product" | "user") =>
  retailTool(`get_${what}_details`, [`${what}_id`], (draft: Draft, id: PyValue) => {
    return findRecord(draft, `${what}s`, id)?.json ?? `Error: ${what} not found`;
  });

export const getOrderDetails = detailsOf("order");
export const getProductDetails = detailsOf("product");
export const getUserDetails = detailsOf("user");

export const findUserIdByEmail = retailTool("find_user_id_by_email", ["email"], (draft: Draft, email: PyValue) => {
  const { usersByEmail } = draft.state.database as RetailDatabase;
  return usersByEmail.get(lower(email))?.[0] ?? "Error: user not found";
});

/** The last name is only looked at where the first name fits, the postal code where both do. */
export const findUserIdByNameZip = retailTool(
  "find_user_id_by_name_zip",
  ["first_name", "last_name", "zip"],
  (draft: Draft, firstName: PyValue, lastName: PyValue, zip: PyValue) => {
    const { usersByFirstName } = draft.state.database as RetailDatabase;
    const found = usersByFirstName.get(lower(firstName))?.find((id) => {
      const user = recordFields(draft, "users", id);
      const isName = lower(getItem(getItem(user, "name"), "last_name")) === lower(lastName);
      return isName && equals(getItem(getItem(user, "address"), "zip"), zip);
    });
    return found ?? "Error: user not found";
  },
);

export const listAllProductTypes = retailTool("list_all_product_types", [], (draft: Draft) => {
  return (draft.state.database as RetailDatabase).productTypesJson;
});
