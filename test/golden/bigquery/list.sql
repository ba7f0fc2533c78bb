-- the answer
WITH index AS (
  SELECT MIN(files.collection_id) AS collection_id,
    MIN(files.analysis_result_id) AS analysis_result_id,
    MIN(files.PatientID) AS PatientID,
    files.SeriesInstanceUID,
    MIN(files.StudyInstanceUID) AS StudyInstanceUID,
    MIN(files.source_DOI) AS source_DOI,
    MIN(NULLIF(files.PatientAge, '')) AS PatientAge,
    MIN(files.PatientSex) AS PatientSex,
    MIN(CAST(files.StudyDate AS STRING)) AS StudyDate,
    MIN(files.StudyDescription) AS StudyDescription,
    MIN(curated.BodyPartExamined) AS BodyPartExamined,
    MIN(files.Modality) AS Modality,
    MIN(files.SOPClassUID) AS SOPClassUID,
    MIN(CASE files.SOPClassUID WHEN '1.2.840.10008.5.1.4.1.1.1' THEN 'Computed Radiography Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.1.1' THEN 'Digital X-Ray Image Storage - For Presentation' WHEN '1.2.840.10008.5.1.4.1.1.1.1.1' THEN 'Digital X-Ray Image Storage - For Processing' WHEN '1.2.840.10008.5.1.4.1.1.1.2' THEN 'Digital Mammography X-Ray Image Storage - For Presentation' WHEN '1.2.840.10008.5.1.4.1.1.1.2.1' THEN 'Digital Mammography X-Ray Image Storage - For Processing' WHEN '1.2.840.10008.5.1.4.1.1.104.3' THEN 'Encapsulated STL Storage' WHEN '1.2.840.10008.5.1.4.1.1.11.1' THEN 'Grayscale Softcopy Presentation State Storage' WHEN '1.2.840.10008.5.1.4.1.1.11.8' THEN 'Advanced Blending Presentation State Storage' WHEN '1.2.840.10008.5.1.4.1.1.12.1' THEN 'X-Ray Angiographic Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.12.2' THEN 'X-Ray Radiofluoroscopic Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.128' THEN 'Positron Emission Tomography Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.13.1.3' THEN 'Breast Tomosynthesis Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.13.1.4' THEN 'Breast Projection X-Ray Image Storage - For Presentation' WHEN '1.2.840.10008.5.1.4.1.1.13.1.5' THEN 'Breast Projection X-Ray Image Storage - For Processing' WHEN '1.2.840.10008.5.1.4.1.1.2' THEN 'CT Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.20' THEN 'Nuclear Medicine Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.3.1' THEN 'Ultrasound Multi-frame Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.30' THEN 'Parametric Map Storage' WHEN '1.2.840.10008.5.1.4.1.1.4' THEN 'MR Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.481.2' THEN 'RT Dose Storage' WHEN '1.2.840.10008.5.1.4.1.1.481.3' THEN 'RT Structure Set Storage' WHEN '1.2.840.10008.5.1.4.1.1.481.5' THEN 'RT Plan Storage' WHEN '1.2.840.10008.5.1.4.1.1.6.1' THEN 'Ultrasound Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.66' THEN 'Raw Data Storage' WHEN '1.2.840.10008.5.1.4.1.1.66.1' THEN 'Spatial Registration Storage' WHEN '1.2.840.10008.5.1.4.1.1.66.4' THEN 'Segmentation Storage' WHEN '1.2.840.10008.5.1.4.1.1.66.7' THEN 'Label Map Segmentation Storage' WHEN '1.2.840.10008.5.1.4.1.1.67' THEN 'Real World Value Mapping Storage' WHEN '1.2.840.10008.5.1.4.1.1.7' THEN 'Secondary Capture Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.7.2' THEN 'Multi-frame Grayscale Byte Secondary Capture Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.77.1.6' THEN 'VL Whole Slide Microscopy Image Storage' WHEN '1.2.840.10008.5.1.4.1.1.88.22' THEN 'Enhanced SR Storage' WHEN '1.2.840.10008.5.1.4.1.1.88.33' THEN 'Comprehensive SR Storage' WHEN '1.2.840.10008.5.1.4.1.1.88.34' THEN 'Comprehensive 3D SR Storage' WHEN '1.2.840.10008.5.1.4.1.1.88.59' THEN 'Key Object Selection Document Storage' WHEN '1.2.840.10008.5.1.4.1.1.88.67' THEN 'X-Ray Radiation Dose SR Storage' WHEN '1.2.840.10008.5.1.4.1.1.88.71' THEN 'Acquisition Context SR Storage' WHEN '1.2.840.10008.5.1.4.1.1.91.1' THEN 'Microscopy Bulk Simple Annotations Storage' END) AS sop_class_name,
    STRING_AGG(DISTINCT files.TransferSyntaxUID, ',' ORDER BY files.TransferSyntaxUID) AS TransferSyntaxUID,
    STRING_AGG(DISTINCT CASE files.TransferSyntaxUID WHEN '1.2.840.10008.1.2' THEN 'Implicit VR Little Endian' WHEN '1.2.840.10008.1.2.1' THEN 'Explicit VR Little Endian' WHEN '1.2.840.10008.1.2.1.99' THEN 'Deflated Explicit VR Little Endian' WHEN '1.2.840.10008.1.2.2' THEN 'Explicit VR Big Endian' WHEN '1.2.840.10008.1.2.4.50' THEN 'JPEG Baseline' WHEN '1.2.840.10008.1.2.4.51' THEN 'JPEG Extended' WHEN '1.2.840.10008.1.2.4.70' THEN 'JPEG Lossless' WHEN '1.2.840.10008.1.2.4.80' THEN 'JPEG-LS Lossless' WHEN '1.2.840.10008.1.2.4.90' THEN 'JPEG 2000 Lossless' WHEN '1.2.840.10008.1.2.4.91' THEN 'JPEG 2000' END, ',' ORDER BY CASE files.TransferSyntaxUID WHEN '1.2.840.10008.1.2' THEN 'Implicit VR Little Endian' WHEN '1.2.840.10008.1.2.1' THEN 'Explicit VR Little Endian' WHEN '1.2.840.10008.1.2.1.99' THEN 'Deflated Explicit VR Little Endian' WHEN '1.2.840.10008.1.2.2' THEN 'Explicit VR Big Endian' WHEN '1.2.840.10008.1.2.4.50' THEN 'JPEG Baseline' WHEN '1.2.840.10008.1.2.4.51' THEN 'JPEG Extended' WHEN '1.2.840.10008.1.2.4.70' THEN 'JPEG Lossless' WHEN '1.2.840.10008.1.2.4.80' THEN 'JPEG-LS Lossless' WHEN '1.2.840.10008.1.2.4.90' THEN 'JPEG 2000 Lossless' WHEN '1.2.840.10008.1.2.4.91' THEN 'JPEG 2000' END) AS transfer_syntax_name,
    STRING_AGG(DISTINCT files.PhotometricInterpretation, ',' ORDER BY files.PhotometricInterpretation) AS PhotometricInterpretation,
    STRING_AGG(DISTINCT CAST(files.PixelRepresentation AS STRING), ',' ORDER BY CAST(files.PixelRepresentation AS STRING)) AS PixelRepresentation,
    MIN(files.Manufacturer) AS Manufacturer,
    MIN(files.ManufacturerModelName) AS ManufacturerModelName,
    MIN(CAST(files.SeriesDate AS STRING)) AS SeriesDate,
    MIN(NULLIF(files.SeriesDescription, '')) AS SeriesDescription,
    MIN(CAST(files.SeriesNumber AS STRING)) AS SeriesNumber,
    COUNT(*) AS instanceCount,
    MIN(files.license_short_name) AS license_short_name,
    MIN(revisions.series_init_idc_version) AS series_init_idc_version,
    MIN(revisions.series_revised_idc_version) AS series_revised_idc_version,
    MIN(files.aws_bucket) AS aws_bucket,
    MIN(files.crdc_series_uuid) AS crdc_series_uuid,
    MIN(CONCAT(files.series_aws_url, '*')) AS series_aws_url,
    CAST(SUM(CAST(files.instance_size AS INT64)) AS FLOAT64) / 1000000 AS series_size_MB,
    SUM(CAST(files.instance_size AS INT64)) AS carrel_bytes
  FROM `bigquery-public-data.idc_v25.dicom_all` AS files
  LEFT JOIN (
    SELECT SOPInstanceUID, MIN(BodyPartExamined) AS BodyPartExamined
    FROM `bigquery-public-data.idc_v25.dicom_metadata_curated` GROUP BY SOPInstanceUID
  ) AS curated ON files.SOPInstanceUID = curated.SOPInstanceUID
  LEFT JOIN (
    SELECT SeriesInstanceUID, MIN(series_init_idc_version) AS series_init_idc_version,
      MAX(series_revised_idc_version) AS series_revised_idc_version
    FROM `bigquery-public-data.idc_v25.auxiliary_metadata` GROUP BY SeriesInstanceUID
  ) AS revisions ON files.SeriesInstanceUID = revisions.SeriesInstanceUID
  GROUP BY files.SeriesInstanceUID
),
drawn AS (
  SELECT collection_id, PatientID FROM index GROUP BY collection_id, PatientID
  ORDER BY TO_HEX(MD5(ARRAY_TO_STRING(['0', collection_id, PatientID], CHR(31)))), collection_id, PatientID LIMIT 2
),
sampled AS (
  SELECT index.* FROM index JOIN drawn USING (collection_id, PatientID)
),
limited AS (
  SELECT * FROM sampled ORDER BY collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID LIMIT 9
)
SELECT `collection_id`, `analysis_result_id`, `PatientID`, `SeriesInstanceUID`, `StudyInstanceUID`, `source_DOI`, `PatientAge`, `PatientSex`, `StudyDate`, `StudyDescription`, `BodyPartExamined`, `Modality`, `SOPClassUID`, `sop_class_name`, `TransferSyntaxUID`, `transfer_syntax_name`, `PhotometricInterpretation`, `PixelRepresentation`, `Manufacturer`, `ManufacturerModelName`, `SeriesDate`, `SeriesDescription`, `SeriesNumber`, `instanceCount`, `license_short_name`, `series_init_idc_version`, `series_revised_idc_version`, `aws_bucket`, `crdc_series_uuid`, `series_aws_url`, `series_size_MB`, carrel_bytes
FROM limited
ORDER BY collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID;
