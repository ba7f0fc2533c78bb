import { describe, expect, test } from 'vitest';
import { ascpCommand, pairListText } from '../../../src/tcia/ascp/command-line.ts';
import type { TransferSpec } from '../../../src/tcia/index.ts';

const SPEC: TransferSpec = {
  direction: 'receive',
  authentication: 'token',
  remote_host: '144.30.235.113',
  remote_user: 'xfer-5_a.b',
  ssh_port: 33001,
  fasp_port: 33001,
  cipher: 'aes-128',
  token: 'ATM2_secret==',
  cookie: 'aspera.faspex20:secret',
  paths: [{ source: '/T - u.aspera-package/PKG - T/dir/a b.xml' }],
  tags: { aspera: { faspex: { package_id: 762 } } },
  target_rate_kbps: 100_000,
  min_rate_kbps: 0,
  rate_policy: 'fair',
};

const REST = {
  keyFile: '/k/key',
  pairListFile: '/t/pairs',
  destination: '/data/größe',
  managementPort: 4711,
};

function command(change: Partial<TransferSpec> = {}, rest: object = {}) {
  return ascpCommand({ spec: { ...SPEC, ...change }, ...REST, ...rest });
}

function refusal(change: Record<string, unknown>, rest: object = {}): unknown {
  try {
    return command(change, rest);
  } catch (error) {
    return error;
  }
}

describe('a transfer spec as a command line', () => {
  test('of TCIA: secrets in the environment, everything else in this order', () => {
    const { argv, ...rest } = command();
    expect(argv.join(' ')).toBe(
      '-M 4711 -q -i /k/key -c aes128 -d --mode=recv -O 33001 -y 0 ' +
        '--policy=fair --host=144.30.235.113 --user=xfer-5_a.b -k 2 -P 33001 ' +
        '--tags64=eyJhc3BlcmEiOnsiZmFzcGV4Ijp7InBhY2thZ2VfaWQiOjc2Mn19fQ== ' +
        '-l 100000 -m 0 --dest64 --file-pair-list=/t/pairs L2RhdGEvZ3LDtsOfZQ==',
    );
    expect(rest).toEqual({
      env: {
        ASPERA_SCP_TOKEN: 'ATM2_secret==',
        ASPERA_SCP_COOKIE: 'aspera.faspex20:secret',
        ASPERA_TEST_REDIS_DISABLE: 'true',
      },
      secrets: ['ATM2_secret==', 'aspera.faspex20:secret'],
    });
  });

  test('over WebSocket: no key, no UDP port, no fingerprint', () => {
    const { argv } = command(
      { wss_enabled: true, wss_port: 443, sshfp: 'abcdefghij' },
      { caFile: '/ca.pem' },
    );
    expect(argv).toEqual(expect.arrayContaining(['--ws-connect', '-i', '/ca.pem', '-P', '443']));
    expect(argv).not.toContain('-O');
    expect(argv.join(' ')).not.toContain('sshfp');
    expect(command({ wss_enabled: true, wss_port: 443 }, { keyFile: undefined }).argv).not.toContain('-i');
  });

  test('source root, fingerprint, content protection, a lower rate', () => {
    const { argv, env, secrets } = command(
      { source_root: '/a b', sshfp: 'AbCdEf0123', content_protection: 'decrypt' },
      { passphrase: 'pass', maxRateKbps: 8000 },
    );
    expect(argv).toEqual(
      expect.arrayContaining([
        '--source-prefix64=L2EgYg==',
        '--check-sshfp=AbCdEf0123',
        '--file-crypt=decrypt',
      ]),
    );
    expect(argv.slice(argv.indexOf('-l'), argv.indexOf('-l') + 4)).toEqual(['-l', '8000', '-m', '0']);
    expect(env['ASPERA_SCP_FILEPASS']).toBe('pass');
    expect(secrets).toContain('pass');
  });

  test('a spec with the least that is needed', () => {
    const spec: TransferSpec = {
      direction: 'receive',
      remote_host: 'h',
      remote_user: 'u',
      token: 't',
      paths: [],
    };
    expect(ascpCommand({ spec, ...REST }).argv.join(' ')).toBe(
      '-M 4711 -q -i /k/key -d --mode=recv -O 33001 -y 0 --host=h --user=u -k 2 -P 33001 --dest64 --file-pair-list=/t/pairs L2RhdGEvZ3LDtsOfZQ==',
    );
  });

  test('tags that repeat the token are left out', () => {
    expect(command({ tags: { again: SPEC.token } }).argv.join(' ')).not.toContain('--tags64');
  });

  test.each([
    ['an upload', { direction: 'send' }],
    ['a host that is an option', { remote_host: '-oProxyCommand=x' }],
    ['a host with a blank', { remote_host: 'a b' }],
    ['a user with a line break', { remote_user: 'a\nb' }],
    ['a port that is none', { ssh_port: 0 }],
    ['a port that is text', { fasp_port: '-1 --evil' }],
    ['a cipher that is none', { cipher: '--evil' }],
    ['a policy that is none', { rate_policy: 'evil' }],
    ['a rate that is text', { target_rate_kbps: '1 -x' }],
    ['no token', { token: '' }],
    ['a fingerprint with blanks', { sshfp: 'a b c d e f g' }],
  ])('%s is refused', (_, change) => {
    expect(refusal(change)).toMatchObject({ code: 'bad-input' });
  });

  test('a key and a passphrase are asked for where they are needed', () => {
    expect(refusal({}, { keyFile: undefined })).toMatchObject({ code: 'permission' });
    expect(refusal({ content_protection: 'decrypt' })).toMatchObject({ code: 'permission' });
  });
});

describe('the pair list', () => {
  test('has source and place in turn', () => {
    const pairs = [
      { source: '/r/a b', local: 'a b' },
      { source: '/r/ü', local: 'x/ü' },
    ];
    expect(pairListText(pairs)).toBe('/r/a b\na b\n/r/ü\nx/ü\n');
  });

  test('cannot hold line breaks', () => {
    for (const source of ['a\nb', 'a\rb', 'a\0b'])
      expect(() => pairListText([{ source, local: 'x' }])).toThrow('line break');
  });
});
