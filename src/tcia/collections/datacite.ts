/** DataCite: what is registered under a DOI of TCIA. */
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import { type AskOptions, askJson } from '../ask.ts';
import { addressOf } from './odd-values.ts';
import { plainText, textOrNull } from './plain-text.ts';

/** What is registered. */
export interface DoiRecord {
  doi: string;
  title: string | null;
  /** Page that the DOI leads to. */
  url: string | null;
  publisher: string | null;
  year: number | null;
  version: string | null;
  /** People and groups, in their order. */
  creators: string[];
  /** DOIs that it is related to: `{ relation: 'IsDerivedFrom', doi }`. */
  related: { relation: string; doi: string }[];
}

const RecordSchema = v.object({
  data: v.looseObject({
    attributes: v.looseObject({
      doi: v.string(),
      url: v.optional(v.unknown()),
      titles: v.optional(v.unknown()),
      publisher: v.optional(v.unknown()),
      publicationYear: v.optional(v.unknown()),
      version: v.optional(v.unknown()),
      creators: v.optional(v.unknown()),
      relatedIdentifiers: v.optional(v.unknown()),
    }),
  }),
});

/** Asks DataCite about a DOI. @throws CarrelError `not-found`, and as `askJson` */
export async function fetchDoi(origin: string, doi: string, options: AskOptions): Promise<DoiRecord> {
  const path = doi.split('/').map(encodeURIComponent).join('/');
  const answer = await askJson({ what: `DOI ${doi}`, url: `${origin}/dois/${path}` }, options);
  const read = v.safeParse(RecordSchema, answer);
  if (!read.success) {
    throw new CarrelError('network', `DataCite's answer about DOI ${doi} cannot be read`, {
      item: doi,
      next: 'try again later; if it stays, its API may have changed: tell us',
    });
  }
  const { attributes } = read.output.data;
  const [title] = listOf(attributes.titles);
  const year = Number(attributes.publicationYear);
  return {
    doi: attributes.doi.toLowerCase(),
    title: textOrNull(title?.['title']),
    url: addressOf(attributes.url),
    publisher: textOrNull(attributes.publisher),
    year: Number.isInteger(year) && year > 0 ? year : null,
    version: textOrNull(attributes.version),
    creators: listOf(attributes.creators)
      .map(({ name }) => plainText(name))
      .filter((name) => name !== ''),
    related: listOf(attributes.relatedIdentifiers).flatMap((item) => {
      const isDoi = plainText(item['relatedIdentifierType']) === 'DOI';
      const related = plainText(item['relatedIdentifier']).toLowerCase();
      return isDoi && related !== '' ? [{ relation: plainText(item['relationType']), doi: related }] : [];
    }),
  };
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value)
    ? value.filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null)
    : [];
}

/** A record as a citation, in the form that DataCite recommends. */
export function citationOf({ creators, year, title, version, publisher, doi }: DoiRecord): string {
  const parts = [
    `${creators.length === 0 ? 'n. n.' : creators.join('; ')}${year === null ? '' : ` (${year})`}`,
    `${title ?? 'without title'}${version === null ? '' : ` (Version ${version.replace(/^version\s*/i, '')})`} [Data set]`,
    publisher ?? '',
    `https://doi.org/${doi}`,
  ];
  return parts.filter((part) => part !== '').join('. ');
}
