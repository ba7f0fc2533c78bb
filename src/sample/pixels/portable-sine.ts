/**
 * A sine that is the same to the last bit everywhere: additions and multiplications are exact by IEEE 754, whereas
 * `Math.sin` may differ between versions of an engine. Good to 4e-6, which is plenty for pictures.
 */
export function portableSine(angle: number): number {
  const turns = angle / (2 * Math.PI);
  let x = (turns - Math.round(turns)) * 2 * Math.PI;
  if (x > Math.PI / 2) x = Math.PI - x;
  if (x < -Math.PI / 2) x = -Math.PI - x;
  const square = x * x;
  return x * (1 - (square / 6) * (1 - (square / 20) * (1 - (square / 42) * (1 - square / 72))));
}

/** The cosine that goes with it. */
export function portableCosine(angle: number): number {
  return portableSine(angle + Math.PI / 2);
}
