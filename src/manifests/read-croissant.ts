/**
 * Croissant, the JSON-LD that describes data sets (MLCommons), as TCIA publishes it: files under `distribution`, and rows of
 * `recordSet` that say where a download stands and of which kind it is (a file, a manifest, a package of Aspera).
 */
import type { Collector } from './collector.ts';
import { addPointer } from './read-pointers.ts';

/** True for a JSON-LD data set with files or rows of its own. */
export function isCroissant(value: object): boolean {
  if (!('@type' in value) || !/(?:^|[:/])Dataset$/.test(String(value['@type']))) return false;
  return 'distribution' in value || 'recordSet' in value;
}

/** Something to be had, as a data set describes it. */
interface Download {
  url: string;
  /** TCIA's `download artifact role`: `data file`, `manifest`, `transfer package`. */
  role: string;
  /** TCIA's `access mechanism`: `Aspera`, `TCIA Data Retriever`. */
  mechanism: string;
  digests: string[];
  size: number | undefined;
}

/** Reads the downloads of a data set: files become entries, manifests pointers, packages problems. */
export function readCroissant(value: unknown, collector: Collector): void {
  const dataset = value as Record<string, unknown>;
  let place = 0;
  for (const item of listOf(dataset['distribution'])) {
    place += 1;
    const properties = new Map(
      listOf(item['additionalProperty']).map((one) => [textOf(one['name']), textOf(one['value'])]),
    );
    // What lies inside of another file comes with it.
    if (textOf(item['contentUrl']) === '' || item['containedIn'] !== undefined) continue;
    addDownload(
      place,
      {
        url: textOf(item['contentUrl']),
        role: properties.get('TCIA download artifact role') ?? '',
        mechanism: properties.get('TCIA access mechanism') ?? '',
        digests: digestsOf(item),
        size: sizeOf(textOf(item['contentSize'])),
      },
      collector,
    );
  }
  for (const set of listOf(dataset['recordSet'])) {
    for (const row of listOf(set['data'])) {
      place += 1;
      const field = (name: string): string =>
        textOf(row[Object.keys(row).find((key) => key.split('/').at(-1) === name) ?? name]);
      const url = field('download_url');
      // Rows of other sets (licences, splits) name nothing to fetch.
      if (url === '') continue;
      const role = field('download_artifact_role');
      const mechanism = field('access_mechanism');
      addDownload(place, { url, role, mechanism, digests: [], size: undefined }, collector);
    }
  }
}

function addDownload(place: number, download: Download, collector: Collector): void {
  const { url, role, mechanism, digests, size } = download;
  if (/aspera|faspex/i.test(`${mechanism} ${url}`) || /^transfer package$/i.test(role))
    collector.problem(
      place,
      withoutQuery(url),
      'is a package of Aspera Faspex: carrel tcia get takes its link',
    );
  else if (/^manifest$/i.test(role) || /\.(?:tcia|s5cmd)(?:\?|$)/i.test(url))
    addPointer(place, url, url, collector);
  else collector.add({ line: place, text: url, name: url, digests, size });
}

/** The query of a link to a package holds its passcode. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '?…');
}

function digestsOf(item: Record<string, unknown>): string[] {
  const wanted = { sha256: /^[0-9a-f]{64}$/, md5: /^[0-9a-f]{32}$/ };
  return Object.entries(wanted).flatMap(([algorithm, form]) => {
    const hex = textOf(item[algorithm]).toLowerCase();
    return form.test(hex) ? [`${algorithm}:${hex}`] : [];
  });
}

/** `1234 B` or `1234`; rounded sizes (`1.2 GB`) say nothing exact. */
function sizeOf(text: string): number | undefined {
  const bytes = /^(\d{1,15})\s*(?:B|bytes)?$/i.exec(text)?.[1];
  return bytes === undefined ? undefined : Number(bytes);
}

/** One object or a list of them: JSON-LD writes either. */
function listOf(value: unknown): Record<string, unknown>[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}
