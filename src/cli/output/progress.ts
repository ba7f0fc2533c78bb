/**
 * Progress of a transfer: one line redrawn on a terminal, a line every ten seconds elsewhere. All on stderr.
 */
import type { SingleBar } from 'cli-progress';
import { CarrelError } from '../../errors.ts';
import type { TransferEvent } from '../../transfer/index.ts';
import type { Run } from '../command.ts';
import { optimizeLater } from '../optimize-later.ts';
import { textOf } from '../settings.ts';
import { printable } from '../terminal.ts';
import { toJson } from './json.ts';
import { formatBytes, formatCount, formatSeconds, plural } from './text.ts';

/** Takes the engine's events and shows them; `end` clears the line. */
export interface ProgressReporter {
  report: (event: TransferEvent) => void;
  end: () => void;
}

/** Seconds between two lines where stderr is no terminal. */
const LINE_EVERY_SECONDS = 10;

/** The reporter that fits a run: JSON Lines on stdout, a bar on a terminal, lines elsewhere, or silence. */
export async function createProgress(run: Run): Promise<ProgressReporter> {
  const { report, end } = await openReporter(run);
  const tune = optimizeLater();
  return {
    report(event) {
      tune(event);
      report(event);
    },
    end,
  };
}

async function openReporter(run: Run): Promise<ProgressReporter> {
  if (run.json) {
    return {
      report: (event) => void run.terminal.out.write(`${toJson(eventToJson(event))}\n`),
      end: () => {},
    };
  }
  const print = (text: string) => void run.terminal.err.write(`${text}\n`);
  const how = kindOf(run);
  if (how === 'none') return { report: () => {}, end: () => {} };
  if (how === 'json') return { report: (event) => print(toJson(eventToJson(event))), end: () => {} };
  if (how === 'bar') return await createBar(run, print);
  let last = Date.now();
  return {
    report(event) {
      if (event.type === 'progress') {
        if (Date.now() - last < LINE_EVERY_SECONDS * 1000) return;
        last = Date.now();
        print(progressText(event));
      } else {
        const line = eventText(event, run);
        if (line !== undefined) print(line);
      }
    },
    end: () => {},
  };
}

/** What `--progress` asks for; `auto` is a bar where people look at it. */
function kindOf(run: Run): 'bar' | 'lines' | 'json' | 'none' {
  const asked = textOf(run.settings, 'progress');
  if (asked === 'bar' || asked === 'lines' || asked === 'json' || asked === 'none') return asked;
  if (asked !== 'auto') {
    throw new CarrelError('usage', `${asked} is no way to show progress`, {
      item: asked,
      next: 'choose auto, bar, lines, json or none',
    });
  }
  if (run.quiet) return 'none';
  return run.terminal.err.isTTY === true && run.terminal.env['TERM'] !== 'dumb' ? 'bar' : 'lines';
}

async function createBar(run: Run, print: (text: string) => void): Promise<ProgressReporter> {
  const { default: library } = await import('cli-progress');
  let bar: SingleBar | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    report(event) {
      if (event.type === 'progress') {
        const total = event.totalBytes ?? event.totalFiles;
        const done = event.totalBytes === undefined ? event.files : event.bytes;
        if (bar === undefined) {
          bar = new library.SingleBar({
            format: '{bar} {percentage}%  {text}',
            barsize: 24,
            barCompleteChar: '█',
            barIncompleteChar: '░',
            hideCursor: true,
            clearOnComplete: true,
            fps: 10,
            stream: run.terminal.err,
          });
          bar.start(Math.max(total, 1), done, { text: progressText(event) });
        } else bar.update(done, { text: progressText(event) });
      } else {
        const line = eventText(event, run);
        if (line !== undefined) {
          stop();
          print(line);
        }
      }
    },
    end: stop,
  };
}

function progressText(event: Extract<TransferEvent, { type: 'progress' }>): string {
  const of = event.totalBytes === undefined ? '' : ` of ${formatBytes(event.totalBytes)}`;
  const left =
    event.totalBytes !== undefined && event.bytesPerSecond > 0
      ? `, ${formatSeconds(Math.max(0, event.totalBytes - event.bytes) / event.bytesPerSecond)} left`
      : '';
  const from = event.mirror === undefined ? '' : `, from ${printable(event.mirror)}`;
  const again = event.retries === 0 ? '' : `, ${plural(event.retries, 'retry', 'retries')}`;
  return `${formatCount(event.files)} of ${formatCount(event.totalFiles)} files, ${formatBytes(event.bytes)}${of}, ${formatBytes(Math.round(event.bytesPerSecond))}/s${left}${from}${again}`;
}

/** A message with the file that it is about, said once. */
function withPath(path: string, message: string): string {
  return message.startsWith(`${path}:`) ? message : `${path}: ${message}`;
}

/** What people want to read at once; files that went well are not among it. */
function eventText(event: TransferEvent, run: Run): string | undefined {
  switch (event.type) {
    case 'failure':
      return `${run.err.red('failed')} ${printable(withPath(event.path, event.error.message))}`;
    case 'note':
      return `${run.err.dim('note:')} ${printable(event.message)}`;
    case 'retry':
      return event.attempt < 3
        ? undefined
        : `${run.err.dim('retry')} ${printable(event.path)} (${event.mirror}, attempt ${event.attempt}): ${printable(event.reason)}`;
    case 'plan':
    case 'progress':
    case 'file':
      return undefined;
  }
}

/** Errors inside events as the published error object. */
function eventToJson(event: TransferEvent): unknown {
  if (event.type !== 'failure') return event;
  const { error, ...rest } = event;
  return { ...rest, code: error.code, message: error.message, next: error.next ?? null };
}
