/** Links to the archive's web viewers. */
import { CarrelError } from '../errors.ts';
import { excerpt, isDicomUid } from '../identifiers/index.ts';
import type { Archive, Viewer } from './archive.ts';

/** What to look at. */
export interface ViewerTarget {
  StudyInstanceUID: string;
  SeriesInstanceUID?: string | undefined;
  /** Modalities of the whole study: a segmentation of a slide belongs into the slide's viewer. */
  modalities?: readonly string[] | undefined;
  /** Name of a viewer; default: by modality. */
  viewer?: string | undefined;
}

/**
 * The link to a study or a series: the first viewer for one of its modalities, else the first one for everything.
 * Undefined where the archive has none that fits.
 *
 * @throws `bad-input` for what is no UID, `usage` for an unknown viewer
 */
export function viewerUrl(archive: Archive, target: ViewerTarget): string | undefined {
  const { StudyInstanceUID, SeriesInstanceUID } = target;
  for (const uid of [StudyInstanceUID, SeriesInstanceUID ?? StudyInstanceUID]) {
    if (!isDicomUid(uid)) {
      const item = excerpt(uid);
      throw new CarrelError('bad-input', `no DICOM UID: "${item}"`, {
        item,
        next: 'give the UIDs of the study and the series',
      });
    }
  }
  const viewer = chooseViewer(archive, target);
  const template = SeriesInstanceUID === undefined ? viewer?.study : viewer?.series;
  return template
    ?.replaceAll('{StudyInstanceUID}', StudyInstanceUID)
    .replaceAll('{SeriesInstanceUID}', SeriesInstanceUID ?? '');
}

function chooseViewer({ viewers, name }: Archive, target: ViewerTarget): Viewer | undefined {
  if (target.viewer !== undefined) {
    const chosen = viewers.find((viewer) => viewer.name === target.viewer);
    if (chosen !== undefined) return chosen;
    const item = excerpt(target.viewer);
    const names = viewers.map((viewer) => viewer.name).join(', ') || 'none';
    throw new CarrelError('usage', `${name} has no viewer called "${item}"`, {
      item,
      next: `its viewers: ${names}`,
    });
  }
  const modalities = target.modalities ?? [];
  return (
    viewers.find((viewer) => viewer.modalities.some((modality) => modalities.includes(modality))) ??
    viewers.find((viewer) => viewer.modalities.length === 0)
  );
}
