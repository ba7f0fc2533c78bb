-- the answer
WITH index AS (
  SELECT MIN(files.collection_id) AS collection_id,
    MIN(files.analysis_result_id) AS analysis_result_id,
    MIN(files.PatientID) AS PatientID,
    files.SeriesInstanceUID,
    MIN(files.StudyInstanceUID) AS StudyInstanceUID,
    MIN(files.source_DOI) AS source_DOI,
    MIN(files.Modality) AS Modality,
    COUNT(*) AS instanceCount,
    MIN(files.license_short_name) AS license_short_name,
    MIN(files.aws_bucket) AS aws_bucket,
    MIN(files.crdc_series_uuid) AS crdc_series_uuid,
    SUM(CAST(files.instance_size AS INT64)) AS carrel_bytes
  FROM `bigquery-public-data.idc_v25.dicom_all` AS files
  GROUP BY files.SeriesInstanceUID
)
SELECT `Modality`, `crdc_series_uuid`, `SeriesInstanceUID`, `StudyInstanceUID`, `PatientID`, `collection_id`, `analysis_result_id`, `license_short_name`, `source_DOI`, `instanceCount`, `aws_bucket`, carrel_bytes
FROM index
ORDER BY carrel_bytes ASC NULLS LAST, collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID;
