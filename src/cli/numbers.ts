/** Numbers as people type them. */
import { CarrelError } from '../errors.ts';

const FACTORS: Record<string, number> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
  ti: 1024 ** 4,
};

/** `50M`, `1.5G`, `800k`, `10MiB`, with or without `/s`: bytes per second. Throws `usage`. */
export function byteRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(k|m|g|t|ki|mi|gi|ti)?b?(?:\/s)?$/i.exec(text.trim());
  const factor = FACTORS[(match?.[2] ?? '').toLowerCase()];
  const rate = match === null || factor === undefined ? 0 : Math.floor(Number(match[1]) * factor);
  if (rate > 0) return rate;
  throw new CarrelError('usage', `not a rate: ${JSON.stringify(text)}`, {
    item: text,
    next: 'write bytes per second as 800k, 50M or 1G',
  });
}

/** `10G`, `500MB`, `2TiB`: whole bytes. Throws `usage`. */
export function byteAmount(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(k|m|g|t|ki|mi|gi|ti)?b?$/i.exec(text.trim());
  const factor = FACTORS[(match?.[2] ?? '').toLowerCase()];
  const bytes = match === null || factor === undefined ? 0 : Math.floor(Number(match[1]) * factor);
  if (bytes > 0) return bytes;
  throw new CarrelError('usage', `not a number of bytes: ${JSON.stringify(text)}`, {
    item: text,
    next: 'write it as 500MB, 10GB or 2TB',
  });
}
