/** A process that installs a catalogue: `install-worker.ts CACHE SOURCE [die]`. With `die` it kills itself in the middle. */
import { installCatalog } from '../../src/catalog/index.ts';
import { tinyArchive } from './tiny-tables.ts';

const [cacheDir = '', source = '', die] = process.argv.slice(2);
const installed = await installCatalog({
  archive: tinyArchive(),
  cacheDir,
  sources: [source],
  onEvent: (event) => {
    if (die === 'die' && event.type === 'table') process.kill(process.pid, 'SIGKILL');
  },
});
console.log(JSON.stringify({ added: installed.added, version: installed.version }));
