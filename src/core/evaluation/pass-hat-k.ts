// pass^k: the chance that k independent trials of a task all pass, estimated without replacement from n of them.

/** C(passes, k) / C(trials, k). Requires 1 <= k <= trials. arXiv:2406.12045 (tau-bench). */
export function passHatK(passes: number, trials: number, k: number): number {
  let probability = 1;
  for (let i = 0; i < k; i += 1) probability *= Math.max(0, passes - i) / (trials - i);
  return probability;
}
