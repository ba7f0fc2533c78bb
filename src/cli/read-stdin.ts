/** Reads the whole of stdin. */
import { CarrelError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

/** The bytes of stdin. Throws `usage` where it is a terminal: nobody is going to type a manifest. */
export async function readStdin(terminal: Terminal): Promise<Uint8Array> {
  if (terminal.in.isTTY === true) {
    throw new CarrelError('usage', 'stdin is a terminal', {
      item: '-',
      next: 'pipe a list of identifiers in: cat list.txt | carrel get -',
    });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of terminal.in) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
