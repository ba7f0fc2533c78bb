-- which of the values there are
SELECT DISTINCT 'patient' AS field, PatientID AS value FROM `bigquery-public-data.idc_v25.dicom_all`
WHERE LOWER(PatientID) IN ('100002');

-- the answer
WITH index AS (
  SELECT MIN(files.collection_id) AS collection_id,
    MIN(files.PatientID) AS PatientID,
    files.SeriesInstanceUID,
    MIN(files.StudyInstanceUID) AS StudyInstanceUID,
    COUNT(*) AS instanceCount,
    SUM(CAST(files.instance_size AS INT64)) AS carrel_bytes
  FROM `bigquery-public-data.idc_v25.dicom_all` AS files
  GROUP BY files.SeriesInstanceUID
),
selected AS (
  SELECT * FROM index WHERE PatientID IN ('100002')
)
SELECT COUNT(DISTINCT collection_id) AS collections,
  COUNT(DISTINCT ARRAY_TO_STRING([collection_id, PatientID], CHR(31))) AS amount_patients,
  COUNT(DISTINCT StudyInstanceUID) AS amount_studies, COUNT(*) AS amount_series,
  IFNULL(SUM(instanceCount), 0) AS amount_instances, IFNULL(SUM(carrel_bytes), 0) AS amount_bytes
FROM selected;
