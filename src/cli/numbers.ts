/** Numbers as people type them. */
import { CarrelError } from '../errors.ts';

const FACTORS: Record<string, number> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};

/** `50M`, `1.5G`, `800k`, `10MiB`, with or without `/s`: bytes per second. Throws `usage`. */
export function byteRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(k|m|g|ki|mi|gi)?b?(?:\/s)?$/i.exec(text.trim());
  const factor = FACTORS[(match?.[2] ?? '').toLowerCase()];
  const rate = match === null || factor === undefined ? 0 : Math.floor(Number(match[1]) * factor);
  if (rate > 0) return rate;
  throw new CarrelError('usage', `not a rate: ${JSON.stringify(text)}`, {
    item: text,
    next: 'write bytes per second as 800k, 50M or 1G',
  });
}
