// The table that `npm run bench` prints: what was measured, the figure, and the target where there is one.

export interface Figure {
  value: number;
  /** The lowest and the highest of the sets of runs. */
  spread?: readonly [number, number];
}

/** The median: what a noisy machine says of a figure. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const [high = Number.NaN, low = high] = [sorted[half], sorted[sorted.length % 2 ? half : half - 1]];
  return (low + high) / 2;
}

/** The median of what the sets of runs say, with their spread. */
export function figureOf(sets: readonly number[]): Figure {
  return { value: median(sets), spread: [Math.min(...sets), Math.max(...sets)] };
}

interface Format {
  /** The figure must not be higher. */
  atMost?: number;
  /** The figure must be this. */
  exactly?: number;
  unit?: string;
  digits?: number;
}

export function printTitle(title: string): void {
  console.log(`\n${title}`);
}

export function printRow(
  what: string,
  figure: Figure | number,
  { atMost, exactly, unit = '', digits = 0 }: Format = {},
): void {
  const { value, spread }: Figure = typeof figure === 'number' ? { value: figure } : figure;
  const text = (each: number) => each.toFixed(digits);
  const range = spread ? `(${text(spread[0])} to ${text(spread[1])})` : '';
  const target = atMost !== undefined ? `<= ${atMost}` : exactly !== undefined ? `= ${exactly}` : '';
  // As it is printed: a ratio of 1.004 is 1.00.
  const printed = Number(text(value));
  const isMissed = !(printed <= (atMost ?? exactly ?? printed) && printed >= (exactly ?? printed));
  const columns = [what.padEnd(74), `${text(value)}${unit}`.padStart(9), range.padEnd(17), target.padEnd(8)];
  console.log(`  ${columns.join('  ')}${isMissed ? '  missed' : ''}`.trimEnd());
}

/** A ratio to somebody else's figure: 1 is as much, less is less. */
export function printRatio(what: string, figure: Figure, atMost?: number): void {
  printRow(what, figure, { atMost, digits: 2 });
}
