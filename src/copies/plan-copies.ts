/** From what was asked (`cp A B`, lines of a run file) to files with names; nothing is fetched here. */
import { stat } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { CarrelError, isCarrelError } from '../errors.ts';
import { checkPlan, type PlannedFile } from '../transfer/index.ts';
import { parseAddress } from './address.ts';
import { type NameFilters, nameFilter, nothingLeft } from './filters.ts';
import { findMatches, type Match, type MatchOptions, type MatchTools } from './matches.ts';
import { type NamedMatch, nameMatches, pathOf, readDestination } from './name-copies.ts';

/** One command: sources to a destination, with what its flags say. */
export interface CopyRequest extends MatchOptions, NameFilters {
  sources: readonly string[];
  destination: string;
  flatten?: boolean | undefined;
  /** Leave files that are here. */
  noClobber?: boolean | undefined;
  /** Leave files of the same size. */
  ifSizeDiffer?: boolean | undefined;
  /** Leave files that are not older than the object. With `ifSizeDiffer` this one decides, as in s5cmd. */
  ifSourceNewer?: boolean | undefined;
  /**
   * Rule of `sync`, which also means the contents of a folder: leave what has the same size and is not older
   * (`time`), or the same size (`size`); `digest` leaves all to the engine, which compares digests.
   */
  sync?: 'time' | 'size' | 'digest' | undefined;
  /** Where it was asked: `cohort.s5cmd:12`; undefined for arguments. */
  origin?: string | undefined;
}

/** A file to be fetched, and the object that it comes from. */
export interface Copy {
  url: string;
  /** Absolute. */
  destination: string;
  file: PlannedFile;
  /** When the object was written; RFC 3339. */
  modified: string | undefined;
}

/** Something that was asked for and cannot be had. */
export interface Problem {
  item: string;
  origin: string | undefined;
  error: CarrelError;
}

/** Files of one destination: one transfer. */
export interface CopyGroup {
  directory: string;
  copies: Copy[];
}

/** What will happen. */
export interface CopyPlan {
  groups: CopyGroup[];
  files: number;
  /** Undefined where a size is not known before it is fetched. */
  bytes: number | undefined;
  /** Left alone by a rule (`--no-clobber` …). */
  skipped: { url: string; destination: string; reason: string }[];
  problems: Problem[];
  /** What the user should know: folders that a pattern matched and that were left out. */
  notes: string[];
  /** Everything that the sources hold, as absolute paths: also what is left alone or refused. */
  named: Set<string>;
}

/** Everything that a plan is made with. */
export interface PlanTools extends MatchTools {
  cwd: string;
}

/** Requests looked at side by side: each costs a listing or two. */
const REQUESTS_AT_ONCE = 32;

/**
 * Makes the plan of one or many requests.
 *
 * @throws `unsafe` where two objects would get one name, before anything is fetched; `interrupted`. A source that
 *   leads nowhere and a key that no disk should get as a name are `problems`; they do not stop the others.
 */
export async function planCopies(requests: readonly CopyRequest[], tools: PlanTools): Promise<CopyPlan> {
  const plan: CopyPlan = {
    groups: [],
    files: 0,
    bytes: 0,
    skipped: [],
    problems: [],
    notes: [],
    named: new Set(),
  };
  const found: (NamedMatch[] | undefined)[] = Array.from(requests, () => undefined);
  const skipped: CopyPlan['skipped'][] = Array.from(requests, () => []);
  const problems: Problem[][] = Array.from(requests, () => []);
  let next = 0;
  const worker = async () => {
    while (next < requests.length) {
      const index = next;
      next += 1;
      const request = requests[index];
      if (request === undefined) continue;
      const named = await nameRequest(request, tools, problems[index] ?? [], plan.notes);
      for (const one of named) plan.named.add(pathOf(one));
      found[index] = await leaveOut(named, request, skipped[index] ?? []);
    }
  };
  await Promise.all(Array.from({ length: Math.min(REQUESTS_AT_ONCE, requests.length) }, worker));
  plan.skipped = skipped.flat();
  plan.problems = problems.flat();
  const all = found.flatMap((named) => named ?? []);
  refuseCollisions(all);
  const seen = new Set<string>();
  const roots = rootsOf(all, requests.length > 1 ? tools.cwd : undefined);
  const groups = new Map<string, Copy[]>();
  for (const named of all) {
    const destination = pathOf(named);
    if (seen.has(destination)) continue; // the same object for the same name, said twice
    seen.add(destination);
    const root = roots(named.directory);
    const copy = copyOf(named, root, destination);
    const problem = refusalOf(copy);
    if (problem !== undefined) {
      plan.problems.push(problem);
      continue;
    }
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [copy]);
    else group.push(copy);
    plan.files += 1;
    const { size } = copy.file;
    plan.bytes = plan.bytes === undefined || size === undefined ? undefined : plan.bytes + size;
  }
  plan.groups = [...groups].map(([directory, copies]) => ({ directory, copies }));
  return plan;
}

