/**
 * Where several mappings find as many files, their content decides: cases of one package often hold files of the same names, and
 * a folder of one of them fits all. A file or two of each are read.
 */
import { join } from 'node:path';
import type { Digest } from '../../identifiers/index.ts';
import { hashFile } from '../../transfer/index.ts';
import { applyMapping, layMapping, type MappedSums, type SumsMapping } from './map-sums.ts';
import type { SumEntry } from './parse-sums.ts';
import type { LocalIndex } from './path-forms.ts';

/** Files that are read for each mapping. */
const SAMPLE = 2;

/** The mapping under which most of the files that were read are right; as it was where none is right. */
export async function settleTies(
  laid: MappedSums,
  entries: readonly SumEntry[],
  local: LocalIndex,
  options: { directory: string; signal?: AbortSignal | undefined },
): Promise<MappedSums> {
  if (laid.ties.length === 0) return laid;
  const known = new Map<string, Promise<Digest[]>>();
  const digestsOf = async (file: string) => {
    const before = known.get(file);
    if (before !== undefined) return await before;
    const kinds = ['md5', 'sha256'] as const;
    const read = hashFile(join(options.directory, file), kinds, { signal: options.signal }).then(
      ({ digests }) => digests,
      () => [],
    );
    known.set(file, read);
    return await read;
  };
  const scored: { mapping: SumsMapping; score: number }[] = [];
  for (const mapping of [laid.mapping, ...laid.ties]) {
    let score = 0;
    for (const [file, digests] of sampleOf(entries, local, mapping)) {
      const found = await digestsOf(file);
      if (digests.every((digest) => found.includes(digest))) score += 1;
    }
    scored.push({ mapping, score });
  }
  const most = Math.max(...scored.map(({ score }) => score));
  if (most === 0) return laid;
  const [winner = laid.mapping, ...ties] = scored
    .filter(({ score }) => score === most)
    .map(({ mapping }) => mapping);
  const files = winner === laid.mapping ? laid.files : layMapping(entries, local, winner);
  return { mapping: winner, hits: files.size, ties, files };
}

function sampleOf(
  entries: readonly SumEntry[],
  local: LocalIndex,
  mapping: SumsMapping,
): [string, Digest[]][] {
  const sample: [string, Digest[]][] = [];
  for (const { path, digests } of entries) {
    const place = applyMapping(path, mapping);
    const file = place === undefined ? undefined : local.exact(place);
    if (file !== undefined && digests.length > 0) sample.push([file, digests]);
    if (sample.length === SAMPLE) break;
  }
  return sample;
}
