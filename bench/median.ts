// The median: what a noisy machine says of a figure.

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const [high = Number.NaN, low = high] = [sorted[half], sorted[sorted.length % 2 ? half : half - 1]];
  return (low + high) / 2;
}
