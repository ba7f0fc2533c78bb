import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { licenseTerms } from '../../src/catalog/index.ts';
import { enforceLicensePolicy } from '../../src/cohort/index.ts';
import { openSampleDesk, type SampleDesk } from './run-main.ts';

let desk: SampleDesk;
beforeAll(async () => {
  desk = await openSampleDesk();
});
afterAll(async () => {
  await desk.remove();
});
const run = (...args: string[]) => desk.run(args);

describe('carrel cite', () => {
  test('prints one reference per data set without markup, the archive’s own last, without a network', async () => {
    const { code, stdout } = await run('cite', 'sample_brain');
    const [first, ...others] = stdout.split('\n\n');
    expect([code, first]).toEqual([
      0,
      "Carrel, A., Müller, J., & D'Angelo, P. (2024). Synthetic multi-sequence MR of the head (Version 1) [Data set]. Carrel sample archive. https://doi.org/10.5072/SAMPLE.BRAIN",
    ]);
    expect(others).toHaveLength(1);
    expect((await run('cite', 'sample_brain', '--format', 'apa')).stdout).toBe(stdout);
  });

  test.each([
    [
      'bibtex',
      /^@misc\{10_5072_sample_brain,\n {2}author = \{Carrel, A\. and Müller, J\. and D'Angelo, P\.\},\n {2}title = .+\n {2}year = \{2024\},\n {2}version = \{1\},\n {2}publisher = \{Carrel sample archive\},/,
    ],
    ['csl-json', /^\[\n {2}\{\n {4}"id": "10_5072_sample_brain"/],
    [
      'ris',
      /^TY {2}- DATA\nID {2}- 10_5072_sample_brain\nAU {2}- Carrel, A\.\nAU {2}- Müller, J\.\nAU {2}- D'Angelo, P\.\nTI {2}- Synthetic multi-sequence MR of the head\nPY {2}- 2024\nPB {2}- Carrel sample archive\nDO {2}- 10\.5072\/sample\.brain\nUR {2}- .+\nN1 {2}- .+\nER {2}-/,
    ],
  ])('as %s, to stdout and to a file', async (format, expected) => {
    const { stdout } = await run('cite', 'sample_brain', '--format', format);
    expect(stdout).toMatch(expected);
    expect((await run('cite', 'sample_brain', '--format', format, '-o', `r.${format}`)).stdout).toBe('');
    expect(await readFile(join(desk.folder, `r.${format}`), 'utf8')).toBe(stdout);
  });

  test('--online asks the resolver that CARREL_DOI_RESOLVER names', async () => {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(`${request.url} ${request.headers.accept}`);
      const known = request.url === '/10.5072/sample.brain';
      response.writeHead(known ? 200 : 404).end(known ? '@data{online}' : '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const env = { CARREL_DOI_RESOLVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
      const args = ['cite', 'sample_brain', '--format', 'bibtex', '--online'];
      const { code, stdout, stderr } = await desk.run(args, { env });
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^@data\{online\}\n\n@misc\{/)]);
      expect(stderr).toContain('the resolver does not know this DOI; the text of the tables stands');
      expect(paths).toContain('/10.5072/sample.brain application/x-bibtex');
      const document = JSON.parse((await desk.run([...args, '--json'], { env })).stdout) as {
        citations: unknown[];
      };
      expect(document.citations[0]).toMatchObject({ entry: '@data{online}', entryFrom: 'cache' });
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('of nothing is exit 4, of an unknown format exit 2', async () => {
    expect((await run('cite', '--collection', 'sample_pet', '--modality', 'SM')).code).toBe(4);
    expect((await run('cite', 'sample_pet', '--format', 'mla')).code).toBe(2);
  });
});

describe('carrel licenses', () => {
  test('gives series, files, bytes, and why commercial use is allowed or not', async () => {
    const { code, stdout } = await run('licenses', '--collection', 'sample_pet', '--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      {
        release: 'v3',
        licenses: [
          {
            license: 'CC BY 3.0',
            commercial: true,
            why: 'BY: any use, with attribution',
            series: 12,
            instances: 432,
          },
          {
            license: 'CC BY-NC 4.0',
            commercial: false,
            why: 'NC: no commercial use',
            series: 3,
            instances: 3,
          },
        ],
      },
    ]);
    expect((await run('licenses', 'sample_pet', '-q')).stdout).toMatch(
      /CC BY-NC 4\.0 +no \(NC: no commercial use\) +1 +3 +3 /,
    );
  });

  test.each(['CC BY 4.0', 'CC BY-SA 4.0', 'CC BY-ND 4.0', 'CC0', 'CC BY-NC 3.0', 'Terms of our own', ''])(
    'the policy of get decides on %j as this does',
    (license) => {
      const gate = () => {
        enforceLicensePolicy('commercial', [{ license, series: 1, bytes: 1 }]);
        return true;
      };
      const { commercial, why } = licenseTerms(license);
      expect(why).not.toBe('');
      if (commercial) expect(gate()).toBe(true);
      else expect(gate).toThrow(expect.objectContaining({ code: 'license' }));
    },
  );

  test('get refuses what licenses says is not for commercial use, with exit 6', async () => {
    const { code } = await run(
      'get',
      'sample_phantom',
      '--license-policy',
      'commercial',
      '--from',
      'disk',
      '-o',
      'data',
    );
    const { stdout } = await run('licenses', 'sample_phantom', '--json');
    const { licenses } = JSON.parse(stdout) as { licenses: { commercial: boolean }[] };
    expect([code, licenses.every(({ commercial }) => commercial)]).toEqual([6, false]);
  });
});
