-- the answer
WITH index AS (
  SELECT MIN(files.collection_id) AS collection_id,
    MIN(files.PatientID) AS PatientID,
    files.SeriesInstanceUID,
    MIN(files.StudyInstanceUID) AS StudyInstanceUID,
    MIN(curated.BodyPartExamined) AS BodyPartExamined,
    COUNT(*) AS instanceCount,
    SUM(CAST(files.instance_size AS INT64)) AS carrel_bytes
  FROM `bigquery-public-data.idc_v25.dicom_all` AS files
  LEFT JOIN (
    SELECT SOPInstanceUID, MIN(BodyPartExamined) AS BodyPartExamined
    FROM `bigquery-public-data.idc_v25.dicom_metadata_curated` GROUP BY SOPInstanceUID
  ) AS curated ON files.SOPInstanceUID = curated.SOPInstanceUID
  GROUP BY files.SeriesInstanceUID
),
limited AS (
  SELECT * FROM index ORDER BY `BodyPartExamined` ASC NULLS LAST, `instanceCount` DESC NULLS LAST, collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID LIMIT 30
)
SELECT COUNT(DISTINCT collection_id) AS collections,
  COUNT(DISTINCT ARRAY_TO_STRING([collection_id, PatientID], CHR(31))) AS amount_patients,
  COUNT(DISTINCT StudyInstanceUID) AS amount_studies, COUNT(*) AS amount_series,
  IFNULL(SUM(instanceCount), 0) AS amount_instances, IFNULL(SUM(carrel_bytes), 0) AS amount_bytes
FROM limited;
