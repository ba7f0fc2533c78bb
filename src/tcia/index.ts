/** The Cancer Imaging Archive: Faspex packages, sums, NBIA, PathDB, collections. */
export { type Answer, type AskHttp, type AskOptions, ask, askJson, type Question } from './ask.ts';
export type { PackageEntry } from './faspex/package-entry.ts';
export type { TransferSpec, TransferType } from './faspex/transfer-spec.ts';
export { TCIA_SERVERS, type TciaServerName, type TciaServers, tciaServers } from './servers.ts';
export type {
  PackagePair,
  PackageTransport,
  TransportEvent,
  TransportJob,
  TransportResult,
} from './transport.ts';
export { type UnpackedFile, type UnpackOptions, unpackZip } from './unzip/unpack-zip.ts';
