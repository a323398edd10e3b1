// One line on standard error that renews itself on a terminal; nothing in a log.
export function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

export function clearProgress(): void {
  showProgress("");
}
