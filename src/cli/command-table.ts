/** All commands: name and summary for the help, and how to load each. */
import type { CommandSpec } from './command.ts';

const TABLE = {
  get: {
    summary: 'fetch and verify what is named; write carrel.lock.json',
    load: () => import('./commands/get.ts'),
  },
  update: {
    summary: 'move a fetched folder to another release, fetching only what changed',
    load: () => import('./commands/update.ts'),
  },
  lock: { summary: 'pin a cohort to its bytes without fetching', load: () => import('./commands/lock.ts') },
  search: { summary: 'which series match', load: () => import('./commands/search.ts') },
  sql: { summary: 'read-only SQL over every table', load: () => import('./commands/sql.ts') },
  show: { summary: 'what is this?', load: () => import('./commands/show.ts') },
  history: {
    summary: 'versions of a series, study, patient or collection',
    load: () => import('./commands/history.ts'),
  },
  diff: { summary: 'what changed between two releases', load: () => import('./commands/diff.ts') },
  verify: { summary: 'prove what is on disk', load: () => import('./commands/verify.ts') },
  cite: { summary: 'references to cite', load: () => import('./commands/cite.ts') },
  licenses: { summary: 'licences of what is named', load: () => import('./commands/licenses.ts') },
  open: { summary: 'viewer link', load: () => import('./commands/open.ts') },
  ls: { summary: 'list objects of a bucket or folder', load: () => import('./commands/ls.ts') },
  du: { summary: 'count objects and bytes', load: () => import('./commands/du.ts') },
  head: { summary: 'size, time and every checksum of an object', load: () => import('./commands/head.ts') },
  cat: { summary: 'write objects to stdout', load: () => import('./commands/cat.ts') },
  cp: {
    summary: 'copy objects to files: s3://, gs://, https://, wildcards',
    load: () => import('./commands/cp.ts'),
  },
  sync: {
    summary: 'make a folder hold what a bucket holds: fetch what differs',
    load: () => import('./commands/sync.ts'),
  },
  run: { summary: 'execute an s5cmd run file exactly as written', load: () => import('./commands/run.ts') },
  manifest: { summary: 'convert, check and split manifests', load: () => import('./commands/manifest.ts') },
  tcia: {
    summary: 'The Cancer Imaging Archive: collections, packages, sums',
    load: () => import('./commands/tcia.ts'),
  },
  catalog: { summary: 'install and inspect catalogue tables', load: () => import('./commands/catalog.ts') },
  serve: {
    summary: 'serve a folder of buckets, S3- and GCS-style',
    load: () => import('./commands/serve.ts'),
  },
  demo: {
    summary: 'the whole road on the built-in sample archive',
    load: () => import('./commands/demo.ts'),
  },
  doctor: {
    summary: 'what works on this machine and what does not',
    load: () => import('./commands/doctor.ts'),
  },
  config: { summary: 'settings and where they come from', load: () => import('./commands/config.ts') },
  completion: { summary: 'completion script for a shell', load: () => import('./commands/completion.ts') },
} as const satisfies Record<string, { summary: string; load: () => Promise<{ spec: CommandSpec }> }>;

/** Name of a command. */
export type CommandName = keyof typeof TABLE;

/** Names and summaries, in the order of the help. */
export const COMMANDS: readonly { name: CommandName; summary: string }[] = (
  Object.keys(TABLE) as CommandName[]
).map((name) => ({ name, summary: TABLE[name].summary }));

/** Loads one command's module. */
export async function loadCommand(name: CommandName): Promise<CommandSpec> {
  return (await TABLE[name].load()).spec;
}
