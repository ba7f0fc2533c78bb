import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type SeriesFact, sampleFacts } from '../../src/sample/index.ts';
import { objectKeys, sampleMadeOnce } from './made-once.ts';

const run = promisify(execFile);
const { root } = sampleMadeOnce(0);
const facts = sampleFacts({ scale: 0 });
const MODALITIES = ['CT', 'MR', 'PT', 'SEG', 'RTSTRUCT', 'SR', 'SM'];

/** True where the program is installed. */
async function isInstalled(program: string): Promise<boolean> {
  return run('which', [program]).then(
    () => true,
    () => false,
  );
}

const tools = {
  dciodvfy: await isInstalled('dciodvfy'),
  dcmdump: await isInstalled('dcmdump'),
  dcmftest: await isInstalled('dcmftest'),
};

/** The current version of a series. */
function current(fact: SeriesFact | undefined): { uuid: string; instances: ReadonlyMap<string, string> } {
  const version = fact?.versions.find(({ to }) => to === 3);
  if (fact === undefined || version === undefined) throw new Error('no such series');
  return version;
}

function seriesOf(modality: string, patientId?: string): SeriesFact | undefined {
  return facts.series.find(
    (fact) =>
      fact.modality === modality &&
      fact.versions.some(({ to }) => to === 3) &&
      (patientId === undefined || fact.patientId === patientId),
  );
}

/** Paths of all files of the current version. */
function filesOf(fact: SeriesFact | undefined): string[] {
  const { uuid, instances } = current(fact);
  return [...instances.values()].map((instance) =>
    path.join(root(), 'buckets', fact?.bucket ?? '', uuid, `${instance}.dcm`),
  );
}

/** A parsed file by DICOM keyword. */
async function read(file: string): Promise<Record<string, never>> {
  const { DicomMessage, DicomMetaDictionary } = createRequire(import.meta.url)('dcmjs').data;
  const bytes = await readFile(file);
  const { dict } = DicomMessage.readFile(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  );
  return DicomMetaDictionary.naturalizeDataset(dict);
}

