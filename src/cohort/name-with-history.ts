/** What a text names whose history can be told. */
import { CarrelError } from '../errors.ts';
import { parseIdentifier, uuidOf } from '../identifiers/index.ts';

/**
 * The name itself, or the uuid of the series version that a URL or a DRS name holds.
 *
 * @throws `usage` for what has no history, `bad-input` for a malformed identifier
 */
export function nameWithHistory(text: string): string {
  const identifier = parseIdentifier(text);
  if (identifier.kind === 'dicom-uid') return identifier.uid;
  if (identifier.kind === 'name') return identifier.name;
  const uuid = identifier.kind === 'object-url' ? identifier.seriesUuid : uuidOf(identifier);
  if (uuid !== undefined) return uuid;
  if (identifier.kind === 'path' && !/[/\\]/.test(text)) return text;
  throw new CarrelError('usage', `${JSON.stringify(text)} names nothing that has a history`, {
    item: text,
    next: 'give a SeriesInstanceUID, a crdc_series_uuid, a StudyInstanceUID, a PatientID or a collection',
  });
}
