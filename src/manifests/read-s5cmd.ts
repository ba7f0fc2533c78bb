/**
 * s5cmd run files as they are found: with headers, titles, flags, quotes, bare URLs, CRLF, one or two blanks.
 * Grammar of the words: `shell-words.ts`. What upstream readers trip over (idc-index issues 91, 100, 115): a title
 * line, two blanks before the destination, a quoted URL, a trailing slash, file-level lines, mixed clouds.
 */
import type { Collector } from './collector.ts';
import { isStrongName } from './collector.ts';
import { shellWords } from './shell-words.ts';

/** Flags of s5cmd, `aws s3` and gsutil that take the next word as their value. */
const FLAGS_WITH_VALUE = new Set(
  [
    '--endpoint-url --numworkers --retry-count --log --profile --credentials-file --request-payer',
    '--version-id -c --concurrency -p --part-size --exclude --include --source-region --destination-region',
    '--storage-class --metadata --metadata-directive --sse --sse-kms-key-id --acl --cache-control --expires',
    '--content-type --content-encoding --content-disposition --no-such-upload-retry-count --region -o -u',
  ].flatMap((line) => line.split(' ')),
);

/** Flags that change which objects are meant; a reader that drops them has to say so. */
const FILTERS = new Set(['--exclude', '--include', '--version-id', '--raw']);

/** Words that may stand before the command. */
const PROGRAMS = new Set(['s5cmd', 'aws', 's3', 'gsutil', 'gcloud', 'storage', 'alpha', 'beta', 'rclone']);

const VERBS = new Set(['cp', 'sync', 'rsync', 'copy']);
const OTHER_VERBS = new Set(
  'mv rm ls du cat head run pipe select presign mb rb version bucket-version get'.split(' '),
);

const URL_START = /^(?:s3|gs|https?|drs):\/\//i;

/** One line of a run file, taken apart. */
export interface RunLine {
  /** `cp`, `sync`, …; empty for a bare URL. */
  verb: string;
  flags: { name: string; value?: string | undefined }[];
  /** What stands after the flags: sources and destination, unquoted. */
  words: string[];
}

/** Takes a line apart, or says why it cannot be. Programs before the verb (`s5cmd`, `aws s3`) are skipped. */
export function parseRunLine(line: string): RunLine | { reason: string } {
  const split = shellWords(line);
  if ('reason' in split) return split;
  const flags: RunLine['flags'] = [];
  const words: string[] = [];
  let verb = '';
  for (let index = 0; index < split.words.length; index += 1) {
    const word = split.words[index] ?? '';
    // No s5cmd has comments inside a line, but people write them, and pandas (idc-index) cuts them off.
    if (word === '#') break;
    if (word.length > 1 && word.startsWith('-')) {
      const equals = word.indexOf('=');
      if (equals > 0) flags.push({ name: word.slice(0, equals), value: word.slice(equals + 1) });
      else if (FLAGS_WITH_VALUE.has(word) || (word === '-r' && verb === '')) {
        // Before the command, -r is s5cmd's number of retries; behind it, the recursion of cp in gsutil.
        index += 1;
        flags.push({ name: word, value: split.words[index] });
      } else flags.push({ name: word });
    } else if (verb === '' && words.length === 0 && (VERBS.has(word) || OTHER_VERBS.has(word))) {
      verb = word;
    } else if (verb !== '' || words.length > 0 || !PROGRAMS.has(word)) {
      words.push(word);
    }
  }
  return { verb, flags, words };
}

/** Reads all lines of a run file into the collector. */
export function readS5cmd(lines: readonly string[], collector: Collector): void {
  let commands = 0;
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text === '') continue;
    if (text.startsWith('#')) readComment(text, collector);
    else if (readCommand(index + 1, text, commands === 0, collector)) commands += 1;
  }
}

/** The portal names the cloud only in the header: `# s5cmd --no-sign-request --endpoint-url … run FILE`. */
function readComment(text: string, collector: Collector): void {
  const url = /--endpoint-url[ =]+["']?(https?:\/\/[^\s"']+)/i.exec(text)?.[1];
  if (url !== undefined) collector.endpoint(url.replace(/\/+$/, ''));
}

/** True where the line named something. */
function readCommand(line: number, text: string, first: boolean, collector: Collector): boolean {
  const parsed = parseRunLine(text);
  if ('reason' in parsed) {
    collector.problem(line, text, `${parsed.reason}: s5cmd would stop here without a word`);
    return false;
  }
  const { verb, flags, words } = parsed;
  if (OTHER_VERBS.has(verb)) {
    collector.problem(line, text, `the command ${verb} gets nothing: only cp and sync are read`);
    return false;
  }
  const [source = '', ...rest] = words;
  if (verb === '' && !isStrongName(source.replace(/[,;]$/, ''))) {
    if (first && words.length === 1 && flags.length === 0) {
      collector.note(`title ${JSON.stringify(source)} skipped`, line);
    } else {
      collector.problem(line, text, 'names no object: a command (cp, sync) or a URL was expected');
    }
    return false;
  }
  if (verb !== '' && !URL_START.test(source)) {
    const upload = rest.some((word) => URL_START.test(word));
    collector.problem(
      line,
      text,
      upload ? 'uploads: its source is not in a bucket' : 'names no object to copy',
    );
    return false;
  }
  for (const { name } of flags) {
    if (FILTERS.has(name))
      collector.note(`${name} is not obeyed: everything that the line names is taken`, line);
  }
  const endpoint = flags.find(({ name }) => name === '--endpoint-url')?.value;
  if (verb === '') {
    for (const word of words.flatMap((part) => part.split(/[,;]/)).filter((part) => part !== '')) {
      collector.add({ line, text, name: word, endpoint });
    }
    return true;
  }
  if (rest.length > 1) {
    collector.note(
      'more than one destination (a blank that is not quoted?); the destination is not used',
      line,
    );
  }
  const destination = rest.length === 1 ? rest[0] : undefined;
  collector.add({ line, text, name: source.replace(/[,;]$/, ''), endpoint, destination });
  return true;
}
