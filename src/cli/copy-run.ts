/** What `cp`, `sync` and `run` do once their plan is made: print it, carry it out, and say how it ended. */
import { type CopyPlan, type Problem, runCopies } from '../copies/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import { quoteWord } from '../manifests/index.ts';
import { resultUntil, type TransferEvent, type TransferResult } from '../transfer/index.ts';
import type { Run } from './command.ts';
import type { Desk } from './desk.ts';
import { type ExitCode, exitCodeOf } from './exit-codes.ts';
import { errorToJson, toJson } from './output/json.ts';
import { createProgress } from './output/progress.ts';
import { formatBytes, formatCount, formatSeconds, plural } from './output/text.ts';
import { runAgain } from './run-again.ts';
import { printable, shortPath, write } from './terminal.ts';

/** How a plan is carried out and told. */
export interface CarryOutOptions {
  operation: 'cp' | 'sync' | 'run';
  dryRun: boolean;
  verbose: boolean;
  keepState: boolean;
  jobs: number | 'auto';
  verify: 'full' | 'size' | 'none';
  bandwidth: number | undefined;
  /** What is done after every file is in place; its number goes into the summary. */
  afterwards?: (() => Promise<number>) | undefined;
}

/** Carries a plan out and answers with the exit code. */
export async function carryOut(
  run: Run,
  plan: CopyPlan,
  desk: Desk,
  options: CarryOutOptions,
): Promise<ExitCode> {
  await printProblems(run, plan.problems);
  for (const message of run.quiet ? [] : plan.notes) {
    if (run.json) await write(run.terminal.out, `${toJson({ type: 'note', message })}\n`);
    else await write(run.terminal.err, `${run.err.dim('note:')} ${printable(message)}\n`);
  }
  if (options.dryRun) return await printDryRun(run, plan, options);
  // Nothing to do and the reasons are said: a summary would only repeat that nothing was done.
  if (plan.files + plan.skipped.length === 0 && plan.problems.length > 0 && !run.json)
    return exitOfPlan(plan);
  const progress = await createProgress(run);
  const asked = desk.pool.stats.requests;
  const say = (text: string) => void run.terminal[run.json ? 'out' : 'err'].write(`${text}\n`);
  const lines = options.verbose && !run.json;
  try {
    const result = await runCopies(plan, {
      openStore: desk.openStore,
      jobs: options.jobs,
      verify: options.verify,
      bandwidth: options.bandwidth,
      signal: run.signal,
      keepState: options.keepState,
      onEvent(event) {
        if (!run.json) progress.report(event);
        else if (event.type === 'progress' || event.type === 'retry' || event.type === 'note')
          say(toJson(event));
      },
      onCopy(copy, event) {
        const destination = shortPath(run.terminal.cwd, copy.destination);
        if (run.json) say(toJson(copyToJson(options.operation, copy.url, destination, event)));
        else if (lines && event.type === 'file' && event.how !== 'present')
          run.terminal.out.write(
            `cp ${quoteWord(printable(copy.url))} ${quoteWord(printable(destination))}\n`,
          );
      },
      onWait: (directory) => {
        if (!run.quiet)
          say(
            run.json
              ? toJson({ type: 'note', message: `waiting for another run in ${directory}` })
              : `${run.err.dim('note:')} another run works in ${printable(directory)}: waiting for it`,
          );
      },
    }).finally(progress.end);
    const removed =
      result.failed.length === 0 && plan.problems.length === 0 ? await options.afterwards?.() : undefined;
    // Threads that fetch have connections of their own, which the pool of this one does not count.
    const requests = asked + Math.max(result.requests, desk.pool.stats.requests - asked);
    return await printSummary(run, plan, result, options, requests, removed);
  } catch (error) {
    if (!isCarrelError(error, 'interrupted')) throw error;
    const done = resultUntil(error);
    throw new CarrelError(
      'interrupted',
      `interrupted: ${formatCount((done?.fetched ?? 0) + (done?.present ?? 0))} of ${plural(plan.files, 'file')} are in place`,
      { next: runAgain(run.argv) },
    );
  }
}

function copyToJson(
  operation: string,
  source: string,
  destination: string,
  event: Extract<TransferEvent, { type: 'file' | 'failure' }>,
): Record<string, unknown> {
  if (event.type === 'failure') {
    const { code, message, next } = event.error;
    return {
      type: 'failure',
      operation,
      success: false,
      source,
      destination,
      code,
      message,
      next: next ?? null,
    };
  }
  const { bytes, digest, verifiedBy, how, mirror, attempts, milliseconds } = event;
  return {
    type: 'file',
    operation,
    success: true,
    source,
    destination,
    bytes,
    digest,
    verifiedBy,
    how,
    mirror,
    attempts,
    milliseconds,
  };
}

