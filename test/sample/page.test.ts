import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { SAMPLE_VERSION, sampleFacts } from '../../src/sample/index.ts';

test('the page about the sample prints what the sample has', async () => {
  const page = await readFile('docs/sample.md', 'utf8');
  const { corrected, withdrawn, series } = sampleFacts();
  const spans = corrected.versions.map(({ uuid, from, to }) => `v${from}-v${to} ${uuid}`);
  expect(page).toContain(`// [ '${spans.join("', '")}' ]`);
  const [gone] = withdrawn.versions;
  expect(page).toContain(`// ${withdrawn.collectionId} [ 'v${gone?.from}-v${gone?.to}' ]`);
  expect(page).toContain(`sample-${SAMPLE_VERSION}-x1/archive.json`);
  for (const { collectionId, analysisResultId } of series) {
    expect(page).toContain(`\`${collectionId}\``);
    if (analysisResultId !== null) expect(page).toContain(`\`${analysisResultId}\``);
  }
});
