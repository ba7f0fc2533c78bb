/** IBM's list of its Transfer SDKs: which archive holds `ascp` for which system. */
import { CarrelError } from '../../errors.ts';

/** Where IBM publishes the list. */
export const SDK_LOCATIONS = 'https://ibm.biz/sdk_location';

/** An archive of the list. */
export interface SdkLocation {
  url: string;
  /** Of the SDK: `1.1.9`. */
  version: string;
  /** `linux-x86_64`, `osx-arm64`. */
  platform: string;
  /** Free text; names the version of `ascp`. */
  comment: string;
}

/**
 * Reads the list: YAML, a flat sequence of maps of plain texts. Keys that are not known are passed over, entries
 * without address or platform too.
 *
 * @throws CarrelError `bad-input` where there is no entry at all
 */
export function parseSdkLocations(text: string): SdkLocation[] {
  const items: Map<string, string>[] = [];
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const [, dash, key, value] = /^\s*(-\s+)?([A-Za-z_]+):(?:\s+(.*?))?\s*$/.exec(line) ?? [];
    if (key === undefined) continue;
    if (dash !== undefined) items.push(new Map());
    items.at(-1)?.set(key, plain(value ?? ''));
  }
  const found = items.flatMap((item): SdkLocation[] => {
    const url = item.get('url') ?? '';
    const [os, arch] = [item.get('os'), item.get('arch')];
    const platform = item.get('platform') ?? (os === undefined || arch === undefined ? '' : `${os}-${arch}`);
    if (!/^(?:https?|file):\/\//.test(url) || platform === '') return [];
    return [{ url, version: item.get('version') ?? '', platform, comment: item.get('comment') ?? '' }];
  });
  if (found.length > 0) return found;
  throw new CarrelError('bad-input', 'this is not IBM’s list of Transfer SDKs', {
    item: SDK_LOCATIONS,
    next: 'give the archive itself with --from: a .tar.gz or .zip of IBM’s Transfer SDK',
  });
}

/** A scalar without its quotes and without a comment behind it. */
function plain(text: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"|^'((?:[^']|'')*)'/.exec(text);
  if (quoted === null) return text.replace(/\s+#.*$/, '');
  return quoted[1] === undefined
    ? (quoted[2] ?? '').replaceAll("''", "'")
    : quoted[1].replaceAll(/\\(.)/g, '$1');
}

/** A system as IBM names it; undefined for those that it has nothing for. */
export function sdkPlatform(platform: NodeJS.Platform, arch: string): string | undefined {
  const os = { linux: 'linux', darwin: 'osx', win32: 'windows', aix: 'aix' }[platform as string];
  const cpu = { x64: 'x86_64', arm64: 'arm64', ppc64: os === 'aix' ? 'ppc64' : 'ppc64le', s390x: 's390' }[
    arch
  ];
  return os === undefined || cpu === undefined ? undefined : `${os}-${cpu}`;
}

/**
 * The newest archive for a system.
 *
 * @throws CarrelError `unsupported` with the systems that there are
 */
export function chooseSdk(
  locations: readonly SdkLocation[],
  platform: NodeJS.Platform,
  arch: string,
): SdkLocation {
  const wanted = sdkPlatform(platform, arch);
  const fits = locations.filter((one) => one.platform === wanted);
  const usable = fits.length > 0 || platform !== 'darwin' ? fits : locations.filter(isUniversal);
  const [newest] = usable.toSorted((one, other) =>
    other.version.localeCompare(one.version, 'en', { numeric: true }),
  );
  if (newest !== undefined) return newest;
  const known = [...new Set(locations.map((one) => one.platform))].toSorted((a, b) => a.localeCompare(b));
  throw new CarrelError('unsupported', `IBM has no ascp for ${wanted ?? `${platform}-${arch}`}`, {
    item: wanted ?? platform,
    next: `there is one for ${known.join(', ')}; what TCIA has over HTTPS is shown by carrel tcia show`,
  });
}

function isUniversal({ platform }: SdkLocation): boolean {
  return platform === 'osx-universal';
}
