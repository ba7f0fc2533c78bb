/** Names that led nowhere because the archive withdrew what they named: said as that, with the release that held it. */
import { type Withdrawn, withdrawnText } from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';
import { uuidOf } from '../identifiers/index.ts';
import type { Wanted } from './gather.ts';
import type { Cohort, Tools } from './question.ts';

/** Looks what could not be resolved up in the tables of earlier releases, and says so; also of what only the buckets had. */
export async function tellWithdrawn(cohort: Cohort, wanted: readonly Wanted[], tools: Tools): Promise<void> {
  const { catalog, archive, signal } = tools;
  if (catalog === undefined) return;
  const idOf = new Map<string, string>();
  for (const { identifier } of wanted) {
    const id = identifierName(identifier);
    if (id !== undefined) idOf.set(identifier.text, id);
  }
  const lost = cohort.unresolved.filter(({ error, item }) => error.code === 'not-found' && idOf.has(item));
  const strangers = cohort.series.filter(({ row, locked }) => row === undefined && locked === undefined);
  const names = new Set([
    ...lost.map(({ item }) => idOf.get(item) ?? item),
    ...strangers.map(({ crdc_series_uuid: uuid }) => uuid),
  ]);
  if (names.size === 0) return;
  const found = await catalog.withdrawn([...names], { signal });
  if (found.size === 0) return;
  for (const one of lost) {
    const withdrawn = found.get(idOf.get(one.item) ?? one.item);
    if (withdrawn !== undefined) one.error = withdrawnError(tools, one.item, withdrawn, one.error);
  }
  for (const { crdc_series_uuid: uuid } of strangers) {
    const withdrawn = found.get(uuid);
    if (withdrawn !== undefined)
      cohort.notes.push({
        item: uuid,
        message: `${uuid} ${withdrawnText(archive, withdrawn)}; its files are still in the buckets`,
      });
  }
}

/** The error about something that was withdrawn. */
export function withdrawnError(
  { archive }: Pick<Tools, 'archive'>,
  item: string,
  withdrawn: Withdrawn,
  cause?: CarrelError,
): CarrelError {
  return new CarrelError('not-found', `${item} ${withdrawnText(archive, withdrawn)}`, {
    item,
    next: `--release ${withdrawn.knownBy} asks the tables that still list it; its files may be gone from the buckets`,
    cause,
  });
}

function identifierName(identifier: Wanted['identifier']): string | undefined {
  if (identifier.kind === 'dicom-uid') return identifier.uid;
  if (identifier.kind === 'name') return identifier.name;
  if (identifier.kind === 'object-url') return identifier.seriesUuid;
  return uuidOf(identifier);
}
