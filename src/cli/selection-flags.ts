/** The selection flags: the same on every command that takes a selection. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Selection, SortKey, SplitPart } from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';
import { collect } from './command.ts';

/** Adds all selection flags to a command. */
export function addSelectionFlags(command: Command): Command {
  const repeatable = (flag: string, help: string) =>
    command.addOption(new Option(flag, help).argParser(collect));
  repeatable('--collection <id>', 'collection (repeat for alternatives)');
  repeatable('--analysis-result <id>', 'analysis result');
  repeatable('--patient <id>', 'PatientID');
  repeatable('--study <uid>', 'StudyInstanceUID');
  repeatable('--series <uid>', 'SeriesInstanceUID or crdc_series_uuid');
  repeatable('--modality <code>', 'CT, MR, SEG, SM, …');
  repeatable('--body-part <name>', 'BodyPartExamined');
  repeatable('--license <name>', 'licence by its short name, or "commercial"');
  repeatable('--manufacturer <name>', 'Manufacturer');
  repeatable('--where <condition>', 'SQL condition on the columns of index (all must hold)');
  return command
    .addOption(
      new Option('--sql <select>', 'SELECT that names series by crdc_series_uuid or SeriesInstanceUID'),
    )
    .addOption(
      new Option('--analysis-results <how>', 'include, exclude or only').choices([
        'include',
        'exclude',
        'only',
      ]),
    )
    .addOption(new Option('--exclude-analysis-results', 'original data only'))
    .addOption(new Option('--release <release>', 'a release such as v24 (default: the newest installed)'))
    .addOption(new Option('--limit <n>', 'at most n series').argParser(count))
    .addOption(
      new Option('--sample <n>', 'n patients drawn at random, the same on every machine').argParser(count),
    )
    .addOption(
      new Option('--sample-by <unit>', 'what --sample draws: patient (default) or series').choices([
        'patient',
        'series',
      ]),
    )
    .addOption(new Option('--seed <s>', 'seed of --sample and --split (default: 0)').argParser(count))
    .addOption(
      new Option(
        '--split <parts>',
        'a column "split" by patient, such as train=0.8,val=0.1,test=0.1; no patient ever changes its part',
      ).argParser(splitParts),
    )
    .addOption(
      new Option('--order <column>', 'sort by a column, or column:desc (repeatable)').argParser(sortKeys),
    )
    .addOption(new Option('--strict', 'an unknown value is an error (exit 4)'));
}

/** The selection that the flags of a command say. */
export function selectionOf(flags: Record<string, unknown>): Selection {
  const selection: Selection = {};
  const lists = {
    collection: 'collection',
    analysisResult: 'analysisResult',
    patient: 'patient',
    study: 'study',
    modality: 'modality',
    bodyPart: 'bodyPart',
    license: 'license',
    manufacturer: 'manufacturer',
    where: 'where',
  } as const;
  for (const [flag, field] of Object.entries(lists)) {
    const values = flags[flag];
    if (Array.isArray(values) && values.length > 0) selection[field] = values as string[];
  }
  for (const value of (flags['series'] as string[] | undefined) ?? []) {
    // Both name series; which one it is can be seen from its form.
    if (/^[0-9a-f]{8}-/i.test(value))
      selection.crdcSeriesUuid = [...(selection.crdcSeriesUuid ?? []), value.toLowerCase()];
    else selection.series = [...(selection.series ?? []), value];
  }
  if (typeof flags['sql'] === 'string') selection.sql = flags['sql'];
  if (flags['excludeAnalysisResults'] === true) {
    if ((flags['analysisResults'] ?? 'exclude') !== 'exclude')
      throw new CarrelError(
        'usage',
        `--exclude-analysis-results and --analysis-results ${String(flags['analysisResults'])} contradict each other`,
        { next: 'leave one of them out' },
      );
    selection.analysisResults = 'exclude';
  }
  if (typeof flags['analysisResults'] === 'string')
    selection.analysisResults = flags['analysisResults'] as 'include' | 'exclude' | 'only';
  if (typeof flags['release'] === 'string') selection.release = flags['release'];
  for (const field of ['limit', 'sample', 'seed'] as const) {
    if (typeof flags[field] === 'number') selection[field] = flags[field];
  }
  if (typeof flags['sampleBy'] === 'string') selection.sampleBy = flags['sampleBy'] as 'patient' | 'series';
  if (Array.isArray(flags['split'])) selection.split = flags['split'] as SplitPart[];
  if (Array.isArray(flags['order'])) selection.order = flags['order'] as SortKey[];
  return selection;
}

/** Fields that leave nothing out by themselves. */
const NOT_NARROWING = new Set(['release', 'seed', 'sampleBy', 'order', 'split']);

/** True where at least one flag narrows anything down (`--release` or an order alone does not). */
export function isNarrowed(selection: Selection): boolean {
  return Object.keys(selection).some((key) => !NOT_NARROWING.has(key));
}

/** `train=0.8,val=0.1,test=0.1`. The catalogue checks names and sum. */
export function splitParts(text: string): SplitPart[] {
  return text.split(',').map((part) => {
    const [, name, share] = /^\s*([^=\s]+)\s*=\s*(\d*\.?\d+)\s*$/.exec(part) ?? [];
    if (name === undefined || share === undefined)
      throw new InvalidArgumentError('It looks like train=0.8,val=0.1,test=0.1.');
    return { name, share: Number(share) };
  });
}

/** `bytes:desc`; several are separated by commas, or the flag is repeated. */
export function sortKeys(text: string, previous: unknown): SortKey[] {
  const keys = text.split(',').map((part): SortKey => {
    const [, column, direction] = /^\s*([^:\s]+)(?::(asc|desc))?\s*$/i.exec(part) ?? [];
    if (column === undefined) throw new InvalidArgumentError('It looks like instanceCount or bytes:desc.');
    return direction?.toLowerCase() === 'desc' ? { column, descending: true } : { column };
  });
  return [...(Array.isArray(previous) ? (previous as SortKey[]) : []), ...keys];
}

/** A whole number from 0. */
export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
