/** Runs GoogleSQL on DuckDB: sqlglot, which knows both dialects, says the one in the other. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A statement in DuckDB's dialect. */
export interface Translated {
  /** `SELECT`, `INSERT`, `SCRIPT`, … */
  kind: string;
  sql: string;
}

/** Translates statements, one at a time. */
export interface Translator {
  translate(sql: string): Promise<Translated>;
  close(): void;
}

/** The Python that has sqlglot: that of scripts/fetch-test-tools.sh, or the one on the path. A reason where there is none. */
export function pythonWithSqlglot(): { python?: string; reason: string } {
  const tools = process.env['CARREL_TEST_TOOLS'] ?? join(homedir(), '.cache', 'carrel-test-tools', 'bin');
  for (const python of [join(tools, 'sqlglot-python'), 'python3']) {
    if (python.startsWith('/') && !existsSync(python)) continue;
    try {
      execFileSync(python, ['-c', 'import sqlglot'], { stdio: 'ignore' });
      return { python, reason: '' };
    } catch {
      // The next one may have it.
    }
  }
  return { reason: 'no Python with sqlglot: scripts/fetch-test-tools.sh sqlglot' };
}

/** Starts a translator; `close` ends its process. */
export function startTranslator(python: string): Translator {
  const child: ChildProcess = spawn(python, [fileURLToPath(new URL('./to-duckdb.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: ((line: string) => void)[] = [];
  if (child.stdout === null || child.stdin === null) throw new Error('no pipes');
  const { stdin } = child;
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  return {
    async translate(sql) {
      const line = await new Promise<string>((resolve) => {
        waiting.push(resolve);
        stdin.write(`${JSON.stringify(sql)}\n`);
      });
      const answer = JSON.parse(line) as Translated & { error?: string };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    },
    close: () => {
      child.kill();
    },
  };
}
