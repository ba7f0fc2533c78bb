/**
 * Settings with their origin. Precedence: flag > `CARREL_*` variable > `carrel.toml` of the project > of the
 * user > default.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { parse } from 'smol-toml';
import { CarrelError } from '../errors.ts';

/** As `defaultStateDir` of the cohort room has it, which is not loaded for a help text. */
function stateFolder(): string {
  const { log, data } = envPaths('carrel', { suffix: '' });
  return process.platform === 'linux' ? log : data;
}

/** Every setting: key in `carrel.toml`, variable, default and one line of help. */
export const SETTINGS = {
  archive: {
    variable: 'CARREL_ARCHIVE',
    fallback: 'idc',
    help: 'archive: a built-in name, a path or a URL of an archive.json',
  },
  mirrors: {
    variable: 'CARREL_MIRRORS',
    fallback: [],
    help: 'NAME=ENDPOINT overrides, comma-separated in the variable',
  },
  from: { variable: 'CARREL_FROM', fallback: 'auto', help: 'mirror to fetch from' },
  layout: {
    variable: 'CARREL_LAYOUT',
    fallback: '{collection_id}/{PatientID}/{StudyInstanceUID}/{Modality}_{SeriesInstanceUID}/{file}',
    help: 'names of files below the destination',
  },
  license_policy: {
    variable: 'CARREL_LICENSE_POLICY',
    fallback: 'any',
    help: 'any, commercial, or a list of licences',
  },
  verify: { variable: 'CARREL_VERIFY', fallback: 'full', help: 'full, size or none' },
  jobs: { variable: 'CARREL_JOBS', fallback: 'auto', help: 'files in flight, or auto' },
  bandwidth: { variable: 'CARREL_BANDWIDTH', fallback: 'unlimited', help: 'bytes per second: 50M, 1G' },
  reuse: {
    variable: 'CARREL_REUSE',
    fallback: 'auto',
    help: 'auto: bytes that earlier destinations hold are not fetched again; never; or folders to look in too',
  },
  fsync: {
    variable: 'CARREL_FSYNC',
    fallback: 'end',
    help: 'when bytes are written to the disk itself: at the end, with each file, or never',
  },
  progress: {
    variable: 'CARREL_PROGRESS',
    fallback: 'auto',
    help: 'auto, bar, lines, json (events on stderr) or none',
  },
  color: { variable: 'CARREL_COLOR', fallback: 'auto', help: 'auto, always or never' },
  fetch_tables: {
    variable: 'CARREL_FETCH_TABLES',
    fallback: 'auto',
    help: 'auto: a question fetches tables that it names; never',
  },
  cache_dir: {
    variable: 'CARREL_CACHE_DIR',
    fallback: envPaths('carrel', { suffix: '' }).cache,
    help: 'catalogues and the sample archive',
  },
  state_dir: {
    variable: 'CARREL_STATE_DIR',
    fallback: stateFolder(),
    help: 'the list of destinations that were filled, and bytecode of commands',
  },
} as const satisfies Record<string, { variable: string; fallback: string | readonly string[]; help: string }>;

/** Name of a setting. */
export type SettingName = keyof typeof SETTINGS;

/** A value and where it came from: `flag --jobs`, `CARREL_JOBS`, a file, or `default`. */
export interface Setting {
  value: string | string[];
  origin: string;
}

/** All settings of one run. */
export type Settings = Record<SettingName, Setting>;

/** The configuration files that are looked at: the nearest `carrel.toml` at or above `cwd`, then the user's. */
export function configFiles(
  cwd: string,
  env: Record<string, string | undefined>,
): { project: string | undefined; user: string } {
  let folder = resolve(cwd);
  let project: string | undefined;
  for (;;) {
    const candidate = join(folder, 'carrel.toml');
    if (existsSync(candidate)) {
      project = candidate;
      break;
    }
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return {
    project,
    user: join(env['CARREL_CONFIG_DIR'] ?? envPaths('carrel', { suffix: '' }).config, 'carrel.toml'),
  };
}

/**
 * Settles every setting.
 *
 * @param flags values given on the command line (undefined where a flag was not given)
 * @throws `bad-input` for a configuration file that cannot be read, naming the line; unknown keys are refused too
 */
export function settle(options: {
  flags: Partial<Record<SettingName, string | string[] | undefined>>;
  env: Record<string, string | undefined>;
  cwd: string;
  useFiles: boolean;
}): Settings {
  const { flags, env, cwd, useFiles } = options;
  const files = configFiles(cwd, env);
  const layers: { origin: string; values: Record<string, string | string[]> }[] = [];
  if (useFiles) {
    for (const path of [files.project, files.user]) {
      if (path !== undefined && existsSync(path)) layers.push({ origin: path, values: readConfig(path) });
    }
  }
  const settled = {} as Settings;
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const { variable, fallback } = SETTINGS[name];
    const flag = flags[name];
    const fromEnv = env[variable];
    const layer = layers.find(({ values }) => values[name] !== undefined);
    if (flag !== undefined && flag.length > 0)
      settled[name] = {
        value: flag,
        origin: `flag --${name.replaceAll('_', '-').replace(/s$/, name === 'mirrors' ? '' : 's')}`,
      };
    else if (fromEnv !== undefined && fromEnv !== '') {
      settled[name] = { value: Array.isArray(fallback) ? fromEnv.split(',') : fromEnv, origin: variable };
    } else if (layer?.values[name] !== undefined)
      settled[name] = { value: layer.values[name], origin: layer.origin };
    else
      settled[name] = { value: typeof fallback === 'string' ? fallback : [...fallback], origin: 'default' };
  }
  return settled;
}

/** The value of a setting that holds one text. */
export function textOf(settings: Settings, name: SettingName): string {
  const { value } = settings[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** The values of a setting that holds several. */
export function listOf(settings: Settings, name: SettingName): string[] {
  const { value } = settings[name];
  return Array.isArray(value) ? value : value === '' ? [] : value.split(',');
}

function readConfig(path: string): Record<string, string | string[]> {
  let table: Record<string, unknown>;
  try {
    table = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CarrelError('bad-input', `cannot read the configuration ${path}: ${firstLine(cause)}`, {
      item: path,
      next: 'correct the file, or leave it out with --no-config',
      cause,
    });
  }
  const values: Record<string, string | string[]> = {};
  for (const [key, value] of Object.entries(table)) {
    if (!(key in SETTINGS)) {
      throw new CarrelError('bad-input', `unknown setting ${JSON.stringify(key)} in ${path}`, {
        item: path,
        next: `known settings: ${Object.keys(SETTINGS).join(', ')}`,
      });
    }
    values[key] = toText(value, key, path);
  }
  return values;
}

/** `mirrors` may be written as a table: `[mirrors]` with `aws = "http://…"`. */
function toText(value: unknown, key: string, path: string): string | string[] {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  if (key === 'mirrors' && typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([name, endpoint]) => `${name}=${String(endpoint)}`);
  }
  throw new CarrelError('bad-input', `the setting ${key} in ${path} must be a text`, { item: path });
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
}
