/** The value below which `share` of the numbers lie, interpolated; NaN for none. */
export function quantile(numbers, share) {
  if (numbers.length === 0) return Number.NaN;
  const sorted = numbers.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  return below + (above - below) * (place - Math.floor(place));
}

export function median(numbers) {
  return quantile(numbers, 0.5);
}

/** `{ q1, median, q3 }` of each numeric figure that the samples have. */
export function summarize(samples) {
  const names = new Set(samples.flatMap((sample) => Object.keys(sample)));
  const summary = {};
  for (const name of names) {
    const numbers = samples.map((sample) => sample[name]).filter((value) => Number.isFinite(value));
    if (numbers.length === 0) continue;
    summary[name] = {
      q1: quantile(numbers, 0.25),
      median: median(numbers),
      q3: quantile(numbers, 0.75),
    };
  }
  return summary;
}

/** The median of `ours / theirs` taken round by round: what drifts from round to round falls out. */
export function pairedRatio(ours, theirs, figure) {
  const ratios = [];
  for (const sample of ours) {
    const other = theirs.find(({ round }) => round === sample.round);
    const ratio = sample[figure] / other?.[figure];
    if (Number.isFinite(ratio)) ratios.push(ratio);
  }
  return median(ratios);
}