async function nameRequest(
  request: CopyRequest,
  tools: PlanTools,
  problems: Problem[],
  notes: string[],
): Promise<NamedMatch[]> {
  const destination = await readDestination(request.destination, tools.cwd);
  const named: NamedMatch[] = [];
  for (const source of request.sources) {
    try {
      const address = parseAddress(source, tools);
      const matched = await findMatches(address, tools, request);
      if (matched.leftFolders > 0) {
        const folders = matched.leftFolders === 1 ? 'a folder' : `${matched.leftFolders} folders`;
        notes.push(`${source} also matches ${folders}, left out; --recursive takes them`);
      }
      const wanted = nameFilter(request, request.glob ?? address.language);
      const matches = matched.matches.filter(({ name }) => wanted(name));
      if (matches.length === 0) throw nothingLeft(source);
      named.push(
        ...nameMatches({ ...matched, matches }, destination, {
          flatten: request.flatten === true,
          severalSources: request.sources.length > 1,
          // `cp -r gs://bucket/folder DIR`: into DIR/folder where DIR is there, as DIR where it is not; as cp of Unix does.
          keepFolder:
            address.language === 'gsutil' &&
            request.sync === undefined &&
            (destination.exists || request.sources.length > 1),
        }),
      );
    } catch (error) {
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
      problems.push({ item: source, origin: request.origin, error });
    }
  }
  return named;
}

/** Takes out what a rule leaves alone. */
async function leaveOut(
  named: NamedMatch[],
  request: CopyRequest,
  skipped: CopyPlan['skipped'],
): Promise<NamedMatch[]> {
  const { noClobber, ifSizeDiffer, ifSourceNewer, sync } = request;
  if (!noClobber && !ifSizeDiffer && !ifSourceNewer && sync === undefined) return named;
  const kept: NamedMatch[] = [];
  for (const one of named) {
    const destination = pathOf(one);
    const info = await stat(destination).catch(() => undefined);
    const reason = info?.isFile() === true ? reasonToLeave(one.match, info, request) : undefined;
    if (reason === undefined) kept.push(one);
    else skipped.push({ url: one.match.url, destination, reason });
  }
  return kept;
}

function reasonToLeave(
  { stat: object }: Match,
  file: { size: number; mtimeMs: number },
  request: CopyRequest,
): string | undefined {
  if (request.noClobber) return 'is here';
  const sameSize = object.size === file.size;
  const modified = object.lastModified === undefined ? Number.NaN : Date.parse(object.lastModified);
  const newer = !(modified <= file.mtimeMs);
  // Where nobody gives a digest, there is only the time to go by.
  if (request.sync === 'digest' && object.digests.length > 0) return undefined;
  if (request.sync === 'time' || request.sync === 'digest')
    return sameSize && !newer ? 'same size, and not older' : undefined;
  if (request.sync === 'size') return sameSize ? 'same size' : undefined;
  if (request.ifSourceNewer) return newer ? undefined : 'is not older';
  return sameSize ? 'has the same size' : undefined;
}

function copyOf({ match, directory, path }: NamedMatch, root: string, destination: string): Copy {
  const below = relative(root, directory).split(sep).join('/');
  const file: PlannedFile = {
    path: below === '' ? path : `${below}/${path}`,
    size: match.stat.size,
    digests: match.stat.digests,
    sources: match.sources,
  };
  return { url: match.url, destination, file, modified: match.stat.lastModified };
}

/** A key that would leave the destination, or that is no name everywhere: said, and not fetched. */
function refusalOf({ url, file }: Copy): Problem | undefined {
  try {
    checkPlan([file]);
    return undefined;
  } catch (error) {
    if (!isCarrelError(error, 'unsafe')) throw error;
    return {
      item: url,
      origin: undefined,
      error: new CarrelError('unsafe', `${url}: ${error.message}`, {
        item: url,
        next: 'give it a name of its own: carrel cp URL NAME',
      }),
    };
  }
}

/** Two objects and one name: refused as a whole, since whichever came second would be the one that is left. */
function refuseCollisions(all: readonly NamedMatch[]): void {
  const first = new Map<string, Match>();
  const pairs: string[] = [];
  for (const named of all) {
    const { match } = named;
    const path = pathOf(named);
    const other = first.get(path);
    if (other === undefined) first.set(path, match);
    // The key too: what is shown of a web address leaves its query out.
    else if ((other.url !== match.url || other.key !== match.key) && pairs.length < 5)
      pairs.push(`${other.url} and ${match.url} would both be ${JSON.stringify(named.path)}`);
  }
  if (pairs.length === 0) return;
  throw new CarrelError('unsafe', pairs.join('; '), {
    item: pairs[0],
    next: 'nothing was fetched; keep the tree (no --flatten, --glob s5cmd), or give them different folders',
  });
}

/** Which folder a destination belongs to: the working folder and everything below it is one, others are their topmost. */
function rootsOf(all: readonly NamedMatch[], cwd: string | undefined): (directory: string) => string {
  const inside = (folder: string, parent: string) =>
    folder === parent || folder.startsWith(parent.endsWith(sep) ? parent : `${parent}${sep}`);
  const folders = [...new Set(all.map(({ directory }) => resolve(directory)))].sort(
    (a, b) => a.length - b.length,
  );
  const roots: string[] = [];
  for (const folder of folders) {
    const root = cwd !== undefined && inside(folder, cwd) ? cwd : folder;
    if (!roots.some((other) => inside(root, other) && other !== dirname(other))) roots.push(root);
  }
  return (directory) => roots.find((root) => inside(resolve(directory), root)) ?? resolve(directory);
}
