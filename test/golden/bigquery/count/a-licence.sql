-- which of the values there are
SELECT DISTINCT 'license' AS field, license_short_name AS value FROM `bigquery-public-data.idc_v25.dicom_all`
WHERE LOWER(license_short_name) IN ('cc by 4.0');

-- the answer
WITH index AS (
  SELECT MIN(files.collection_id) AS collection_id,
    MIN(files.PatientID) AS PatientID,
    files.SeriesInstanceUID,
    MIN(files.StudyInstanceUID) AS StudyInstanceUID,
    COUNT(*) AS instanceCount,
    MIN(files.license_short_name) AS license_short_name,
    SUM(CAST(files.instance_size AS INT64)) AS carrel_bytes
  FROM `bigquery-public-data.idc_v25.dicom_all` AS files
  GROUP BY files.SeriesInstanceUID
),
selected AS (
  SELECT * FROM index WHERE license_short_name IN ('CC BY 4.0')
)
SELECT COUNT(DISTINCT collection_id) AS collections,
  COUNT(DISTINCT ARRAY_TO_STRING([collection_id, PatientID], CHR(31))) AS amount_patients,
  COUNT(DISTINCT StudyInstanceUID) AS amount_studies, COUNT(*) AS amount_series,
  IFNULL(SUM(instanceCount), 0) AS amount_instances, IFNULL(SUM(carrel_bytes), 0) AS amount_bytes
FROM selected;
