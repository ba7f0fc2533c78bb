/** A body as one piece of memory. */
import { CarrelError } from '../../errors.ts';
import type { OnChunk } from './http.ts';
import { withoutSecrets } from './http-error.ts';

/** Most bytes that are held in memory where the caller names no limit. */
export const DEFAULT_LIMIT = 64 * 1024 * 1024;

/** Anything that hands its bytes over. */
interface Body {
  consume(onChunk: OnChunk): Promise<void>;
  cancel(): void;
}

/**
 * Reads a body into memory. Rejects with `network` (not retryable) where it is longer than `limit` bytes.
 *
 * @param length announced bytes, where known: the memory is taken in one piece
 */
export async function collect(
  body: Body,
  url: string,
  length: number | undefined,
  limit: number,
): Promise<Uint8Array> {
  const refuse = (): never => {
    body.cancel();
    const item = withoutSecrets(url);
    throw new CarrelError('network', `${item}: longer than the ${limit} bytes that are read into memory`, {
      item,
    });
  };
  if (length !== undefined && length > limit) return refuse();
  const whole = Buffer.allocUnsafeSlow(length ?? 0);
  const pieces: Buffer[] = [];
  let received = 0;
  await body.consume((chunk) => {
    if (received + chunk.length > limit) return refuse();
    if (received + chunk.length <= whole.length) whole.set(chunk, received);
    else pieces.push(Buffer.from(chunk));
    received += chunk.length;
  });
  return pieces.length === 0 ? whole.subarray(0, received) : Buffer.concat([whole.subarray(0, 0), ...pieces]);
}
