/**
 * What was issued, as a file on disk: whoever moves bytes in a test (a fake `ascp`, a gateway) looks there whether a token
 * is good, for which sources, and where their bytes lie.
 *
 * ```json
 * {"tokens": {"ATM2_…": {"sources": {"/T - u.aspera-package/PKG - T/a b.xml": "/tmp/x/a b.xml", "…/lost": null},
 *                        "cookie": "aspera.faspex20:…", "expires": 1700000000000}}}
 * ```
 *
 * A source is a file or a folder; `null`: authorised, and not there when the transfer looks. `expires` in milliseconds.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** What one token opens. */
export interface IssuedToken {
  sources: Record<string, string | null>;
  cookie: string;
  expires: number;
}

/** The whole file. */
export interface IssuedTokens {
  tokens: Record<string, IssuedToken>;
}

/** Reads the file. */
export function readIssued(path: string): IssuedTokens {
  return JSON.parse(readFileSync(path, 'utf8')) as IssuedTokens;
}

/** Keeps what was issued; written anew, and at once, each time. */
export function createRegistry(path: string | undefined): {
  issued: IssuedTokens;
  readonly add: (token: string, what: IssuedToken) => void;
} {
  const issued: IssuedTokens = { tokens: {} };
  const save = (): void => {
    if (path === undefined) return;
    writeFileSync(`${path}.new`, JSON.stringify(issued));
    renameSync(`${path}.new`, path);
  };
  save();
  return {
    issued,
    add(token, what) {
      issued.tokens[token] = what;
      save();
    },
  };
}
