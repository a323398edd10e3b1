// Node's own import(), whoever has rewritten the file that asks for it: a test runner's import knows no hooks of node:module.
"use strict";

/** @param {string} url */
module.exports = (url) => import(url);
