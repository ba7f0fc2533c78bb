/** A process of its own for folder-lock.test.ts: takes the lock, says so, and holds it until its input ends. */
import { once } from 'node:events';
import { lockFolder } from '../../src/transfer/state/folder-lock.ts';

const unlock = await lockFolder(process.argv[2] ?? '').catch(() => undefined);
process.stdout.write(unlock === undefined ? 'busy\n' : 'taken\n');
process.stdin.resume();
await once(process.stdin, 'end');
await unlock?.();
