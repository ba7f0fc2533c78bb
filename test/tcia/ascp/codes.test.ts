import { describe, expect, test } from 'vitest';
import { ascpError } from '../../../src/tcia/ascp/codes.ts';

describe('codes of ascp', () => {
  test('those that may pass are retryable, and no others', () => {
    const retryable = Array.from({ length: 80 }, (_, code) => code).filter(
      (code) => ascpError(code, '', 'host').retryable,
    );
    expect(retryable).toEqual([12, 13, 14, 15, 16, 17, 18, 23, 32, 33, 35, 36, 37, 39, 40, 44, 45, 61]);
  });

  test('an address that cannot exist does not pass; a token that expired is replaced', () => {
    expect(ascpError(14, 'Target address not available', 'host').retryable).toBe(false);
    expect(ascpError(34, 'bearer token expired', 'host').retryable).toBe(true);
    expect(ascpError(34, 'not for you', 'host').retryable).toBe(false);
  });

  test('say what is wrong, with what, and what to do', () => {
    expect(ascpError(15, '', '144.30.235.113')).toMatchObject({
      code: 'network',
      message: '144.30.235.113: the UDP connection timed out (ascp code 15)',
      next: expect.stringContaining('33001') as string,
    });
    expect(ascpError(25, 'No space left', 'a b.svs')).toMatchObject({
      code: 'no-space',
      message: 'a b.svs: no space is left on the disk (ascp code 25: No space left)',
    });
    expect(ascpError(29, '', 'host').next).toContain('aspera-license');
    expect(ascpError(99, '', 'host').message).toContain('code that is not known');
  });
});
