/**
 * NBIA's REST interface, versions 1 and 4 (version 2 wants a bearer token), and its quirks:
 * - nothing at all, with status 200, where nothing fits; the row itself where it is one (option `single`);
 * - 400 and a sentence for a series that is not public, or that stands on the other server (NLST has one of its own);
 * - ZIPs are made while they are sent: no length. `LICENSE` comes first (not in version 1), `md5hashes.csv` last;
 * - images are `00000001.dcm`, or `1-01.dcm` with `NewFileNames=Yes`; md5hashes.csv is in no order;
 * - what breaks while a ZIP is made ends it in order: a valid ZIP with fewer images and without md5hashes.csv.
 *
 * Not known of the real one, and chosen here: at which number names begin (1), the text of 401.
 */
import { createHash } from 'node:crypto';
import { type MadeEntry, makeZip } from '../unzip/make-zip.ts';

/** An image. */
export interface NbiaWorldImage {
  sopInstanceUid: string;
  bytes: Uint8Array;
}

/** A series; further fields (`StudyDate`, `LicenseName` …) stand in answers as they are. */
export interface NbiaWorldSeries {
  Collection: string;
  PatientID: string;
  StudyInstanceUID: string;
  SeriesInstanceUID: string;
  Modality: string;
  images: NbiaWorldImage[];
  [field: string]: unknown;
}

/** A fault of a ZIP. */
export interface NbiaFault {
  /** Which series; default: every. */
  series?: string;
  /**
   * `html`: a page with status 500. `page`: a page with status 200. `busy`: 503 with Retry-After. `cut`: the connection ends
   * in the middle. `short`: a valid ZIP with the first half of the images and no md5hashes.csv. `no-hashes`: all images, no
   * md5hashes.csv. `missing`: one image fewer, also in md5hashes.csv. `flip`: a byte of the ZIP is changed on the way.
   * `wrong`: a byte of an image is changed before it is packed. `traversal`: an entry `../evil.dcm`. `bomb`: an entry that
   * swells to 300 MB. `nothing`: an empty body. `stall`: nothing comes.
   */
  kind:
    | 'html'
    | 'page'
    | 'busy'
    | 'cut'
    | 'short'
    | 'no-hashes'
    | 'missing'
    | 'flip'
    | 'wrong'
    | 'traversal'
    | 'bomb'
    | 'nothing'
    | 'stall';
  /** Default: always. */
  times?: number;
}

/** Options. */
export interface NbiaOptions {
  series: NbiaWorldSeries[];
  faults?: NbiaFault[];
  /** One row comes as itself and not as a list. Default true. */
  single?: boolean;
  /** `getSeriesMetadata`: its heads (`Patient ID` or `PatientID`), or 404. Default `joined`. */
  metadata?: 'joined' | 'spaced' | 'unknown';
}

/** A server. */
export interface NbiaServer {
  fetch: (request: Request) => Promise<Response>;
  /** Method, path and query; of a form, its fields too. */
  requests: string[];
  faults: NbiaFault[];
}

const LICENSE = 'Creative Commons Attribution 4.0 International License\n';

/** Makes an NBIA. */
export function createNbia(options: NbiaOptions): NbiaServer {
  const requests: string[] = [];
  const faults = options.faults ?? [];
  return {
    requests,
    faults,
    async fetch(request) {
      const url = new URL(request.url);
      const form = request.method === 'POST' ? await request.text() : '';
      requests.push(`${request.method} ${url.pathname}${url.search}${form === '' ? '' : ` ${form}`}`);
      const [, version, name] = /^\/nbia-api\/services\/(v1|v2|v4)\/(\w+)$/.exec(url.pathname) ?? [];
      if (version === undefined || name === undefined)
        return text('<html>Not Found</html>', 404, 'text/html');
      if (version === 'v2' && !request.headers.has('authorization'))
        return text('{"error":"unauthorized"}', 401, 'application/json');
      const query = url.searchParams;
      if (name.startsWith('getImage')) return image(query, version, name, options.series, faults);
      if (name === 'getSingleImage') return single(query, options.series);
      if (/^getSeriesMeta[dD]ata$/.test(name))
        return metadata(new URLSearchParams(form || url.search), options);
      return list(name, query, options);
    },
  };
}

