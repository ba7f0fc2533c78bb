/** Words of other tools that carrel does not have, each with what does it: an answer instead of "unknown command". */
import { CarrelError } from '../errors.ts';
import { COMMANDS } from './command-table.ts';

const WRITES = 'carrel reads buckets and never writes to them';

const ELSEWHERE: Record<string, [why: string, next: string]> = {
  mv: [WRITES, 'move objects with s5cmd mv, aws s3 mv or gsutil mv; carrel cp copies them to this machine'],
  rm: [WRITES, 'remove objects with s5cmd rm, aws s3 rm or gsutil rm'],
  mb: [WRITES, 'make buckets with s5cmd mb, aws s3 mb or gsutil mb'],
  rb: [WRITES, 'remove buckets with s5cmd rb, aws s3 rb or gsutil rb'],
  pipe: [WRITES, 'upload from a pipe with s5cmd pipe, or aws s3 cp - URL'],
  presign: [
    'carrel signs no addresses for others',
    'sign with aws s3 presign, s5cmd presign or gsutil signurl',
  ],
  signurl: ['carrel signs no addresses for others', 'sign with gsutil signurl or gcloud storage sign-url'],
  select: ['carrel does not ask S3 Select', 'use aws s3api select-object-content; carrel sql reads tables'],
  rsync: ['rsync is sync here', 'carrel sync gs://bucket/folder DIR --checksum'],
  stat: ['stat is head here', 'carrel head URL'],
  hash: ['digests of an object are told by head', 'carrel head URL; carrel verify proves a folder'],
};

/** The refusal of a word of another tool; undefined for every other word. */
export function notOffered(word: string | undefined): CarrelError | undefined {
  const entry = word !== undefined && Object.hasOwn(ELSEWHERE, word) ? ELSEWHERE[word] : undefined;
  return (
    entry &&
    new CarrelError('usage', `carrel ${word} is not there: ${entry[0]}`, { item: word, next: entry[1] })
  );
}

/** `s5cmd --json cp …`: flags stand behind the command here. Undefined where none stands in front of a command. */
export function flagsInFront(argv: readonly string[]): CarrelError | undefined {
  const [flag = ''] = argv;
  if (!flag.startsWith('-') || /^(?:-h|--help|-V|--version)$/.test(flag)) return undefined;
  const command = argv.find((word) => COMMANDS.some(({ name }) => name === word));
  if (command === undefined) return undefined;
  return new CarrelError('usage', `${flag} stands before the command`, {
    item: flag,
    next: `flags stand behind it: carrel ${command} ${flag} …`,
  });
}