/** Everything that was asked for and cannot be had, each with where it was asked. */
export async function printProblems(run: Run, problems: readonly Problem[]): Promise<void> {
  for (const { item, origin, error } of problems) {
    if (run.json) {
      await write(run.terminal.err, `${toJson({ ...errorToJson(error), item, origin: origin ?? null })}\n`);
      continue;
    }
    const where = origin === undefined ? '' : `${origin}: `;
    await write(run.terminal.err, `${run.err.red('error:')} ${printable(`${where}${error.message}`)}\n`);
    if (error.next !== undefined && problems.length <= 20)
      await write(run.terminal.err, `${run.err.dim('next:')} ${printable(error.next)}\n`);
  }
}

async function printDryRun(run: Run, plan: CopyPlan, { operation }: CarryOutOptions): Promise<ExitCode> {
  for (const { copies } of plan.groups)
    for (const { url, destination, file } of copies) {
      const to = shortPath(run.terminal.cwd, destination);
      await write(
        run.terminal.out,
        run.json
          ? `${toJson({ type: 'planned', operation, source: url, destination: to, bytes: file.size ?? null, digests: file.digests })}\n`
          : `cp ${quoteWord(printable(url))} ${quoteWord(printable(to))}\n`,
      );
    }
  const exit = exitOfPlan(plan);
  if (run.json)
    await write(
      run.terminal.out,
      `${toJson({ type: 'summary', operation, dryRun: true, planned: plan.files, bytes: plan.bytes ?? null, skipped: plan.skipped.length, problems: plan.problems.length, exit })}\n`,
    );
  else if (!run.quiet)
    await write(
      run.terminal.err,
      `dry run: ${plural(plan.files, 'file')}, ${formatBytes(plan.bytes)} would be copied${skippedText(plan)}\n`,
    );
  return exit;
}

function skippedText({ skipped }: CopyPlan): string {
  const [first] = skipped;
  return first === undefined ? '' : `, ${formatCount(skipped.length)} left alone (${first.reason})`;
}

/** 0 where nothing is amiss; 3 where something is left to do; the first problem's own code where nothing is. */
function exitOfPlan({ problems, files, skipped }: CopyPlan): ExitCode {
  const [first] = problems;
  if (first === undefined) return 0;
  return files + skipped.length > 0 ? 3 : exitCodeOf(first.error.code);
}

async function printSummary(
  run: Run,
  plan: CopyPlan,
  result: TransferResult,
  { operation }: CarryOutOptions,
  requests: number,
  removed: number | undefined,
): Promise<ExitCode> {
  const exit = exitOf(plan, result);
  const { fetched, present, reused, failed, bytesFetched, bytesPresent, verifiedBy, milliseconds } = result;
  if (run.json) {
    const summary = {
      planned: plan.files,
      fetched,
      present,
      reused,
      failed: failed.length,
      skipped: plan.skipped.length,
      problems: plan.problems.length,
      ...(removed !== undefined && { removed }),
      bytesFetched,
      bytesPresent,
      verifiedBy,
      requests,
      milliseconds,
      exit,
    };
    await write(run.terminal.out, `${toJson({ type: 'summary', operation, ...summary })}\n`);
    return exit;
  }
  if (run.quiet && exit === 0) return exit;
  const evidence = Object.entries(verifiedBy).map(([kind, count]) =>
    kind === 'none'
      ? `${formatCount(count)} not verified`
      : `${formatCount(count)} by ${kind === 'size' ? 'size only' : kind.toUpperCase()}`,
  );
  const parts = [
    `${formatCount(fetched)} fetched (${formatBytes(bytesFetched)} in ${formatSeconds(milliseconds / 1000)})`,
    ...(present > 0 ? [`${formatCount(present)} already here`] : []),
    ...(plan.skipped.length > 0 ? [skippedText(plan).slice(2)] : []),
    ...(removed !== undefined && removed > 0 ? [`${formatCount(removed)} removed`] : []),
    ...(failed.length + plan.problems.length > 0
      ? [`${formatCount(failed.length + plan.problems.length)} failed`]
      : []),
    ...(evidence.length > 0 ? [`verified: ${evidence.join(', ')}`] : []),
    plural(requests, 'request'),
  ];
  // stdout is for data: with `-v` the lines of the files, otherwise nothing that a script would have to skip.
  await write(
    run.terminal.err,
    `${exit === 0 ? run.err.green('complete') : run.err.red('incomplete')}: ${parts.join(', ')}\n`,
  );
  return exit;
}

function exitOf(plan: CopyPlan, result: TransferResult): ExitCode {
  const [first] = result.failed;
  if (first === undefined) return exitOfPlan(plan);
  if (plan.problems.length === 0 && result.failed.every(({ error }) => error.code === 'verification'))
    return 5;
  return result.fetched + result.present + result.reused > 0 ? 3 : exitCodeOf(first.error.code);
}
