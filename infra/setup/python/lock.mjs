// Reading a requirements lock as text: blocks that begin in the first column.

/** torch and what only its default build needs. */
const ONLY_FOR_DEFAULT_TORCH = /^(torch|triton|nvidia-|cuda-)/;

/** The lock without torch and the packages of its default build. @param {string} lock */
export function withoutTorch(lock) {
  const blocks = lock.split(/^(?=\S)/m);
  return blocks.filter((block) => !ONLY_FOR_DEFAULT_TORCH.test(block)).join("");
}
