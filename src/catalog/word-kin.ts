/**
 * Words that mean what another one asks for: what DICOM calls `SM` is asked for as pathology, and who asks for tumors
 * wants glioblastomas too. Kept by hand, and small: what is not here is found by its letters.
 */

/** Words that stand for a modality of DICOM (PS3.3 C.7.3.1.1.1), beside its code. */
const MODALITY_WORDS: Record<string, string> = {
  ann: 'annotation annotations',
  cr: 'x ray xray radiography radiograph radiographs computed',
  ct: 'computed tomography cat scan',
  dx: 'x ray xray radiography radiograph radiographs digital',
  mg: 'mammography mammogram mammograms x ray digital',
  mr: 'mri magnetic resonance imaging',
  nm: 'nuclear medicine scintigraphy spect',
  pt: 'pet positron emission tomography',
  rtdose: 'radiotherapy radiation therapy rt dose dosimetry',
  rtplan: 'radiotherapy radiation therapy rt plan treatment planning',
  rtstruct: 'radiotherapy radiation therapy rt contour contours structure segmentation',
  seg: 'segmentation segmentations mask masks annotation annotations',
  sm: 'slide slides microscopy whole image images pathology histopathology histology wsi digital',
  sr: 'structured report annotation annotations measurement measurements',
  us: 'ultrasound sonography',
  xa: 'angiography x ray',
};

/** Word that is asked for → words that answer it too, not the other way round. */
const NARROWER: Record<string, string> = {
  tumor:
    'cancer carcinoma adenocarcinoma neoplasm glioma glioblastoma sarcoma melanoma lymphoma leukemia tumour',
  cancer: 'tumor carcinoma adenocarcinoma neoplasm glioma glioblastoma sarcoma melanoma lymphoma leukemia',
  carcinoma: 'adenocarcinoma',
  glioma: 'glioblastoma gbm lgg astrocytoma',
  colorectal: 'colon rectum',
  bowel: 'colon rectum colorectal',
  radiology: 'mri ct pet mammography',
};

/** Words of which each answers every other. */
const SAME = [
  'tumor tumour neoplasm',
  'pediatric paediatric childhood children child',
  'lung pulmonary',
  'kidney renal',
  'liver hepatic hepatocellular',
  'brain cerebral',
  'prostate prostatic',
  'pancreas pancreatic',
  'colon colonic',
  'stomach gastric',
  'breast mammary',
  'skin cutaneous',
  'ovary ovarian',
  'uterus uterine',
  'cervix cervical',
  'esophagus esophageal oesophagus oesophageal',
  'leukemia leukaemia',
  'glioblastoma gbm',
  'pathology histopathology histology',
  'radiotherapy radiation',
  'mouse mice murine',
  'dog canine dogs',
].map((line) => line.split(' '));

/** Words that say nothing about data. */
const EMPTY = new Set('a an and at by for from in of on or the to with'.split(' '));

/** The words that are looked for: without those that say nothing, as long as others are left. */
export function tellingWords(words: readonly string[]): string[] {
  const telling = words.filter((word) => !EMPTY.has(word));
  return telling.length === 0 ? [...words] : telling;
}

/** Words that answer a term beside itself. */
export function kinOf(term: string): ReadonlySet<string> {
  const single = term.length > 3 && term.endsWith('s') && !term.endsWith('ss') ? term.slice(0, -1) : term;
  const kin = new Set(SAME.filter((line) => line.includes(single) || line.includes(term)).flat());
  for (const word of (NARROWER[single] ?? NARROWER[term] ?? '').split(' ')) if (word !== '') kin.add(word);
  kin.delete(term);
  return kin;
}

/** Words for codes of modalities. */
export function modalityWords(codes: readonly string[]): string[] {
  return codes.flatMap((code) => MODALITY_WORDS[code]?.split(' ') ?? []);
}
