/** What a key says of itself: one object, a folder or a wildcard, and the layout of which years it follows. */
import type { ObjectUrlIdentifier } from './identifier.ts';
import { isDicomUid } from './uid.ts';
import { asUuid } from './uuid.ts';

/** The part of an `object-url` that is read off its key. */
type KeyMeaning = Pick<
  ObjectUrlIdentifier,
  | 'form'
  | 'layout'
  | 'seriesUuid'
  | 'instanceUuid'
  | 'studyInstanceUid'
  | 'seriesInstanceUid'
  | 'sopInstanceUid'
>;

/**
 * Reads a key. Layouts of the Imaging Data Commons and of archives in its style:
 * v1 `dicom/<study>/<series>/<sop>.dcm`, v2–v13 `<instance>.dcm`, since v14 `<series>/<instance>.dcm`.
 *
 * @param wildcards false where `*` and `?` stand for themselves
 */
export function readKey(key: string, wildcards: boolean): KeyMeaning {
  const form =
    wildcards && /[*?]/.test(key) ? 'wildcard' : key === '' || key.endsWith('/') ? 'folder' : 'object';
  const [first = '', second, third, fourth, ...more] = key.split('/');
  const seriesUuid = asUuid(first);
  if (seriesUuid !== undefined) {
    // `s3://B/<series>` is how people write the folder; no object has such a key.
    if (second === undefined) return { form: 'folder', layout: 'hierarchical', seriesUuid };
    const instanceUuid = third === undefined ? asUuid(withoutDcm(second)) : undefined;
    return { form, layout: 'hierarchical', seriesUuid, ...(instanceUuid && { instanceUuid }) };
  }
  const instanceUuid = second === undefined ? asUuid(withoutDcm(first)) : undefined;
  if (instanceUuid !== undefined) return { form, layout: 'flat', instanceUuid };
  if (first === 'dicom' && second !== undefined && isDicomUid(second) && more.length === 0) {
    const sop = withoutDcm(fourth ?? '');
    return {
      form,
      layout: 'v1',
      studyInstanceUid: second,
      ...(third !== undefined && isDicomUid(third) && { seriesInstanceUid: third }),
      ...(isDicomUid(sop) && { sopInstanceUid: sop }),
    };
  }
  return { form, layout: 'other' };
}

/** Empty where the name does not end in `.dcm`. */
function withoutDcm(name: string): string {
  return name.endsWith('.dcm') ? name.slice(0, -4) : '';
}
