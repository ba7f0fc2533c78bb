/**
 * Names of DICOM UIDs (PS3.6), spelled as the tables of archives publish them in `sop_class_name` and
 * `transfer_syntax_name`. BigQuery's data sets hold the UIDs only.
 */

const IMAGE = '1.2.840.10008.5.1.4.1.1';
const ENCODING = '1.2.840.10008.1.2';

/** SOP class → name. */
export const SOP_CLASS_NAMES: Readonly<Record<string, string>> = {
  [`${IMAGE}.1`]: 'Computed Radiography Image Storage',
  [`${IMAGE}.1.1`]: 'Digital X-Ray Image Storage - For Presentation',
  [`${IMAGE}.1.1.1`]: 'Digital X-Ray Image Storage - For Processing',
  [`${IMAGE}.1.2`]: 'Digital Mammography X-Ray Image Storage - For Presentation',
  [`${IMAGE}.1.2.1`]: 'Digital Mammography X-Ray Image Storage - For Processing',
  [`${IMAGE}.104.3`]: 'Encapsulated STL Storage',
  [`${IMAGE}.11.1`]: 'Grayscale Softcopy Presentation State Storage',
  [`${IMAGE}.11.8`]: 'Advanced Blending Presentation State Storage',
  [`${IMAGE}.12.1`]: 'X-Ray Angiographic Image Storage',
  [`${IMAGE}.12.2`]: 'X-Ray Radiofluoroscopic Image Storage',
  [`${IMAGE}.128`]: 'Positron Emission Tomography Image Storage',
  [`${IMAGE}.13.1.3`]: 'Breast Tomosynthesis Image Storage',
  [`${IMAGE}.13.1.4`]: 'Breast Projection X-Ray Image Storage - For Presentation',
  [`${IMAGE}.13.1.5`]: 'Breast Projection X-Ray Image Storage - For Processing',
  [`${IMAGE}.2`]: 'CT Image Storage',
  [`${IMAGE}.20`]: 'Nuclear Medicine Image Storage',
  [`${IMAGE}.3.1`]: 'Ultrasound Multi-frame Image Storage',
  [`${IMAGE}.30`]: 'Parametric Map Storage',
  [`${IMAGE}.4`]: 'MR Image Storage',
  [`${IMAGE}.481.2`]: 'RT Dose Storage',
  [`${IMAGE}.481.3`]: 'RT Structure Set Storage',
  [`${IMAGE}.481.5`]: 'RT Plan Storage',
  [`${IMAGE}.6.1`]: 'Ultrasound Image Storage',
  [`${IMAGE}.66`]: 'Raw Data Storage',
  [`${IMAGE}.66.1`]: 'Spatial Registration Storage',
  [`${IMAGE}.66.4`]: 'Segmentation Storage',
  [`${IMAGE}.66.7`]: 'Label Map Segmentation Storage',
  [`${IMAGE}.67`]: 'Real World Value Mapping Storage',
  [`${IMAGE}.7`]: 'Secondary Capture Image Storage',
  [`${IMAGE}.7.2`]: 'Multi-frame Grayscale Byte Secondary Capture Image Storage',
  [`${IMAGE}.77.1.6`]: 'VL Whole Slide Microscopy Image Storage',
  [`${IMAGE}.88.22`]: 'Enhanced SR Storage',
  [`${IMAGE}.88.33`]: 'Comprehensive SR Storage',
  [`${IMAGE}.88.34`]: 'Comprehensive 3D SR Storage',
  [`${IMAGE}.88.59`]: 'Key Object Selection Document Storage',
  [`${IMAGE}.88.67`]: 'X-Ray Radiation Dose SR Storage',
  [`${IMAGE}.88.71`]: 'Acquisition Context SR Storage',
  [`${IMAGE}.91.1`]: 'Microscopy Bulk Simple Annotations Storage',
};

/** Transfer syntax → name. */
export const TRANSFER_SYNTAX_NAMES: Readonly<Record<string, string>> = {
  [ENCODING]: 'Implicit VR Little Endian',
  [`${ENCODING}.1`]: 'Explicit VR Little Endian',
  [`${ENCODING}.1.99`]: 'Deflated Explicit VR Little Endian',
  [`${ENCODING}.2`]: 'Explicit VR Big Endian',
  [`${ENCODING}.4.50`]: 'JPEG Baseline',
  [`${ENCODING}.4.51`]: 'JPEG Extended',
  [`${ENCODING}.4.70`]: 'JPEG Lossless',
  [`${ENCODING}.4.80`]: 'JPEG-LS Lossless',
  [`${ENCODING}.4.90`]: 'JPEG 2000 Lossless',
  [`${ENCODING}.4.91`]: 'JPEG 2000',
};
