/**
 * What a name is: one discriminated union over every form in which cancer-imaging data is named in the wild.
 * Everything here is syntax. Whether the thing exists, and on which level of the hierarchy a bare UUID or a word
 * stands, is for the catalogue to say.
 */

declare const brand: unique symbol;

/** A DICOM UID: 1 to 64 characters of `[0-9.]` with at least one dot. Never versioned. */
export type DicomUid = string & { readonly [brand]: 'DicomUid' };

/** A CRDC UUID in lower case. Names one version of an instance, series or study. */
export type CrdcUuid = string & { readonly [brand]: 'CrdcUuid' };

/** Levels of the DICOM hierarchy that UIDs and UUIDs name. */
export type Level = 'study' | 'series' | 'instance';

/** What `--as` may say. */
export type AsKind =
  | Level
  | 'patient'
  | 'collection'
  | 'analysis-result'
  | 'uuid'
  | 'url'
  | 'path'
  | 'doi'
  | 'drs';

/** What every identifier carries beside its meaning. */
interface AsGiven {
  /** The text as it was given. */
  text: string;
  /** Remarks about how it was read; each is a sentence for the user. */
  warnings: string[];
}

/** Study, series or SOP Instance UID. 793 real PatientIDs of IDC look like UIDs too: look for both. */
export interface DicomUidIdentifier extends AsGiven {
  kind: 'dicom-uid';
  uid: DicomUid;
  /** Only where `--as` or the link that it was taken from says so. */
  level?: Level | undefined;
}

/** A bare UUID: series, instance or study. */
export interface CrdcUuidIdentifier extends AsGiven {
  kind: 'crdc-uuid';
  uuid: CrdcUuid;
  /** Only where `--as` or the form (`<uuid>.dcm`) says so. */
  level?: Level | undefined;
}

/** A bare GUID: `dg.4DFC/<uuid>`. */
export interface GuidIdentifier extends AsGiven {
  kind: 'guid';
  /** `dg.4DFC`: as the known list spells it, otherwise as given. */
  prefix: string;
  uuid: CrdcUuid;
}

/** A `drs://` URI. */
export interface DrsIdentifier extends AsGiven {
  kind: 'drs';
  /** `drs://dg.4DFC/<uuid>` · `drs://dg.4DFC:<uuid>` · `drs://host/<id>`. */
  style: 'guid-authority' | 'compact' | 'hosted';
  /** `hosted` only: host, with `:port` where one was given. */
  host?: string | undefined;
  /** GUID prefix or namespace of the compact identifier (with its provider code: `provider/namespace`). */
  prefix?: string | undefined;
  /** What a server is asked for, percent-decoded: `dg.4DFC/<uuid>` where a GUID prefix is known, else the local part. */
  id: string;
  /** Undefined for ids that hold none (`some_TBD_uuid`). */
  uuid?: CrdcUuid | undefined;
}

/** The https address of a DRS object or of an indexd record. */
export interface DrsUrlIdentifier extends AsGiven {
  kind: 'drs-url';
  /** `drs`: `/ga4gh/drs/v1/objects/<id>`; `index`: `/index/<id>`; `dataguids`: the same at dataguids.org. */
  service: 'drs' | 'index' | 'dataguids';
  /** `https://host[:port][/base]`, without the service's own path. */
  endpoint: string;
  host: string;
  /** Percent-decoded. */
  id: string;
  prefix?: string | undefined;
  uuid?: CrdcUuid | undefined;
  accessId?: string | undefined;
}

/** An object, a folder or a wildcard in a bucket or on a web server. */
export interface ObjectUrlIdentifier extends AsGiven {
  kind: 'object-url';
  /** The https views of S3 and GCS are `s3` and `gs`; `https` is any other web server. */
  scheme: 's3' | 'gs' | 'https';
  /** Empty for `https`. */
  bucket: string;
  /**
   * Without leading `/`. Decoded for `s3` and `gs`; for `https` exactly as given, with its query. A folder's key
   * ends in `/` (or is empty: the whole bucket) except where only the UUID says that it is one (`s3://B/<series>`).
   */
  key: string;
  form: 'object' | 'folder' | 'wildcard';
  /**
   * `hierarchical`: `<series>/<instance>.dcm` and its folder; `flat`: `<instance>.dcm`; `v1`:
   * `dicom/<study>/<series>/<sop>.dcm`; `other`: all else.
   */
  layout: 'hierarchical' | 'flat' | 'v1' | 'other';
  /** `https` only: `https://host[:port]` (or `http://…`). */
  endpoint?: string | undefined;
  /** S3 region, where an https view names one. */
  region?: string | undefined;
  /** GCS generation, from `#<digits>` or `?generation=`. */
  generation?: string | undefined;
  seriesUuid?: CrdcUuid | undefined;
  instanceUuid?: CrdcUuid | undefined;
  studyInstanceUid?: DicomUid | undefined;
  seriesInstanceUid?: DicomUid | undefined;
  sopInstanceUid?: DicomUid | undefined;
}

/** A CRDC compound object: `<series>/crdcobj.json` in a bucket, on a web server or on disk. */
export interface CompoundObjectIdentifier extends AsGiven {
  kind: 'compound-object';
  location: ObjectUrlIdentifier | PathIdentifier;
  /** From the folder's name; the file itself says more. */
  seriesUuid?: CrdcUuid | undefined;
}

/** A DOI in small letters, without `https://doi.org/`. */
export interface DoiIdentifier extends AsGiven {
  kind: 'doi';
  doi: string;
}

/** A public link of an Aspera Faspex server; only recognised here. The link is a bearer secret: never log it. */
export interface FaspexLinkIdentifier extends AsGiven {
  kind: 'faspex-link';
  url: string;
  host: string;
}

/** A local path. `~/` is not expanded here. */
export interface PathIdentifier extends AsGiven {
  kind: 'path';
  path: string;
}

/** `-`. */
export interface StdinIdentifier extends AsGiven {
  kind: 'stdin';
}

/** What only a catalogue can tell: a collection, an analysis result, a PatientID. */
export interface NameIdentifier extends AsGiven {
  kind: 'name';
  /** `text` without the blanks around it. */
  name: string;
  /** Only where `--as` or the link that it was taken from says so. */
  level?: 'patient' | 'collection' | 'analysis-result' | undefined;
}

/** Anything that names data. */
export type Identifier =
  | DicomUidIdentifier
  | CrdcUuidIdentifier
  | GuidIdentifier
  | DrsIdentifier
  | DrsUrlIdentifier
  | ObjectUrlIdentifier
  | CompoundObjectIdentifier
  | DoiIdentifier
  | FaspexLinkIdentifier
  | PathIdentifier
  | StdinIdentifier
  | NameIdentifier;

/** The word of each member of the union. */
export type IdentifierKind = Identifier['kind'];

/** Options of `parseIdentifier`. */
export interface ParseIdentifierOptions {
  /** Overrides detection. */
  as?: AsKind | undefined;
  /** GUID prefixes beyond the built-in ones, in the spelling to print (`dg.MyNode`); compared without regard to case. */
  guidPrefixes?: readonly string[] | undefined;
}
