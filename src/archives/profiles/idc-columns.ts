/**
 * The columns of IDC's tables as published with 25.0.5, in our own words. One line each: name, the engine's type, what it
 * says. Longer than others because there are 224 of them. Sources: the published tables, and DICOM PS3.3 for what is DICOM.
 */

/** Table → its columns, a line each. */
const COLUMNS: Record<string, string> = {
  index: `
collection_id VARCHAR collection that the series belongs to: small letters, digits, "_"
analysis_result_id VARCHAR set of derived data that the series belongs to; NULL for original data
PatientID VARCHAR patient; unique only together with collection_id
SeriesInstanceUID VARCHAR the series; one row each
StudyInstanceUID VARCHAR the study that the series belongs to
source_DOI VARCHAR DOI of the data set that the series was published with; what to cite
PatientAge VARCHAR age at imaging as DICOM has it: 063Y, 010M
PatientSex VARCHAR M, F, O, or what the file says
StudyDate VARCHAR day of the study, moved by the removal of personal data: YYYY-MM-DD
StudyDescription VARCHAR the site's own words for the study
BodyPartExamined VARCHAR body part of the images; of segmentations and structure sets that of their source
Modality VARCHAR CT, MR, PT, SM, SEG, RTSTRUCT, SR …
SOPClassUID VARCHAR kind of object; tells more than Modality
sop_class_name VARCHAR the same in words: CT Image Storage
TransferSyntaxUID VARCHAR how the files are encoded; several joined by commas
transfer_syntax_name VARCHAR the same in words
PhotometricInterpretation VARCHAR grey or colour: MONOCHROME2, RGB, YBR_FULL_422; NULL where there is no image
PixelRepresentation VARCHAR 0: samples without sign, 1: with sign; NULL where there is no image
Manufacturer VARCHAR maker of the device or program
ManufacturerModelName VARCHAR its model
SeriesDate VARCHAR day of the series, moved like StudyDate
SeriesDescription VARCHAR the site's own words for the series; may hold control characters
SeriesNumber VARCHAR number within the study, as text
instanceCount BIGINT files in the series
license_short_name VARCHAR licence: CC BY 4.0, CC BY-NC 4.0 …
series_init_idc_version BIGINT first release that lists the series
series_revised_idc_version BIGINT release since which it is as it is
aws_bucket VARCHAR bucket on AWS that holds it
crdc_series_uuid VARCHAR this version of the series; its folder in every bucket
series_aws_url VARCHAR s3://<aws_bucket>/<crdc_series_uuid>/*
series_size_MB DOUBLE bytes of all files divided by 1,000,000`,
  prior_versions_index: `
collection_id VARCHAR collection at that time
PatientID VARCHAR patient; unique only together with collection_id
SeriesInstanceUID VARCHAR the series; the same in all its versions
StudyInstanceUID VARCHAR the study
Modality VARCHAR CT, MR, PT …
gcs_bucket VARCHAR bucket on Google Cloud during these releases
crdc_series_uuid VARCHAR this earlier version; never one of the table index
series_size_MB DOUBLE megabytes of 10^6, with two decimals only
series_aws_url VARCHAR s3://<aws_bucket>/<crdc_series_uuid>/*
aws_bucket VARCHAR bucket on AWS
min_idc_version BIGINT first release of this row's range
max_idc_version BIGINT last one; a version that moved to another bucket has a row per bucket`,
  collections_index: `
collection_name VARCHAR name as people write it
collection_id VARCHAR name as tables write it
cancer_types VARCHAR cancers, in words
tumor_locations VARCHAR sites of the body, in words
subjects BIGINT patients
species VARCHAR Human, Mouse, Canine …
sources STRUCT[] data sets of the collection, each with title, DOI, licence, citation and provenance
supporting_data VARCHAR what there is beside images: clinical, genomics …
program_id VARCHAR programme that it belongs to
status VARCHAR Complete or Ongoing
updated VARCHAR day of the last change
description VARCHAR about the collection, HTML`,
  analysis_results_index: `
analysis_result_id VARCHAR set of derived data
analysis_result_title VARCHAR its title
source_DOI VARCHAR its DOI
source_url VARCHAR its page
subjects BIGINT patients that it covers
collections VARCHAR collections that it covers, in words
modalities VARCHAR what it consists of: SEG, SR …
updated VARCHAR day of the last change
license_url VARCHAR text of the licence
license_long_name VARCHAR full name of the licence
license_short_name VARCHAR short name of the licence
description VARCHAR about the set, HTML
citation VARCHAR how to cite it
provenance STRUCT who contributed the data, made the sources, removed personal data, converted to DICOM`,
  version_metadata_index: `
idc_version BIGINT number of the release
version_timestamp VARCHAR its day`,
  clinical_index: `
collection_id VARCHAR collection that the clinical table is about
table_name VARCHAR full name of the table in BigQuery
short_table_name VARCHAR its name here, below clinical.
column VARCHAR column of that table
column_label VARCHAR what the column means
values STRUCT[] its values with their meanings (option_code, option_description); empty above 20`,
  sm_index: `
SeriesInstanceUID VARCHAR the slide
ContainerIdentifier VARCHAR label of the glass
embeddingMedium_CodeMeaning VARCHAR[] what the tissue is embedded in
embeddingMedium_code_designator_value_str VARCHAR[] the same as codes, scheme:value
tissueFixative_CodeMeaning VARCHAR[] what it was fixed with
tissueFixative_code_designator_value_str VARCHAR[] the same as codes
staining_usingSubstance_CodeMeaning VARCHAR[] stains
staining_usingSubstance_code_designator_value_str VARCHAR[] the same as codes
min_PixelSpacing_2sf DOUBLE mm between pixels of the finest layer, two digits
max_TotalPixelMatrixColumns BIGINT width of the finest layer in pixels
max_TotalPixelMatrixRows BIGINT its height
ObjectiveLensPower BIGINT magnification: 20, 40
primaryAnatomicStructure_code_designator_value_str VARCHAR where the tissue is from, as code
primaryAnatomicStructure_CodeMeaning VARCHAR the same in words
primaryAnatomicStructureModifier_code_designator_value_str VARCHAR what the tissue is (tumour, normal), as code
primaryAnatomicStructureModifier_CodeMeaning VARCHAR the same in words
illuminationType_code_designator_value_str VARCHAR bright field, fluorescence …, as code
illuminationType_CodeMeaning VARCHAR the same in words
admittingDiagnosis_code_designator_value_str VARCHAR diagnosis on admission, as code
admittingDiagnosis_CodeMeaning VARCHAR the same in words`,
  sm_instance_index: `
SOPInstanceUID VARCHAR the file; one row each
SeriesInstanceUID VARCHAR the slide that it belongs to
embeddingMedium_CodeMeaning VARCHAR[] what the tissue is embedded in
embeddingMedium_code_designator_value_str VARCHAR[] the same as codes, scheme:value
tissueFixative_CodeMeaning VARCHAR[] what it was fixed with
tissueFixative_code_designator_value_str VARCHAR[] the same as codes
staining_usingSubstance_CodeMeaning VARCHAR[] stains
staining_usingSubstance_code_designator_value_str VARCHAR[] the same as codes
PixelSpacing_0 DOUBLE mm between rows of pixels, two digits
ImageType VARCHAR[] VOLUME, LABEL, OVERVIEW, THUMBNAIL …
TransferSyntaxUID VARCHAR how the file is encoded
instance_size BIGINT bytes of the file
TotalPixelMatrixColumns BIGINT width of the layer in pixels
TotalPixelMatrixRows BIGINT its height
crdc_instance_uuid VARCHAR name of the file in the buckets, without .dcm`,
  seg_index: `
SeriesInstanceUID VARCHAR the segmentation
SegmentationType VARCHAR BINARY, FRACTIONAL or LABELMAP
total_segments BIGINT number of segments
AlgorithmType VARCHAR AUTOMATIC, SEMIAUTOMATIC or MANUAL; several joined by commas
AlgorithmName VARCHAR what made it; several joined by commas
segmented_SeriesInstanceUID VARCHAR the series that was segmented
SegmentedPropertyCategory_CodeMeanings VARCHAR[] what segments are in general: Anatomical Structure …
SegmentedPropertyType_CodeMeanings VARCHAR[] what they are: Liver, Neoplasm …; not in the order of the segments
AnatomicRegion_CodeMeanings VARCHAR[] where they are`,
  rtstruct_index: `
SeriesInstanceUID VARCHAR the structure set
total_rois BIGINT number of regions of interest
ROINames VARCHAR[] their names
ROIGenerationAlgorithms VARCHAR[] how they were drawn: MANUAL, AUTOMATIC …
RTROIInterpretedTypes VARCHAR[] what they stand for: GTV, PTV, ORGAN …
referenced_SeriesInstanceUID VARCHAR the series that they are drawn on`,
  ann_index: `
SeriesInstanceUID VARCHAR the annotations
AnnotationCoordinateType VARCHAR 2D: in pixels of the image; 3D: in millimetres of the slide
referenced_SeriesInstanceUID VARCHAR the slide that they are about`,
  ann_group_index: `
SeriesInstanceUID VARCHAR the annotations
AnnotationGroupNumber BIGINT number of the group
AnnotationGroupUID VARCHAR UID of the group
AnnotationGroupLabel VARCHAR its name
AnnotationGroupGenerationType VARCHAR MANUAL, SEMIAUTOMATIC or AUTOMATIC
NumberOfAnnotations BIGINT annotations in the group
GraphicType VARCHAR POINT, POLYLINE, POLYGON, ELLIPSE or RECTANGLE
AnnotationPropertyCategory_code VARCHAR what is annotated in general, as code scheme:value
AnnotationPropertyCategory_CodeMeaning VARCHAR the same in words
AnnotationPropertyType_code VARCHAR what is annotated, as code
AnnotationPropertyType_CodeMeaning VARCHAR the same in words
AlgorithmName VARCHAR what made it, where a program did`,
  contrast_index: `
SeriesInstanceUID VARCHAR the series; only those that name any contrast
ContrastBolusAgent VARCHAR[] agents as the site wrote them
ContrastBolusIngredient VARCHAR[] IODINE, GADOLINIUM, BARIUM SULFATE …
ContrastBolusRoute VARCHAR[] routes: IV, ORAL …`,
  ct_index: `
SeriesInstanceUID VARCHAR the CT series
ImageType VARCHAR[] ORIGINAL or DERIVED, PRIMARY or SECONDARY, AXIAL, LOCALIZER …
PixelSpacing_row_mm DOUBLE mm between rows of pixels
PixelSpacing_col_mm DOUBLE mm between columns
Rows BIGINT height in pixels
Columns BIGINT width in pixels
SliceThickness DOUBLE mm, as reconstructed; neighbours may overlap
KVP DOUBLE peak voltage of the tube in kV
ScanOptions VARCHAR[] HELICAL MODE, AXIAL MODE …; words of the maker
ConvolutionKernel VARCHAR[] reconstruction kernel: B30f, STANDARD, LUNG; words of the maker
GantryDetectorTilt DOUBLE degrees; 0 is upright
XRayTubeCurrent_min DOUBLE mA, the smallest of all files
XRayTubeCurrent_max DOUBLE mA, the largest
FilterType VARCHAR filter in the beam
Exposure_min DOUBLE mAs, the smallest of all files
Exposure_max DOUBLE mAs, the largest
ExposureTime_min DOUBLE ms, the smallest of all files
ExposureTime_max DOUBLE ms, the largest
DataCollectionDiameter DOUBLE mm from which data were collected
ReconstructionDiameter DOUBLE mm that the images show
SpiralPitchFactor DOUBLE pitch of a spiral; NULL where there is none`,
  mr_index: `
SeriesInstanceUID VARCHAR the MR series
MagneticFieldStrength DOUBLE tesla; some files give gauss
ScanningSequence VARCHAR[] SE, GR, IR, EP
SequenceVariant VARCHAR[] SK, MTC, SS, SP, OSP, NONE …
MRAcquisitionType VARCHAR 2D or 3D
EchoTime DOUBLE[] ms, all that occur
RepetitionTime DOUBLE ms
EchoTrainLength BIGINT echoes per excitation
FlipAngle DOUBLE degrees
PixelBandwidth DOUBLE Hz per pixel
ImagingFrequency DOUBLE MHz
ImagedNucleus VARCHAR 1H, 31P, 23Na …
PixelSpacing_row_mm DOUBLE mm between rows of pixels
PixelSpacing_col_mm DOUBLE mm between columns
Rows BIGINT height in pixels
Columns BIGINT width in pixels
SliceThickness DOUBLE mm
InversionTime DOUBLE ms; NULL without inversion
ReceiveCoilName VARCHAR coil that received
SequenceName VARCHAR the maker's name of the sequence: *tfl3d1, *ep_b1000
DiffusionBValue DOUBLE[] s/mm², all that occur
NumberOfTemporalPositions BIGINT points in time of a dynamic series`,
  pt_index: `
SeriesInstanceUID VARCHAR the PET series
SeriesType VARCHAR STATIC, DYNAMIC, WHOLE BODY or GATED, with IMAGE or REPROJECTION: "WHOLE BODY/IMAGE"
Units VARCHAR what a pixel counts: BQML, CNTS, GML …
DecayCorrection VARCHAR NONE, START (of the scan) or ADMIN (of the tracer)
CorrectedImage VARCHAR[] corrections made: ATTN, SCAT, DECY, RAN, NORM …
RandomsCorrectionMethod VARCHAR DLYD, SING, NONE …
ReconstructionMethod VARCHAR words of the maker: OSEM, FBP …
ActualFrameDuration DOUBLE[] ms, all that occur
ScatterCorrectionMethod VARCHAR words of the maker
AttenuationCorrectionMethod VARCHAR words of the maker
RadionuclideCodeMeaning VARCHAR nuclide: Fluorine F^18 …
RadionuclideTotalDose DOUBLE Bq; some files give MBq
RadiopharmaceuticalStartTime VARCHAR time of the injection, as text
Radiopharmaceutical VARCHAR tracer as the site wrote it
PixelSpacing_row_mm DOUBLE mm between rows of pixels
PixelSpacing_col_mm DOUBLE mm between columns
Rows BIGINT height in pixels
Columns BIGINT width in pixels
SliceThickness DOUBLE mm
NumberOfSlices BIGINT slices of the volume
NumberOfTimeSlices BIGINT frames of a dynamic series`,
  volume_geometry_index: `
SeriesInstanceUID VARCHAR the CT, MR or PET series
single_orientation BOOLEAN all slices are turned the same way
orthogonal_orientation BOOLEAN rows and columns stand at right angles
unique_slice_positions BOOLEAN no two slices stand at one place
consistent_in_plane_row BOOLEAN slices are not shifted along the rows
consistent_in_plane_col BOOLEAN nor along the columns
consistent_pixel_spacing BOOLEAN all have the same distance between pixels
consistent_image_dimensions BOOLEAN all have the same height and width
uniform_slice_spacing BOOLEAN neighbours have the same distance
obliquity_degrees DOUBLE angle between the normal of the slices and the nearest axis of the patient
regularly_spaced_3d_volume BOOLEAN all of these hold: the series can be stacked as it is
origin_patient DOUBLE[] mm x, y, z of the first voxel; only of regular volumes
ImageOrientationPatient DOUBLE[] six direction cosines, along a row and down a column; only of regular volumes
slice_spacing_mm DOUBLE mm between slices along their normal; only of regular volumes`,
};

/** The columns of a table of IDC, in the order of the file. */
export function idcColumns(table: string): { name: string; type: string; description: string }[] {
  const lines = COLUMNS[table]?.trim().split('\n') ?? [];
  return lines.map((line) => {
    const [name = '', type = '', ...words] = line.split(' ');
    return { name, type, description: words.join(' ') };
  });
}
