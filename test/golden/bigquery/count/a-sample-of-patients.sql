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
drawn AS (
  SELECT collection_id, PatientID FROM index GROUP BY collection_id, PatientID
  ORDER BY TO_HEX(MD5(ARRAY_TO_STRING(['7', collection_id, PatientID], CHR(31)))), collection_id, PatientID LIMIT 3
),
sampled AS (
  SELECT index.* FROM index JOIN drawn USING (collection_id, PatientID)
)
SELECT COUNT(DISTINCT collection_id) AS collections,
  COUNT(DISTINCT ARRAY_TO_STRING([collection_id, PatientID], CHR(31))) AS amount_patients,
  COUNT(DISTINCT StudyInstanceUID) AS amount_studies, COUNT(*) AS amount_series,
  IFNULL(SUM(instanceCount), 0) AS amount_instances, IFNULL(SUM(carrel_bytes), 0) AS amount_bytes
FROM sampled;
