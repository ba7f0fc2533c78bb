import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCarrelError } from '../../src/errors.ts';
import { readManifest } from '../../src/manifests/index.ts';

const uuid = fc.uuid();
const lineOf = fc.oneof(
  uuid.map((id) => `cp s3://idc-open-data/${id}/* .`),
  uuid.map((id) => `s3://idc-open-data/${id}/${id}.dcm`),
  uuid,
  uuid.map((id) => `dg.4DFC/${id}`),
  fc.constantFrom(
    '1.2.3',
    'rm s3://b/k',
    'cp "s3://b/k',
    'free text here',
    '',
    '  ',
    '# a comment',
    'nlst',
    'cp x y z',
    '-',
    '../x',
  ),
  fc.string({ maxLength: 30 }).filter((text) => !/[\r\n\0]/.test(text)),
);

test('every line that is not blank or a comment is an entry, a problem, a title or a repetition', () => {
  fc.assert(
    fc.property(fc.array(lineOf, { minLength: 1, maxLength: 30 }), (lines) => {
      let manifest: ReturnType<typeof readManifest>;
      try {
        manifest = readManifest(`cp s3://b/k.dcm .\n${lines.join('\n')}\n`, { origin: 'x', format: 's5cmd' });
      } catch (error) {
        expect(isCarrelError(error)).toBe(true);
        return;
      }
      const said = new Set([...manifest.entries, ...manifest.problems].map(({ line }) => line));
      const silent = lines.flatMap((line, index) =>
        line.trim() === '' || line.trim().startsWith('#') || said.has(index + 2) ? [] : [index + 2],
      );
      const counted = /(\d+) lines? repeats? /.exec(
        manifest.notes.find((note) => / repeats? /.test(note)) ?? '0 line repeat ',
      );
      expect(silent.length).toBeLessThanOrEqual(Number(counted?.[1] ?? 0));
    }),
    { numRuns: 500 },
  );
});

test('no text makes anything but an answer or an error with a code', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 300, unit: 'binary' }),
        fc.array(lineOf).map((lines) => lines.join('\n')),
        fc.json(),
        fc
          .array(fc.array(lineOf, { maxLength: 4 }).map((cells) => cells.join(',')))
          .map((rows) => ['crdc_series_uuid,SeriesInstanceUID,gcs_url', ...rows].join('\n')),
      ),
      (text) => {
        try {
          const manifest = readManifest(text, { origin: 'x' });
          expect(manifest.entries.length + manifest.problems.length).toBeGreaterThan(0);
        } catch (error) {
          if (!isCarrelError(error)) throw error;
          expect(['bad-input', 'unsupported', 'unsafe']).toContain(error.code);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('bytes of any kind do the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readManifest(bytes, { origin: 'x' });
      } catch (error) {
        if (!isCarrelError(error)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
