/**
 * Links that people copy out of a browser: viewers and DICOMweb addresses name a study, a series or an instance by its
 * UIDs, portals a collection. Only the name is taken; the server in the link is not asked.
 */
import { decodeOnce } from './check-text.ts';
import type { DicomUidIdentifier, Level, NameIdentifier } from './identifier.ts';
import { isDicomUid } from './uid.ts';
import { queryValue, type UrlParts } from './url-parts.ts';

/** Parameters of viewers, the most specific first; OHIF 2 and 3, Weasis, MedDream and the like. */
const PARAMETERS: [name: string, level: Level][] = [
  ['initialSeriesInstanceUID', 'series'],
  ['SeriesInstanceUIDs', 'series'],
  ['SeriesInstanceUID', 'series'],
  ['seriesInstanceUID', 'series'],
  ['StudyInstanceUIDs', 'study'],
  ['StudyInstanceUID', 'study'],
];

/** The UID or collection that a link names; undefined where it names none, or several. */
export function readDicomLink(url: UrlParts, text: string): DicomUidIdentifier | NameIdentifier | undefined {
  const [, study, series, instance] =
    /\/studies\/([0-9.]+)(?:\/series\/([0-9.]+)(?:\/instances\/([0-9.]+))?)?\/?(?:(?:metadata|rendered|thumbnail)\/?)?$/.exec(
      url.path,
    ) ?? [];
  if (instance !== undefined) return named(instance, 'instance', text);
  if (series !== undefined) return named(series, 'series', text);
  for (const [name, level] of PARAMETERS) {
    const value = queryValue(url.query, name);
    if (value !== undefined) return named(decodeOnce(value, text), level, text);
  }
  if (study !== undefined) return named(study, 'study', text);
  const [, viewed] = /\/viewer\/([0-9.]+)\/?$/.exec(url.path) ?? [];
  if (viewed !== undefined) return named(viewed, 'study', text);
  const collection = queryValue(url.query, 'collection_id');
  if (collection === undefined || !/^[A-Za-z0-9_-]{1,128}$/.test(collection)) return undefined;
  return { kind: 'name', name: collection, level: 'collection', text, warnings: [remark('collection')] };
}

function named(uid: string, level: Level, text: string): DicomUidIdentifier | undefined {
  return isDicomUid(uid) ? { kind: 'dicom-uid', uid, level, text, warnings: [remark(level)] } : undefined;
}

function remark(level: string): string {
  return `read as the ${level} that the link shows; the server in the link is not asked`;
}
