// What went wrong underneath.

export function rootMessage(error: Error): string {
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? rootMessage(cause) : error.message;
}