/** What a series is in answers. */
function rowOf({ images, ...fields }: NbiaWorldSeries): Record<string, unknown> {
  return {
    ImageCount: images.length,
    FileSize: images.reduce((sum, one) => sum + one.bytes.length, 0),
    ...fields,
  };
}

function matching(query: URLSearchParams, series: readonly NbiaWorldSeries[]): NbiaWorldSeries[] {
  const dates = new Set(['format', 'Date', 'fromDate', 'toDate', 'SeriesUID']);
  const filters = [...query].filter(([name]) => !dates.has(name));
  return series.filter((one) => filters.every(([name, value]) => String(one[name] ?? '') === value));
}

function list(
  name: string,
  query: URLSearchParams,
  { series, single: asItself = true }: NbiaOptions,
): Response {
  const found = matching(query, series);
  const distinct = (fields: readonly string[], more: (one: NbiaWorldSeries) => object = () => ({})) => [
    ...new Map(
      found
        .filter((one) => one[fields[0] ?? ''] !== undefined)
        .map((one) => {
          const row = { ...Object.fromEntries(fields.map((field) => [field, one[field]])), ...more(one) };
          return [JSON.stringify(row), row] as const;
        }),
    ).values(),
  ];
  const answers: Record<string, () => object[]> = {
    getCollectionValues: () => distinct(['Collection']),
    getModalityValues: () => distinct(['Modality']),
    getBodyPartValues: () => distinct(['BodyPartExamined']),
    getManufacturerValues: () => distinct(['Manufacturer']),
    getPatient: () => distinct(['PatientID', 'Collection'], ({ PatientID }) => ({ PatientId: PatientID })),
    getPatientStudy: () =>
      distinct(['StudyInstanceUID', 'PatientID', 'Collection', 'StudyDate', 'StudyDesc']),
    getSeries: () => found.map(rowOf),
    // Nothing here has a day on which it came: every answer about news is about all.
    getUpdatedSeries: () => found.map(rowOf),
    NewPatientsInCollection: () => distinct(['PatientID', 'Collection']),
    NewStudiesInPatientCollection: () => distinct(['StudyInstanceUID', 'PatientID', 'Collection']),
    getDicomTags: () =>
      found
        .filter(({ SeriesInstanceUID }) => SeriesInstanceUID === query.get('SeriesUID'))
        .map(({ Modality }) => ({ element: '(0008,0060)', name: 'Modality', data: Modality })),
    getSeriesSize: () =>
      found.map((one) => ({
        TotalSizeInBytes: `${Number(rowOf(one)['FileSize'])}.000000`,
        ObjectCount: String(one.images.length),
      })),
    getSOPInstanceUIDs: () =>
      found.flatMap(({ images }) => images.map(({ sopInstanceUid: SOPInstanceUID }) => ({ SOPInstanceUID }))),
  };
  const rows = answers[name]?.();
  if (rows === undefined) return text('<html>Not Found</html>', 404, 'text/html');
  if (rows.length === 0) return text('', 200, 'application/json');
  return text(JSON.stringify(rows.length === 1 && asItself ? rows[0] : rows), 200, 'application/json');
}

/** CSV as the server writes it: only what it knows, in its own order. */
function metadata(query: URLSearchParams, { series, metadata: heads = 'joined' }: NbiaOptions): Response {
  if (heads === 'unknown') return text('<html>Not Found</html>', 404, 'text/html');
  const uids = new Set((query.get('list') ?? '').split(','));
  const found = series.filter(({ SeriesInstanceUID }) => uids.has(SeriesInstanceUID)).toReversed();
  if (found.length === 0) return text('', 200, 'text/csv');
  const rows = found.map(rowOf);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const spaced = (name: string) => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ');
  const cell = (value: unknown) => `"${String(value ?? '').replaceAll('"', '""')}"`;
  const lines = [
    names.map((name) => (heads === 'spaced' ? spaced(name) : name)).join(','),
    ...rows.map((row) => names.map((name) => cell(row[name])).join(',')),
  ];
  return text(`${lines.join('\r\n')}\r\n`, 200, 'text/csv');
}

function single(query: URLSearchParams, series: readonly NbiaWorldSeries[]): Response {
  const found = series.find(({ SeriesInstanceUID }) => SeriesInstanceUID === query.get('SeriesInstanceUID'));
  const one = found?.images.find(({ sopInstanceUid }) => sopInstanceUid === query.get('SOPInstanceUID'));
  if (one === undefined) return notPublic(query);
  return new Response(new Uint8Array(one.bytes), { headers: { 'content-type': 'application/octet-stream' } });
}

