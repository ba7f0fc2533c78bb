/** DICOM UIDs: syntax of PS3.5 section 9, read leniently because real archives hold what they hold. */
import type { DicomUid } from './identifier.ts';

/** Longest UID (PS3.5 table 6.2-1, VR UI). */
const MAX_LENGTH = 64;

/**
 * True for what is taken as a DICOM UID: `[0-9.]`, 1–64 characters, a digit first, at least one dot. Digits alone are
 * none: 29,481 PatientIDs of IDC are digits only.
 */
export function isDicomUid(text: string): text is DicomUid {
  return text.length <= MAX_LENGTH && /^[0-9][0-9.]*$/.test(text) && text.includes('.');
}

/** What PS3.5 section 9.1 objects to; empty for a valid UID. */
export function uidFaults(uid: string): string[] {
  const faults: string[] = [];
  const components = uid.split('.');
  if (components.includes('')) faults.push('has an empty component');
  if (components.some((component) => component.length > 1 && component.startsWith('0'))) {
    faults.push('has a component with a leading zero');
  }
  if (!/^[012]$/.test(components[0] ?? '')) faults.push('does not start with 0, 1 or 2');
  return faults;
}
