/**
 * What `ascp` says in numbers on its management port. The meaning of a number is IBM's; whether trying again may help is
 * decided by the client, here as IBM's own command line decides it.
 */
import { CarrelError, type ErrorCode } from '../../errors.ts';

/** Codes after which the same transfer may succeed. */
const RETRYABLE = new Set([12, 13, 14, 15, 16, 17, 18, 23, 32, 33, 35, 36, 37, 39, 40, 44, 45, 61]);

const NEXT = {
  ports:
    'ask for TCP and UDP port 33001 to the server to be opened; carrel doctor tcia tells what is shut and which HTTPS route there is',
  key: 'give the client key of an Aspera product with --ssh-key; carrel doctor tcia tells where it is looked for',
  licence: 'put IBM’s aspera-license beside ascp, or carrel tcia install-ascp',
  space: 'free some space, or choose another folder; then run the same command again',
  path: 'look at the package again with carrel tcia browse: it may have changed',
  folder: 'choose another folder, or another layout',
  report: 'run the same command again; if it stays so, tell the archive',
  config: 'repair or remove aspera.conf beside ascp',
};

type Next = keyof typeof NEXT;

/** Code → its words, our code, the next step. Codes that are not here are unknown, and final. */
const CODES: Record<number, readonly [string, ErrorCode, Next]> = {
  1: ['the FASP protocol was broken', 'network', 'report'],
  2: ['ascp failed without a reason', 'network', 'report'],
  3: ['the target is ambiguous', 'internal', 'report'],
  4: ['no such file on the server', 'not-found', 'path'],
  5: ['no permission to read or write', 'permission', 'folder'],
  6: ['the target is not a folder', 'unsafe', 'folder'],
  7: ['a folder stands where a file was expected', 'bad-input', 'path'],
  8: ['ascp did not understand its command line', 'unsupported', 'report'],
  9: ['the licence of ascp is used twice', 'unsupported', 'licence'],
  10: ['the rate is more than the licence of ascp allows', 'unsupported', 'licence'],
  11: ['ascp had an internal error', 'network', 'report'],
  12: ['the SSH connection could not be made', 'network', 'ports'],
  13: ['the SSH connection timed out', 'network', 'ports'],
  14: ['the UDP connection could not be made', 'network', 'ports'],
  15: ['the UDP connection timed out', 'network', 'ports'],
  16: ['the connection was lost', 'network', 'report'],
  17: ['feedback could not be sent to the server', 'network', 'ports'],
  18: ['no data came over UDP', 'network', 'ports'],
  19: ['the server refused the sign-in over SSH', 'permission', 'key'],
  20: ['there was nothing to transfer', 'not-found', 'path'],
  21: ['not a regular file', 'bad-input', 'path'],
  22: ['the table of files is full', 'unsupported', 'report'],
  23: ['too many files are open', 'busy', 'report'],
  24: ['the file is too big for the file system', 'no-space', 'folder'],
  25: ['no space is left on the disk', 'no-space', 'space'],
  26: ['the file system is read-only', 'permission', 'folder'],
  27: ['some files failed', 'partial', 'report'],
  28: ['ascp was cancelled', 'network', 'report'],
  29: ['ascp has no licence', 'unsupported', 'licence'],
  30: ['the licence of ascp has expired', 'unsupported', 'licence'],
  31: ['a socket could not be set up', 'network', 'ports'],
  32: ['out of memory', 'busy', 'report'],
  33: ['a thread could not be started', 'busy', 'report'],
  34: ['the server does not accept the token', 'permission', 'report'],
  35: ['the server could not read its disk', 'network', 'report'],
  36: ['the disk could not be written', 'permission', 'folder'],
  37: ['the server refused the authorisation', 'permission', 'report'],
  38: ['the licence of ascp does not permit this', 'unsupported', 'licence'],
  39: ['the server ended the session', 'network', 'report'],
  40: ['the transfer stalled', 'network', 'ports'],
  41: ['the path lies outside of what the server shares', 'permission', 'path'],
  42: ['the file exists already', 'unsafe', 'folder'],
  43: ['the file could not be looked at', 'not-found', 'path'],
  44: ['the UDP session could not be begun', 'network', 'ports'],
  45: ['the bandwidth could not be measured', 'network', 'ports'],
  46: ['a virtual link failed', 'network', 'report'],
  47: ['the HTTP connection could not be made', 'network', 'ports'],
  48: ['a file could not be encrypted or decrypted', 'verification', 'report'],
  49: ['the passphrase of the package is wrong', 'permission', 'report'],
  50: ['aspera.conf cannot be read', 'unsupported', 'config'],
  51: ['the server has another host key than Faspex said', 'unsafe', 'report'],
  52: ['validation refused the file at its start', 'permission', 'report'],
  53: ['validation refused the file at its end', 'permission', 'report'],
  54: ['validation refused the file', 'permission', 'report'],
  55: ['the path is too long for the file system', 'unsafe', 'folder'],
  56: ['the path holds characters that the file system refuses', 'unsafe', 'folder'],
  57: ['a chunk does not fit the storage', 'network', 'report'],
  58: ['validation ended the session', 'permission', 'report'],
  59: ['the storage of the server failed', 'network', 'report'],
  60: ['a script of the server ended the session', 'network', 'report'],
  61: ['the encryption at rest failed, perhaps for now', 'network', 'report'],
  62: ['the encryption at rest failed', 'network', 'report'],
  63: ['the path is a loop of links', 'not-found', 'path'],
  64: ['a partial file could not be renamed', 'permission', 'folder'],
  65: ['the cipher is not allowed here (FIPS)', 'unsupported', 'report'],
  66: ['the server refuses the cipher (FIPS)', 'unsupported', 'report'],
};

/** Codes that are about files of the transfer, not about the session. */
const ABOUT_FILES = new Set([4, 7, 20, 21, 24, 27, 41, 42, 43, 48, 52, 53, 54, 55, 56, 63, 64]);

/** True where other files of the same session may well succeed. */
export function isAboutFiles(code: number): boolean {
  return ABOUT_FILES.has(code);
}

/**
 * A code of the management port as an error; `retryable` as the table has it.
 *
 * @param description what `ascp` said beside the code; secrets were taken out
 * @param item what it concerns: a path, or the host
 */
export function ascpError(code: number, description: string, item: string): CarrelError {
  const [words, kind, next] = CODES[code] ?? [
    'ascp failed with a code that is not known',
    'network',
    'report',
  ];
  const said = description === '' ? `code ${code}` : `code ${code}: ${description}`;
  return new CarrelError(kind, `${item}: ${words} (ascp ${said})`, {
    item,
    next: NEXT[next],
    retryable: isRetryable(code, description),
  });
}

/** A token that expired is replaced by the next attempt; an address that cannot exist stays so. */
function isRetryable(code: number, description: string): boolean {
  if (code === 14 && /target address not available/i.test(description)) return false;
  return RETRYABLE.has(code) || /bearer token|token.{0,20}expired/i.test(description);
}