describe.skipIf(!tools.dciodvfy)('dciodvfy (skipped where dicom3tools is not installed)', () => {
  test.each(MODALITIES)('finds no error in %s files', async (modality) => {
    for (const file of filesOf(seriesOf(modality)).slice(0, 4)) {
      const { stdout, stderr } = await run('dciodvfy', [file]);
      const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => /^(Error|Warning)/.test(line));
      expect(lines).toEqual([]);
      expect(`${stdout}${stderr}`.trim()).not.toBe('');
    }
  });

  test('finds no error in a file of every collection and every kind of patient', async () => {
    const files = facts.series
      .filter(({ versions }) => versions.some(({ to }) => to === 3))
      .map((fact) => filesOf(fact)[0] ?? '');
    expect(files.length).toBeGreaterThan(60);
    for (const file of files) {
      const { stdout, stderr } = await run('dciodvfy', [file]);
      expect([file, `${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith('Error'))]).toEqual([
        file,
        [],
      ]);
    }
  });
});

describe.skipIf(!tools.dcmdump || !tools.dcmftest)('dcmtk (skipped where it is not installed)', () => {
  test('reads every file of the buckets without a complaint', async () => {
    const files = (await objectKeys(root())).map((key) => path.join(root(), 'buckets', key));
    for (let start = 0; start < files.length; start += 200) {
      const some = files.slice(start, start + 200);
      const tested = await run('dcmftest', some);
      expect(tested.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('yes: '))).toEqual(
        [],
      );
      const dumped = await run('dcmdump', ['--quiet', '--search', '0008,0018', ...some]);
      expect(dumped.stderr).toBe('');
      expect(dumped.stdout.match(/SOPInstanceUID/g)).toHaveLength(some.length);
    }
  });
});

describe('files', () => {
  test('say of themselves what the facts say of them', async () => {
    for (const modality of MODALITIES) {
      const fact = seriesOf(modality);
      const [sop] = [...current(fact).instances.keys()];
      const dataset = await read(filesOf(fact)[0] ?? '');
      expect(dataset).toMatchObject({
        SOPInstanceUID: sop,
        SeriesInstanceUID: fact?.seriesInstanceUid,
        StudyInstanceUID: fact?.studyInstanceUid,
        PatientID: fact?.patientId,
        Modality: modality,
      });
    }
  });

  test('slices have numbers and places of their own, in steps of the spacing', async () => {
    const files = filesOf(seriesOf('CT', 'TORSO-0002'));
    const slices = await Promise.all(files.map(read));
    const heights = slices.map((slice) => Number((slice['ImagePositionPatient'] as unknown as number[])[2]));
    expect(slices.map((slice) => Number(slice['InstanceNumber']))).toEqual(
      slices.map((_, index) => index + 1),
    );
    for (const [index, height] of heights.entries()) {
      if (index > 0) expect(height - (heights[index - 1] ?? 0)).toBeCloseTo(8, 3);
    }
    expect(new Set(slices.map((slice) => slice['SOPInstanceUID'])).size).toBe(51);
  });

  test('PET slices count their image index', async () => {
    const slices = await Promise.all(filesOf(seriesOf('PT')).map(read));
    expect(slices.map((slice) => slice['ImageIndex'])).toEqual(slices.map((_, index) => index + 1));
  });

  test('UIDs are valid: root 2.25, at most 64 characters, no leading zeros', () => {
    const uids = facts.series.flatMap(({ studyInstanceUid, seriesInstanceUid, versions }) => [
      studyInstanceUid,
      seriesInstanceUid,
      ...versions.flatMap(({ instances }) => [...instances.keys()]),
    ]);
    for (const uid of uids) expect(uid).toMatch(/^2\.25\.[1-9][0-9]{38}$/);
  });

  test('letters beyond ASCII and PatientIDs with odd characters survive', async () => {
    const { equals } = facts.oddPatientIds;
    const flair = facts.series.filter(({ patientId }) => patientId === equals)[2];
    expect(await read(filesOf(flair)[0] ?? '')).toMatchObject({
      SeriesDescription: 'FLAIR, Schädel',
      PatientID: equals,
    });
  });
});

describe('pixels', () => {
  /** HU of a CT slice: the last bytes of its file. */
  async function hounsfield(file: string): Promise<Int16Array> {
    const bytes = await readFile(file);
    return new Int16Array(new Uint8Array(bytes.subarray(bytes.length - 2 * 128 * 128)).buffer);
  }

  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

  test('a segmentation covers the organ that it names, on the slice that it refers to', async () => {
    const fact = seriesOf('SEG', 'TORSO-0002');
    const ct = seriesOf('CT', 'TORSO-0002');
    const seg = (await read(filesOf(fact)[0] ?? '')) as unknown as {
      PixelData: ArrayBuffer[];
      NumberOfFrames: number;
      PerFrameFunctionalGroupsSequence: {
        SegmentIdentificationSequence: { ReferencedSegmentNumber: number }[];
        DerivationImageSequence: { SourceImageSequence: { ReferencedSOPInstanceUID: string }[] }[];
      }[];
      ReferencedSeriesSequence: { SeriesInstanceUID: string }[];
    };
    expect(seg.ReferencedSeriesSequence[0]?.SeriesInstanceUID).toBe(ct?.seriesInstanceUid);
    expect(seg.PerFrameFunctionalGroupsSequence).toHaveLength(Number(seg.NumberOfFrames));
    const bits = new Uint8Array(seg.PixelData[0] ?? new ArrayBuffer(0));
    const inside = new Map<number, number[]>();
    for (const [frame, groups] of seg.PerFrameFunctionalGroupsSequence.entries()) {
      const segment = groups.SegmentIdentificationSequence[0]?.ReferencedSegmentNumber ?? 0;
      const sop = groups.DerivationImageSequence[0]?.SourceImageSequence[0]?.ReferencedSOPInstanceUID ?? '';
      const instance = current(ct).instances.get(sop) ?? '';
      const slice = await hounsfield(filesOf(ct).find((file) => file.includes(instance)) ?? '');
      const values = inside.get(segment) ?? [];
      for (let pixel = 0; pixel < slice.length; pixel += 1) {
        const bit = frame * slice.length + pixel;
        if (((bits[bit >> 3] ?? 0) >> (bit & 7)) & 1) values.push(slice[pixel] ?? 0);
      }
      inside.set(segment, values);
    }
    const [left, right, liver, lesion] = [1, 2, 3, 4].map((segment) => mean(inside.get(segment) ?? []));
    // The heart and the lesion lie in the lungs' ellipsoids, the kidney in the liver's.
    expect(left).toBeLessThan(-450);
    expect(right).toBeLessThan(-450);
    expect(liver).toBeGreaterThan(40);
    expect(liver).toBeLessThan(110);
    expect(lesion).toBeGreaterThan(60);
    expect(lesion).toBeLessThan(80);
  });

  test('a slide is a pyramid: each level has half the pixels, twice their size and the tiles that these need', async () => {
    const levels = (await Promise.all(filesOf(seriesOf('SM')).map(read))) as unknown as {
      TotalPixelMatrixColumns: number;
      TotalPixelMatrixRows: number;
      NumberOfFrames: number;
      ImageType: string[];
      DimensionOrganizationType: string;
      SharedFunctionalGroupsSequence: { PixelMeasuresSequence: { PixelSpacing: number[] }[] }[];
    }[];
    expect(
      levels.map((level) => [
        level.ImageType[2],
        level.TotalPixelMatrixColumns,
        level.TotalPixelMatrixRows,
        Number(level.NumberOfFrames),
        Number(level.SharedFunctionalGroupsSequence[0]?.PixelMeasuresSequence[0]?.PixelSpacing[0]),
        level.DimensionOrganizationType,
      ]),
    ).toEqual([
      ['VOLUME', 768, 512, 24, 0.0005, 'TILED_FULL'],
      ['VOLUME', 384, 256, 6, 0.001, 'TILED_FULL'],
      ['VOLUME', 192, 128, 2, 0.002, 'TILED_FULL'],
      ['THUMBNAIL', 192, 128, 1, 0.002, 'TILED_FULL'],
    ]);
  });

  test('an outline runs around the organ that it names', async () => {
    const fact = seriesOf('RTSTRUCT');
    const structures = (await read(filesOf(fact)[0] ?? '')) as unknown as {
      StructureSetROISequence: { ROIName: string; ROINumber: number }[];
      ROIContourSequence: { ReferencedROINumber: number; ContourSequence: { ContourData: number[] }[] }[];
    };
    const roi = structures.StructureSetROISequence.find(({ ROIName }) => ROIName === 'Left lung');
    const contours = structures.ROIContourSequence.find(
      ({ ReferencedROINumber }) => ReferencedROINumber === roi?.ROINumber,
    );
    const points = contours?.ContourSequence.flatMap(({ ContourData }) => ContourData.map(Number)) ?? [];
    const xs = points.filter((_, index) => index % 3 === 0);
    // Left is positive in patient coordinates (PS3.3 C.7.6.2.1.1).
    expect(mean(xs)).toBeGreaterThan(60);
    expect(contours?.ContourSequence.length).toBeGreaterThan(10);
  });

  test('the flaw of a corrected slice is one dead row', async () => {
    const { bucket, versions } = facts.corrected;
    const [old, young] = versions;
    const [sop = ''] =
      [...(old?.instances ?? [])].find(([uid, uuid]) => young?.instances.get(uid) !== uuid) ?? [];
    const [flawed, sound] = await Promise.all(
      [old, young].map((version) =>
        hounsfield(
          path.join(root(), 'buckets', bucket, version?.uuid ?? '', `${version?.instances.get(sop)}.dcm`),
        ),
      ),
    );
    const rows = new Set<number>();
    for (const [pixel, value] of (flawed ?? []).entries())
      if (value !== sound?.[pixel]) rows.add(Math.floor(pixel / 128));
    expect([...rows]).toEqual([64]);
  });
});
