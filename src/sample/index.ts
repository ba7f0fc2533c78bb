/** A synthetic imaging commons, made by a program in a few seconds: for the demo, for tests and for benchmarks. */
export { type SampleFacts, type SeriesFact, type SeriesVersionFact, sampleFacts } from './facts.ts';
export type { Release } from './model/types.ts';
export { SAMPLE_VERSION } from './version.ts';
export { ensureSample } from './write/ensure-sample.ts';
export {
  type GenerateSampleOptions,
  generateSample,
  type Sample,
  type SampleEvent,
} from './write/generate-sample.ts';
