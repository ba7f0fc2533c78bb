/** The Cancer Imaging Archive: Faspex packages, sums, NBIA, PathDB, collections. */
export { type AscpTransportOptions, createAscpTransport } from './ascp/ascp-transport.ts';
export { ascpVersion } from './ascp/ascp-version.ts';
export {
  ascpFolder,
  asperaFolders,
  type FoundAscp,
  findAscp,
  type Machine,
  requireAscp,
} from './ascp/find-ascp.ts';
export { type FoundKey, findKey } from './ascp/find-key.ts';
export { hasLicense } from './ascp/has-license.ts';
export { type AscpSource, type InstalledAscp, installAscp, planAscp } from './ascp/install-ascp.ts';
export { type ProbeOptions, probeTcp, probeUdp, type TcpProbe, type UdpProbe } from './ascp/probe-ports.ts';
export { SDK_LOCATIONS } from './ascp/sdk-locations.ts';
export { type Answer, type AskHttp, type AskOptions, ask, askJson, type Question } from './ask.ts';
export {
  downloadsOf,
  isSecret,
  TCIA_DOWNLOAD_KINDS,
  type TciaCatalogue,
  type TciaCitation,
  type TciaCollection,
  type TciaCollectionKind,
  type TciaDownload,
  type TciaDownloadKind,
  type TciaVersion,
  withoutSecret,
} from './collections/collection.ts';
export { citationOf, type DoiRecord, fetchDoi } from './collections/datacite.ts';
export { CONTROLLED_ACCESS_PAGE, isInPathDb } from './collections/download-kind.ts';
export {
  collectionId,
  type IdcAlternative,
  type IdcPart,
  idcAlternative,
  partsFor,
} from './collections/idc-alternative.ts';
export {
  ageText,
  cataloguePath,
  type OpenCatalogueOptions,
  type OpenedCatalogue,
  openCatalogue,
} from './collections/keep-catalogue.ts';
export { mediaFile } from './collections/media-files.ts';
export { nearestCollections } from './collections/nearest-collections.ts';
export {
  type PathDbCollection,
  type PathDbFile,
  pathdbCollections,
  pathdbFiles,
  type TciaFile,
} from './collections/pathdb.ts';
export { type ResolveOptions, resolveCollection } from './collections/resolve-collection.ts';
export {
  choosePackages,
  type DownloadChoice,
  findByLink,
  type ResolvedPackages,
  resolvePackages,
} from './collections/resolve-packages.ts';
export { type CollectionQuestion, searchCollections } from './collections/search-collections.ts';
export {
  createFaspexClient,
  type FaspexAnswer,
  type FaspexClient,
  type FaspexOptions,
  type FaspexQuestion,
} from './faspex/faspex-client.ts';
export { type FindEntriesOptions, type FoundEntries, findEntries } from './faspex/find-entries.ts';
export { findGateway } from './faspex/find-gateway.ts';
export {
  type ListingOutcome,
  type ListPackageOptions,
  listPackage,
  normalisePath,
  type PackageListing,
} from './faspex/list-package.ts';
export type { PackageEntry } from './faspex/package-entry.ts';
export { type PackageInfo, readPackageInfo } from './faspex/package-info.ts';
export { type PackageLink, parsePackageLink } from './faspex/package-link.ts';
export {
  batchPaths,
  PATHS_PER_SPEC,
  requestTransferSpec,
  type TransferSpecOptions,
} from './faspex/request-transfer-spec.ts';
export type { TransferSpec, TransferType } from './faspex/transfer-spec.ts';
export { type GatewayOptions, openGatewayTransport } from './gateway/gateway-transport.ts';
export {
  askNbia,
  describeNbiaSeries,
  type NbiaFilter,
  type NbiaOptions,
  type NbiaRow,
  nbiaSeries,
} from './nbia/ask-nbia.ts';
export {
  type FetchNbiaOptions,
  fetchNbiaSeries,
  type NbiaEvent,
  type NbiaFailure,
  type NbiaFetched,
  type NbiaFile,
  type NbiaResult,
} from './nbia/fetch-series.ts';
export {
  type NbiaAgain,
  type NbiaFolder,
  nbiaSeriesAgain,
  openNbiaFolder,
  verifyNbiaFolder,
} from './nbia/nbia-folder.ts';
export { NBIA_SUMS_NAME } from './nbia/nbia-sums-name.ts';
export { writeNbiaSums } from './nbia/series-record.ts';
export { licenseShortName, type NbiaSeries, type NbiaServer } from './nbia/series-row.ts';
export { reserveForSeries } from './nbia/series-space.ts';
export {
  mergePackageLocks,
  packageFiles,
} from './package-lock/merge-package-locks.ts';
export { type FreshCollection, type NewerVersion, newerVersionOf } from './package-lock/newer-version.ts';
export {
  openPackageFolder,
  type PackageFolder,
  verifyPackageFolder,
  writePackageLock,
} from './package-lock/package-folder.ts';
export {
  type LockedDownload,
  type LockedPackage,
  type LockedPackageFile,
  type LockedWebFile,
  PACKAGE_LOCK_NAME,
  type PackageEvidence,
  type PackageLock,
} from './package-lock/package-lock.ts';
export {
  NO_UPSTREAM_DIGEST,
  openPackageReceipts,
  type PackageFileName,
  type PackageFileReceipt,
  type PackageReceiptHeader,
  type PackageReceiptWriter,
} from './package-lock/package-receipts.ts';
export { isPackageLockLike, parsePackageLock } from './package-lock/parse-package-lock.ts';
export { createPackageLock, printPackageLock } from './package-lock/print-package-lock.ts';
export { isChoice, type ListedFile, type PackageChoice } from './packages/choose-files.ts';
export { fetchPackageSums } from './packages/fetch-lists.ts';
export {
  type FetchPackageOptions,
  fetchPackage,
  type PackageResult,
  previewPackage,
} from './packages/fetch-package.ts';
export { listBySums } from './packages/list-files.ts';
export type { RefusedFile } from './packages/name-files.ts';
export { type OpenTransportOptions, TRANSPORTS, type TransportChoice } from './packages/open-transport.ts';
export { PACKAGE_LAYOUT } from './packages/package-layout.ts';
export {
  isPackageLink,
  type OtherTarget,
  onePackage,
  type PackageTarget,
  splitWords,
  type TargetOptions,
  type Targets,
  targetsOf,
} from './packages/package-target.ts';
export type { PlacedFile, WantedFile } from './packages/place-files.ts';
export type { PackagePlan, PlanPackageOptions } from './packages/plan-package.ts';
export { TCIA_SERVERS, type TciaServerName, type TciaServers, tciaServers } from './servers.ts';
export { type FoundSums, findSums, openSums } from './sums/find-sums.ts';
export {
  applyMapping,
  type MappedSums,
  mapSums,
  packagePathOf,
  type SumsMapping,
} from './sums/map-sums.ts';
export { type OwnSums, type OwnSumsFile, writeOwnSums } from './sums/own-sums.ts';
export { OWN_SUMS_NAME } from './sums/own-sums-name.ts';
export {
  collectSums,
  createSumsParser,
  parseSums,
  readSums,
  type SumEntry,
  type SumsList,
  type SumsListener,
  type SumsParser,
  type SumsProblem,
  streamSums,
} from './sums/parse-sums.ts';
export { formsOf, indexFiles, type LocalIndex } from './sums/path-forms.ts';
export { type PrintSumsOptions, printSumLine, printSums } from './sums/print-sums.ts';
export { createScope, type Scope } from './sums/scope.ts';
export {
  type FetchAgain,
  isSumsReportGood,
  type SumsListReport,
  type SumsReport,
  type SumsSource,
  type VerifySumsOptions,
  verifySums,
} from './sums/verify-sums.ts';
export type {
  PackagePair,
  PackageTransport,
  TransportEvent,
  TransportJob,
  TransportResult,
} from './transport.ts';
export { type UnpackedFile, type UnpackOptions, unpackZip } from './unzip/unpack-zip.ts';
export { lockWebFiles, type PlacedWebFiles } from './web-files/lock-web-files.ts';
export {
  nothingChosen,
  planWebFiles,
  type WebFile,
  type WebFilesOptions,
} from './web-files/plan-web-files.ts';
