/** Events after which a workflow continues as new: far below 4,096, the most that any history may have. */
export const LONG_HISTORY = 2048;