function notPublic(query: URLSearchParams): Response {
  return text(
    `Image with given SeriesInstanceUID,${query.get('SeriesInstanceUID') ?? ''}, is not in public domain.`,
    400,
    'text/plain',
  );
}

function image(
  query: URLSearchParams,
  version: string,
  name: string,
  series: readonly NbiaWorldSeries[],
  faults: readonly NbiaFault[],
): Response {
  const uid = query.get('SeriesInstanceUID') ?? '';
  const found = series.find(({ SeriesInstanceUID }) => SeriesInstanceUID === uid);
  if (found === undefined) return notPublic(query);
  const fault = faults.find(({ series: of = uid, times = 1 }) => of === uid && times > 0);
  if (fault?.times !== undefined) fault.times -= 1;
  const kind = fault?.kind;
  if (kind === 'html') return text('<html><h1>HTTP Status 500</h1></html>', 500, 'text/html');
  if (kind === 'page') return text('<!DOCTYPE html><title>Maintenance</title>', 200, 'text/html');
  if (kind === 'busy') return text('Service Unavailable', 503, 'text/plain', { 'retry-after': '0' });
  if (kind === 'nothing') return text('', 200, 'application/zip');
  if (kind === 'stall')
    return new Response(new ReadableStream({}), { headers: { 'content-type': 'application/zip' } });
  const zip = zipOf(found, {
    kind,
    hashes: name === 'getImageWithMD5Hash' || query.get('IncludeMD5') === 'Yes',
    newNames: query.get('NewFileNames') === 'Yes',
    license: version !== 'v1',
  });
  return streamed(zip, kind === 'cut' ? Math.floor(zip.length / 2) : undefined);
}

/** The ZIP of a series. */
export function zipOf(
  { images }: NbiaWorldSeries,
  options: { kind?: NbiaFault['kind'] | undefined; hashes: boolean; newNames: boolean; license: boolean },
): Buffer {
  const { kind } = options;
  const digits = String(images.length).length;
  const entries: MadeEntry[] = [];
  const hashes: string[] = [];
  const count =
    kind === 'short' ? Math.floor(images.length / 2) : kind === 'missing' ? images.length - 1 : images.length;
  images.slice(0, count).forEach(({ bytes }, index) => {
    const number = index + 1;
    const name = options.newNames
      ? `1-${String(number).padStart(digits, '0')}.dcm`
      : `${String(number).padStart(8, '0')}.dcm`;
    const packed = Buffer.from(bytes);
    if (kind === 'wrong' && index === count - 1)
      packed[packed.length - 1] = (packed[packed.length - 1] ?? 0) ^ 1;
    entries.push({ name, bytes: packed, deflate: true });
    hashes.push(`${name},${createHash('md5').update(bytes).digest('hex')}`);
  });
  if (options.license) entries.unshift({ name: 'LICENSE', bytes: LICENSE });
  if (kind === 'traversal') entries.push({ name: '../evil.dcm', bytes: 'evil' });
  if (kind === 'bomb') entries.push({ name: '99999999.dcm', bytes: Buffer.alloc(300_000_000) });
  if (options.hashes && kind !== 'short' && kind !== 'no-hashes')
    entries.push({ name: 'md5hashes.csv', bytes: `Filename,MD5Hash\n${hashes.toReversed().join('\n')}\n` });
  const zip = makeZip(entries);
  // In the middle of the packed bytes of an image: heads stay as they are.
  if (kind === 'flip') {
    const at = zip.indexOf('00000001.dcm') + 40;
    zip[at] = (zip[at] ?? 0) ^ 0xff;
  }
  return zip;
}

/** In pieces and without a length; ends with an error where it is cut. */
function streamed(bytes: Buffer, cutAt = bytes.length): Response {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= cutAt) {
        if (cutAt < bytes.length) controller.error(new Error('cut'));
        else controller.close();
        return;
      }
      const end = Math.min(at + 65_536, cutAt);
      controller.enqueue(new Uint8Array(bytes.subarray(at, end)));
      at = end;
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/zip' } });
}

function text(body: string, status: number, type: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { 'content-type': type, ...headers } });
}
